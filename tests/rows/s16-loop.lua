-- SPDX-License-Identifier: GPL-2.0-or-later
-- The ultravisor's program dies of what it finds, each time anew: here a database
-- that is none.  It is begun anew fifteen times, not for ever; the guests and
-- their I/O go on without it.
local LEAD_WINDOW_VA = 0x38000000 -- the root page of the database

machine{
  cpus = param("cpus", 1),
  serial_hz = 184320000,
  policy = "../../scenarios/policy/failover.policy",
}
wait_event("committed", {stream = 1, record = 20}, {within = ms(200)})
inject.memory("ultravisor", LEAD_WINDOW_VA, string.pack("<I8", 0))
inject.crash("ultravisor")
inject.crash("command") -- it wakes up
for _ = 2, 16 do
  wait_console("monitor", "ultravisor begins anew", {within = ms(20)})
end
run_for(ms(20))
expect_eq(partition("ultravisor").state, "crashed", "the ultravisor's state")
local ran <const> = partition("ultravisor").ran
run_for(ms(5))
expect_eq(partition("ultravisor").ran, ran, "what it has run, at its end")
wait_console("guest1", "400 verified, 0 replayed, 0 errors",
             {within = ms(300)})
wait_console("guest2", "400 verified, 0 replayed, 0 errors",
             {within = ms(300)})
