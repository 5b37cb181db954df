-- SPDX-License-Identifier: GPL-2.0-or-later
-- What a wire does to frames: some are lost, come twice, change, or overtake others,
-- at either card, while one guest sends another what that checks.  Every byte arrives
-- as it was sent, on one connection, and no I/O partition is blamed.
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

wait_event("channel", {client = "guest2", server = "io.b"}, {within = ms(200)})
pass(100)
for _, card in ipairs{"net0", "net1"} do
  for _, what in ipairs{"drop 3", "duplicate 5", "corrupt 3", "reorder 5"} do
    inject.fault("device " .. card .. " " .. what)
    pass(60)
  end
end
wait_console("guest1", "1000000 bytes received, each as it should be",
             {within = s(5)})
wait_console("guest2", "1000000 bytes sent, .*the other side has the same",
             {within = s(1)})
for _, name in ipairs{"io.a", "io.b"} do
  expect_eq(partition(name).incarnation, 1, name .. "'s incarnation")
end
expect_eq(wait_off{within = ms(500)}, 0, "the code at the end")
