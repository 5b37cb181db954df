-- SPDX-License-Identifier: GPL-2.0-or-later
-- What a wire does to frames: some are lost, come twice, change, or overtake others,
-- at either card, while one guest sends another what that checks.  Every byte arrives
-- as it was sent, on one connection, and no I/O partition is blamed.
--   --set cpus=2
--   --set only=drop   one kind alone: each has a defect that no other reveals
--                     (tests/rows/defects: s75-slept-over, s75-taken-twice,
--                     s75-checksum-unread, s75-back-to-older)
local only <const> = param("only", "")
assert(string.find(" drop duplicate corrupt reorder ", " " .. only, 1, true),
       "only: drop, duplicate, corrupt or reorder")

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
    if string.find(what, only) then
      inject.fault("device " .. card .. " " .. what)
      pass(60)
    end
  end
end
-- All that is under way to guest1: nothing that comes tells of it, only time.
if string.find("drop", only) then
  inject.fault("device net0 drop 1000")
  run_for(ms(20))
  inject.fault("device net0 drop 0")
  pass(60)
end
wait_console("guest1", "1000000 bytes received, each as it should be",
             {within = s(5)})
wait_console("guest2", "1000000 bytes sent, .*the other side has the same",
             {within = s(1)})
for _, name in ipairs{"io.a", "io.b"} do
  expect_eq(partition(name).incarnation, 1, name .. "'s incarnation")
end
expect_eq(wait_off{within = ms(500)}, 0, "the code at the end")
