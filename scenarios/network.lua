-- SPDX-License-Identifier: GPL-2.0-or-later
-- Two guests on the network, each through an I/O partition of its own, whose
-- switches are joined, or, with two network cards, meet on the wire (all that goes
-- over it is in network.pcap): they ping, then one sends the other a million bytes.  In
-- mid-stream io.a dies: guest1's link drops, rises again on io.b, the connection
-- goes on, and every byte arrives as it was sent.  io.a comes back and gets its
-- load again; then io.b dies, under guest2.
--   --set cpus=2 --set nics=2 --set iommu=true
--   --set policy=/tmp/ten.policy --set bytes=10000000
local bytes = param("bytes", 1000000)
local nics = param("nics", 0)

if nics > 0 then network{capture = true} end
machine{
  cpus = param("cpus", 1),
  nics = nics,
  iommu = param("iommu", false),
  policy = param("policy", "policy/network.policy"),
}

local function network_of(name)
  for _, c in ipairs(channels()) do
    if c.type == "network" and c.client == name then return c end
  end
end

-- Until so many more messages have passed the guest's channel.
local function pass(name, messages)
  local from, rounds = network_of(name).passed, 0
  repeat
    run_for(us(20))
    rounds = rounds + 1
    expect(rounds < 5000, name .. " waits for the network")
  until network_of(name).passed - from >= messages
end

wait_event("channel", {client = "guest2", server = "io.b"}, {within = ms(100)})
pass("guest2", 400)
run_for(us(7))
inject.crash("io.a")
local moved = wait_event("channel", {client = "guest1", server = "io.b"},
                         {within = ms(1)})
expect_eq(moved.id, network_of("guest1").id, "the channel that was moved")
wait_event("channel", {id = moved.id, server = "io.a"}, {within = ms(20)})

pass("guest1", 300)
inject.crash("io.b")
wait_event("channel", {client = "guest2", server = "io.a"}, {within = ms(1)})

wait_console("guest1", bytes .. " bytes received, each as it should be",
             {within = s(30)})
wait_console("guest2", bytes .. " bytes sent, .*the other side has the same",
             {within = s(1)})
-- Busy, and beside guests that never wait: nobody was taken for dead for that.
expect_eq(partition("io.a").incarnation, 2, "io.a died once")
expect_eq(partition("io.b").incarnation, 2, "io.b died once")
expect_eq(wait_off{within = ms(500)}, 0, "the code at the end")
