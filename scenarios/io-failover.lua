-- SPDX-License-Identifier: GPL-2.0-or-later
-- A stray DMA overwrites the text of io.a while both guests write.  Its monitor
-- reports the crash, command moves guest1's channel to io.b, the guest sends
-- again what was not acknowledged, io.a is started anew and gets its load back.
machine{
  policy = "policy/failover.policy",
}

wait_event("committed", {stream = 1, record = 20}, {within = ms(200)})
run_for(us(137))
inject.crash("io.a")
local fault = now()

local death = wait_event("state", {of = "io.a"}, {within = ms(1)})
expect_eq(death.vector, 6, "the exception that ended io.a")
local moved = wait_event("channel", {server = "io.b", client = "guest1"},
                         {within = ms(1)})
wait_event("block_response", {channel = moved.id}, {within = ms(1)})
expect(now() - fault < ms(1), "I/O goes on within 1 ms of the fault")

-- io.a comes back, and guest1's load with it.
wait_event("channel", {id = moved.id, server = "io.a"}, {within = ms(20)})
expect_eq(partition("io.a").state, "running", "io.a's state")
expect_eq(partition("io.a").incarnation, 2, "io.a's incarnation")

wait_console("guest1", "400 verified, %d+ replayed, 0 errors",
             {within = ms(500)})
wait_console("guest2", "400 verified, 0 replayed, 0 errors",
             {within = ms(500)})
expect_eq(wait_off{within = ms(500)}, 0, "the code at the end")
