-- SPDX-License-Identifier: GPL-2.0-or-later
-- The ultravisor dies while it has a failover in hand: io.a has crashed, and what
-- command asks for is committed, or not, when a stray DMA overwrites the
-- ultravisor's text.  Its monitor gives it a new program, which finds the
-- database and finishes what was begun.  The guests notice nothing but io.a's end.
-- Then it is killed twice more, before it can hear of another's end.
--   --set after=40 kills it so many microseconds after io.a
machine{
  cpus = param("cpus", 1),
  policy = "policy/failover.policy",
}
local after = us(param("after", 40))

local function disk_of(guest)
  for _, c in ipairs(channels()) do
    if c.client == guest and (c.server == "io.a" or c.server == "io.b") then
      return c
    end
  end
end
local function until_served_by(server, within)
  local limit = now() + within
  while disk_of("guest1").server ~= server do
    expect(now() < limit, "guest1's disk is served by " .. server)
    run_for(us(50))
  end
end

wait_event("committed", {stream = 1, record = 20}, {within = ms(200)})
run_for(us(137))
local disk = disk_of("guest1").id
inject.crash("io.a")
run_for(after)
inject.crash("ultravisor")

local death = wait_event("state", {of = "ultravisor"}, {within = ms(5)})
expect_eq(death.vector, 6, "the exception that ended the ultravisor")
wait_event("state", {of = "ultravisor", new_state = 1}, {within = ms(3)})
note("the database is taken over", (now() - death.time) // us(1),
     "us after the ultravisor's end")
expect_eq(partition("ultravisor").incarnation, 2, "its incarnation")

-- What command asked for is done, and guest2 never stopped.
until_served_by("io.b", ms(5))
wait_event("block_response", {channel = disk}, {within = ms(3)})
wait_event("issued", {stream = 2}, {within = ms(4)}) -- quanta of 1 ms
until_served_by("io.a", ms(20))

-- It is dead already when others die: the next program finds them so.
for i, who in ipairs{"io.b", "command"} do
  run_for(ms(3))
  inject.crash("ultravisor")
  inject.crash(who)
  wait_event("state", {of = "ultravisor", new_state = 1}, {within = ms(10)})
  wait_event("state", {of = who, new_state = 1}, {within = ms(10)})
  expect_eq(partition("ultravisor").incarnation, 2 + i, "its incarnation")
end

wait_console("guest1", "400 verified, %d+ replayed, 0 errors",
             {within = ms(500)})
wait_console("guest2", "400 verified, %d+ replayed, 0 errors",
             {within = ms(500)})
expect_eq(wait_off{within = ms(500)}, 0, "the code at the end")
