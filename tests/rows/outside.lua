-- SPDX-License-Identifier: GPL-2.0-or-later
-- Run by tests/outside, not by parterre: guests and a host outside, whose stack
-- is nobody's of us, send each other what is checked byte by byte, by the network
-- cards of both I/O partitions.  In mid-stream io.b dies and comes back, then io.a,
-- twice.
--   --set cpus=2 --set policy=/tmp/ten.policy --set bytes=10000000
network{capture = true}
machine{
  cpus = param("cpus", 1),
  nics = 2,
  iommu = param("iommu", true),
  trace = param("trace", "none"),
  policy = param("policy", "policy/outside.policy"),
}

local function network_of(name)
  for _, c in ipairs(channels()) do
    if c.type == "network" and c.client == name then return c end
  end
end

-- Until so many more messages have passed the guest's channel.  What the other
-- stack lost of a whole window it sends again by its timer, which is slow.
local function pass(name, messages)
  local id = network_of(name).id
  for _ = 1, messages do
    wait_event("message", {channel = id}, {within = s(10)})
  end
end

local function dies(name, other, guest)
  inject.crash(name)
  wait_event("channel", {client = guest, server = other}, {within = ms(5)})
  wait_event("channel", {client = guest, server = name}, {within = ms(100)})
end

local many = param("messages", 200)
wait_event("channel", {client = "guest2", server = "io.b"}, {within = ms(200)})
pass("guest2", many)
dies("io.b", "io.a", "guest2")
for _ = 1, 2 do
  pass("guest1", many)
  dies("io.a", "io.b", "guest1")
end

local bytes = param("bytes", 3000000)
wait_console("guest1", bytes .. " bytes sent, .*the other side has the same",
             {within = s(30)})
wait_console("guest2", bytes .. " bytes received, each as it should be",
             {within = s(30)})
expect_eq(wait_off{within = s(1)}, 0, "the code at the end")
