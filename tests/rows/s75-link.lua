-- SPDX-License-Identifier: GPL-2.0-or-later
-- The cables of both network cards are pulled out, one after the other, and put
-- in again, while one guest sends another what that checks: without a cable the
-- frames go over the trunk, with both they go over the wire.
--   --set cpus=2
machine{
  cpus = param("cpus", 1),
  nics = 2,
  policy = "../../scenarios/policy/network.policy",
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

wait_event("channel", {client = "guest2", server = "io.b"}, {within = ms(200)})
pass(100)
over_the_wire()
for _, card in ipairs{"net0", "net1"} do
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
