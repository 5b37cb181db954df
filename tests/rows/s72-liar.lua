-- SPDX-License-Identifier: GPL-2.0-or-later
-- A guest complains without a reason, of its own channel and of others', as often as
-- it can (tests/rows/image/complain.c): its own channel moves, once; whoever works
-- beside it notices nothing.
machine{
  cpus = param("cpus", 1),
  serial_hz = 184320000,
  modules = {"uv", "boot", "idle", "io", "command", "operations", "diagnostics",
             "guest", "probe"},
  policy = "policy/s72-liar.policy",
}
wait_event("channel", {client = "probe", server = "io.b"}, {within = ms(200)})
wait_console("command", "probe complains too often", {within = ms(200)})
wait_console("probe", "^PASS", {within = ms(400)})
for _, c in ipairs(channels()) do
  if c.type == "block" then
    expect_eq(c.server, c.client == "probe" and "io.b" or "io.a",
              c.client .. "'s server")
    expect_eq(c.generation, c.client == "probe" and 2 or 1,
              c.client .. "'s generation")
  end
end
wait_console("guest1", "0 replayed, 0 errors", {within = ms(900)})
for _, name in ipairs{"ultravisor", "io.a", "io.b", "command"} do
  expect_eq(partition(name).state, "running", name)
  expect_eq(partition(name).incarnation, 1, name .. "'s incarnation")
end
expect_eq(wait_off{within = ms(500)}, 0, "the code at the end")
