-- SPDX-License-Identifier: GPL-2.0-or-later
-- io.a dies, io.b takes its load; io.a is back, io.b dies, io.a takes it; and so
-- on, many times, while a guest writes and reads.
machine{
  cpus = param("cpus", 1),
  serial_hz = 184320000,
  disk = "1M",
  policy = "policy/s77.policy",
}
local times = param("times", 100)

wait_event("committed", {stream = 1, record = 20}, {within = ms(200)})
for i = 1, times do
  local from = i % 2 == 1 and "io.a" or "io.b"
  local to = i % 2 == 1 and "io.b" or "io.a"

  inject.fault((i % 3 == 0 and "hang " or "crash ") .. from)
  local moved = wait_event("channel", {server = to, client = "guest1"},
                           {within = ms(5)})
  wait_event("block_response", {channel = moved.id}, {within = ms(1)})
  wait_event("state", {of = from, new_state = 1}, {within = ms(20)})
  run_for(ms(4)) -- it serves again
end
expect(partition("io.a").incarnation + partition("io.b").incarnation ==
       times + 2, "each death was followed by a start")
expect_eq(partition("guest1").incarnation, 1, "guest1's incarnation")
wait_event("committed", {stream = 1}, {within = ms(20)})
