-- SPDX-License-Identifier: GPL-2.0-or-later
-- Both I/O partitions die in one instant, while two guests write and read: the
-- guests block, are not harmed, and go on when one is back.
--   --set how=hang
local how = param("how", "crash")

machine{
  cpus = param("cpus", 1),
  serial_hz = 184320000,
  policy = "policy/s72.policy",
}
wait_event("committed", {stream = 1, record = 20}, {within = ms(200)})
run_for(us(param("later", 137)))
inject.fault(how .. " io.a")
inject.fault(how .. " io.b")
local dead = now()
for _, name in ipairs{"io.a", "io.b"} do -- in either order, or at once
  if partition(name).state == "running" then
    wait_event("state", {of = name, old_state = 1}, {within = ms(4)})
  end
end
for _, name in ipairs{"io.a", "io.b"} do
  expect(partition(name).state ~= "running", name .. " has ended")
end
-- Nothing is answered before one is there again.
local back = wait_event("block_response", {status = 0}, {within = ms(60)})
expect(back.time - dead > ms(1), "not before one was made anew")
local alive = 0
for _, name in ipairs{"io.a", "io.b"} do
  local p = partition(name)
  alive = alive + (p.state == "running" and p.incarnation == 2 and 1 or 0)
end
expect(alive >= 1, "one is back")
for _, name in ipairs{"guest1", "guest2"} do
  wait_console(name, "150 verified, %d+ replayed, 0 errors",
               {within = ms(500)})
  expect_eq(partition(name).incarnation, 1, name .. "'s incarnation")
end
for _, name in ipairs{"io.a", "io.b"} do
  expect_eq(partition(name).state, "running", name)
  expect_eq(partition(name).incarnation, 2, name .. "'s incarnation")
end
