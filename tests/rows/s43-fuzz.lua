-- SPDX-License-Identifier: GPL-2.0-or-later
-- Four guests make calls at random, while a fifth works: its work comes out right,
-- and nobody crashes.
machine{
  cpus = param("cpus", 1),
  serial_hz = 184320000,
  modules = {"uv", "boot", "idle", "io", "command", "operations", "guest",
             "probe"},
  policy = "policy/s43.policy",
}
wait_console("guest1", "200 verified, %d+ replayed, 0 errors", {within = s(2)})
for i = 1, 4 do
  local p = partition("probe" .. i)
  if p.state == "running" then
    wait_console(p.name, "^[PF]A", {within = s(3)})
    p = partition(p.name)
  end
  expect(p.state ~= "crashed", p.name .. " did not crash")
end
for _, name in ipairs{"ultravisor", "io.a", "io.b", "command", "operations"} do
  expect_eq(partition(name).state, "running", name)
end
