-- SPDX-License-Identifier: GPL-2.0-or-later
-- Command is killed while guests work: they go on
-- to their end.
machine{
  cpus = param("cpus", 1),
  serial_hz = 184320000,
  policy = "../../scenarios/policy/failover.policy",
}
wait_event("committed", {stream = 1, record = 20}, {within = ms(200)})
inject.crash("command")
wait_event("state", {of = "command"}, {within = ms(5)})
local switches = partition("guest1").switches
wait_event("committed", {stream = 1, record = 60}, {within = ms(20)})
wait_event("committed", {stream = 2, record = 60}, {within = ms(20)})
expect(partition("guest1").switches > switches, "guest1 goes on")
expect_eq(partition("guest1").incarnation, 1, "guest1's incarnation")
wait_console("guest1", "400 verified, 0 replayed, 0 errors",
             {within = ms(300)})
