-- SPDX-License-Identifier: GPL-2.0-or-later
-- A network card is given to an I/O partition that runs, by the operator, while one
-- guest sends another what that checks: io.b is begun anew without its card, and its
-- guest goes on over the trunk; then it gets the card back, without being begun anew,
-- and the guest goes over the wire.  What runs is not deprived of it.
--   --set cpus=2 --set iommu=true
machine{
  cpus = param("cpus", 1),
  nics = 2,
  iommu = param("iommu", false),
  policy = "policy/s70-card.policy",
  serial_hz = 184320000, -- no waiting for the console
}

local function told(pattern)
  return wait_console("operations", pattern, {within = ms(100)})
end
local function type_in(line, pattern)
  send(line .. "\r")
  return told(pattern)
end
local function pass(messages)
  for _ = 1, messages do
    wait_event("message", {partition = "guest2"}, {within = s(1)})
  end
end
local function network_of(name)
  for _, c in ipairs(channels()) do
    if c.type == "network" and c.client == name then return c end
  end
end

wait_event("channel", {client = "guest2", server = "io.b"}, {within = ms(200)})
pass(100)
wait_event("frame", {device = "net1", sent = 1}, {within = ms(20)})

local line = type_in("devices", "class 020000, io.b's")
local card = string.match(line, "device (%S+), class")
type_in("stop io.b", "^stop io.b: done")
wait_console("ultravisor", "^io.b stopped", {within = ms(100)})
type_in("release device " .. card, "^release device: done")
type_in("start io.b", "^start io.b: done")
wait_console("io.b", "^io: ready", {within = ms(200)})
wait_event("channel", {client = "guest2", server = "io.b"}, {within = ms(20)})
pass(100)
expect_eq(network_of("guest2").server, "io.b", "guest2's server")

type_in("assign device " .. card .. " io.b", "^assign device: done")
wait_console("io.b", "^net: card .* link up", {within = ms(5)})
-- What was on its way over the trunk may be lost: a whole window even, which takes
-- a retransmission's time-out.
wait_event("frame", {device = "net1", sent = 1}, {within = ms(400)})
wait_event("frame", {device = "net1", sent = 0}, {within = ms(5)})
type_in("release device " .. card, "ESTATE: not in this state")
pass(50)
wait_event("frame", {device = "net1", sent = 1}, {within = ms(5)})

wait_console("guest1", "2000000 bytes received, each as it should be",
             {within = s(5)})
wait_console("guest2", "2000000 bytes sent, .*the other side has the same",
             {within = s(1)})
expect_eq(partition("io.a").incarnation, 1, "io.a's incarnation")
expect_eq(partition("io.b").incarnation, 2, "io.b's incarnation")
