-- SPDX-License-Identifier: GPL-2.0-or-later
-- A guest that harms its channels (tests/rows/image/hostile.c); the partitions at
-- their other ends are those that always are.  Row 65: a good guest works on.
--   --set row=65 --set seed=2 --set cpus=4
local row = param("row", 65)

machine{
  cpus = param("cpus", 1),
  serial_hz = 184320000,
  modules = {"uv", "boot", "idle", "io", "command", "operations", "diagnostics",
             "guest", "probe"},
  policy = row == 64 and "policy/s64.policy" or
           "policy/s65-" .. param("seed", 1) .. ".policy",
}
wait_console("probe", "^PASS", {within = ms(400)})
if row == 65 then
  wait_console("guest1", "0 replayed, 0 errors", {within = ms(900)})
end
for _, name in ipairs{"ultravisor", "io.a", "io.b", "command", "operations",
                      "diagnostics"} do
  expect_eq(partition(name).state, "running", name)
  expect_eq(partition(name).incarnation, 1, name .. "'s incarnation")
end
expect_eq(wait_off{within = ms(500)}, 0, "the code at the end")
