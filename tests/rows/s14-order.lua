-- SPDX-License-Identifier: GPL-2.0-or-later
-- The partitions run for the first time in the order of the boot, after which
-- boot goes.
machine{
  cpus = param("cpus", 1),
  serial_hz = 184320000,
  policy = "../../scenarios/policy/failover.policy",
}
local last = 0
for _, name in ipairs{"ultravisor", "boot", "idle", "io.a", "io.b", "command",
                      "operations"} do
  local e = wait_event("partition", {name = name}, {within = ms(100)})
  expect(e.time > last, name .. " after the one before")
  last = e.time
  if name ~= "ultravisor" and name ~= "boot" then
    -- Boot logs that it is started, and when.
    wait_console("boot", "^" .. name .. " started at %d+ us$",
                 {within = ms(50)})
  end
end
wait_console("boot", "retires at %d+ us$", {within = ms(50)})
wait_event("partition", {name = "guest1"}, {within = ms(100)})
expect_eq(partition("boot").state, "gone", "boot")
