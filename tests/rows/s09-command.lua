-- SPDX-License-Identifier: GPL-2.0-or-later
-- Command is killed while guests work: they go on; it is started anew, learns
-- from the database what there is, and decides again, a failover and the fail
-- back; the guests work to their end.
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
wait_event("committed", {stream = 2, record = 100}, {within = ms(20)})
expect(partition("guest1").switches > switches, "guest1 goes on")
expect_eq(partition("command").incarnation, 2, "command's incarnation")

-- It knows who serves whom: else it couldn't move this channel, nor back.
inject.crash("io.a")
local moved = wait_event("channel", {client = "guest1", server = "io.b"},
                         {within = ms(5)})
wait_event("block_response", {channel = moved.id}, {within = ms(5)})
wait_event("channel", {id = moved.id, server = "io.a"}, {within = ms(40)})
for _, name in ipairs{"guest1", "guest2"} do
  expect_eq(partition(name).incarnation, 1, name .. "'s incarnation")
end
wait_console("guest1", "400 verified, %d+ replayed, 0 errors",
             {within = ms(300)})
