-- SPDX-License-Identifier: GPL-2.0-or-later
-- Operations is killed: command goes on with its last policy, a failover
-- included.
machine{
  cpus = param("cpus", 1),
  serial_hz = 184320000,
  policy = "../../scenarios/policy/failover.policy",
}
wait_event("committed", {stream = 1, record = 20}, {within = ms(200)})
inject.crash("operations")
send("list\r") -- it sleeps, and dies when it wakes
wait_event("state", {of = "operations"}, {within = ms(5)})
inject.crash("io.a")
local moved = wait_event("channel", {client = "guest1", server = "io.b"},
                         {within = ms(5)})
wait_event("block_response", {channel = moved.id}, {within = ms(5)})
wait_event("channel", {id = moved.id, server = "io.a"}, {within = ms(40)})
expect_eq(partition("operations").state, "crashed", "operations")
expect_eq(partition("guest1").state, "running", "guest1")
expect_eq(partition("guest2").incarnation, 1, "guest2's incarnation")
