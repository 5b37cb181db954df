-- SPDX-License-Identifier: GPL-2.0-or-later
-- The cables of both network cards are pulled out, one after the other, and put
-- in again, while one guest sends another what that checks: without a cable the
-- frames go over the trunk, with both they go over the wire.  With several CPUs
-- io.b hears of io.a's with a frame in its card's ring that came by the wire.
--   --set cpus=2
local cpus <const> = param("cpus", 1)
machine{
  cpus = cpus,
  nics = 2,
  policy = "policy/s75-link.policy",
}

local function pass(messages)
  for _ = 1, messages do
    wait_event("message", {partition = "guest2"}, {within = s(1)})
  end
end

local function over_the_wire()
  wait_event("frame", {device = "net0", sent = 0}, {within = ms(20)})
  wait_event("frame", {device = "net1", sent = 0}, {within = ms(20)})
end

-- net1 gets a frame, and io.b stands still, with its CPU, until io.a has told it of
-- the cable.
local function frame_in_the_ring()
  local at = wait_event("reg_read", {device = "net1.bar0", partition = "io.b"},
                        {within = ms(20)})
  inject.fault("stall " .. at.cpu .. " 200000")
  wait_event("frame", {device = "net1", sent = 0}, {within = ms(1)})
end

wait_event("channel", {client = "guest2", server = "io.b"}, {within = ms(200)})
pass(100)
over_the_wire()
for _, card in ipairs{"net0", "net1"} do
  if cpus > 1 and card == "net0" then frame_in_the_ring() end
  inject.device(card, "link", 1)
  pass(150)
  inject.device(card, "link", 0)
  run_for(ms(1))
  pass(50)
  over_the_wire()
end
wait_console("guest1", "1000000 bytes received, each as it should be",
             {within = s(5)})
wait_console("guest2", "1000000 bytes sent, .*the other side has the same",
             {within = s(1)})
for _, name in ipairs{"io.a", "io.b"} do
  expect_eq(partition(name).incarnation, 1, name .. "'s incarnation")
end
