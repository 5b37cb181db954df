-- SPDX-License-Identifier: GPL-2.0-or-later
-- A transaction of six operations, from its request to its effects, marked for
-- `parterre sweep`: what if the ultravisor dies at any instant in between?
-- Command makes guest1 and then guest2: partition, words, two channels, schedule,
-- start, in one transaction each.
--   parterre sweep --fault 'crash ultravisor' --over request..done
--                  --while ultravisor scenarios/sweep-ultravisor.lua
-- Whenever it dies, both are made once, as a whole, and run; the operator finds
-- that every invariant of the database holds; the next transactions hold.
local CREATE = 0x601

machine{
  cpus = param("cpus", 1),
  policy = "policy/failover.policy",
  serial_hz = 184320000, -- no waiting for the console
  disk = "1M",
}

wait_console("operations", "operations: ready", {within = ms(200)})
wait_event("control", {queue = 0, id = CREATE, partition = "command"},
           {within = ms(20)})
local command = partition("command").number
wait_event("transaction", {requester = command}, {within = ms(5)})
mark("request")
wait_event("transaction", {requester = command}, {within = ms(5)})
run_for(us(param("behind", 60)))
mark("done")

for stream = 1, 2 do
  wait_event("issued", {stream = stream, record = 2}, {within = ms(20)})
end
-- A request that was served twice would be told the second time that there is one.
for _, guest in ipairs{"guest1", "guest2"} do
  wait_console("command", "command: " .. guest .. " started", {within = ms(20)})
end
for _, guest in ipairs{"guest1", "guest2"} do
  expect_eq(partition(guest).incarnation, 1, guest .. "'s incarnation")
  local ends, times = 0, 0
  for _, c in ipairs(channels()) do
    ends = ends + (c.client == guest and 1 or 0)
  end
  for _, p in ipairs(partitions()) do
    times = times + (p.name == guest and 1 or 0)
  end
  expect_eq(times, 1, "partitions that are " .. guest)
  expect_eq(ends, 3, guest .. "'s channels")
end
send("scan\r")
wait_console("operations", "every invariant holds", {within = ms(20)})
