-- SPDX-License-Identifier: GPL-2.0-or-later
-- The ultravisor's text is overwritten while it sleeps: nobody knows, for it has no
-- beat, and nobody misses it.  The first who needs it wakes it, here the report of
-- io.a's end: it dies there, is begun anew and has the failover made, within what is
-- promised of any.
machine{
  cpus = param("cpus", 1),
  policy = "../../scenarios/policy/failover.policy",
}
wait_event("committed", {stream = 1, record = 20}, {within = ms(200)})

local function ran() return partition("ultravisor").ran end
local before
repeat
  before = ran()
  run_for(ms(1))
until ran() == before
inject.crash("ultravisor")
run_for(ms(3))
expect_eq(ran(), before, "what it ran meanwhile")
expect_eq(partition("ultravisor").incarnation, 1, "its incarnation")

inject.crash("io.a")
local fault <const> = now()
wait_event("state", {of = "io.a"}, {within = ms(1)})
local death = wait_event("state", {of = "ultravisor"}, {within = us(100)})
expect_eq(death.vector, 6, "the exception that ended the ultravisor")
local moved = wait_event("channel", {server = "io.b", client = "guest1"},
                         {within = ms(1)})
wait_event("block_response", {channel = moved.id}, {within = ms(1)})
note("first I/O there", (now() - fault) // us(1), "us after io.a's fault")
expect(now() - fault < ms(1), "I/O goes on within 1 ms of the fault")
expect_eq(partition("ultravisor").incarnation, 2, "its incarnation")

wait_console("guest1", "400 verified, %d+ replayed, 0 errors",
             {within = ms(500)})
wait_console("guest2", "400 verified, 0 replayed, 0 errors",
             {within = ms(500)})
expect_eq(wait_off{within = ms(500)}, 0, "the code at the end")
