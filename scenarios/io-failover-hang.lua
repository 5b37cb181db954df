-- SPDX-License-Identifier: GPL-2.0-or-later
-- io.a loops for ever while both guests write: no exception, no report.  Only
-- its missing heartbeat tells; the rest goes as in io-failover.lua.
machine{
  policy = "policy/failover.policy",
}

wait_event("committed", {stream = 1, record = 20}, {within = ms(200)})
run_for(us(137))
inject.hang("io.a")
local fault = now()

local moved = wait_event("channel", {server = "io.b", client = "guest1"},
                         {within = ms(5)})
wait_event("block_response", {channel = moved.id}, {within = ms(1)})
expect(now() - fault <= us(500), "I/O goes on within two heartbeat periods")

wait_event("channel", {id = moved.id, server = "io.a"}, {within = ms(20)})
expect_eq(partition("io.a").incarnation, 2, "io.a's incarnation")

wait_console("guest1", "400 verified, %d+ replayed, 0 errors",
             {within = ms(500)})
wait_console("guest2", "400 verified, 0 replayed, 0 errors",
             {within = ms(500)})
expect_eq(wait_off{within = ms(500)}, 0, "the code at the end")
