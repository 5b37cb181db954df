-- SPDX-License-Identifier: GPL-2.0-or-later
-- io.a crashes at ten instants of one write, each tried from the same prepared
-- state: how long does its guest's I/O stand still?  What was tried leaves no
-- mark: the run goes on with the worst of them, and its trace is that of a run
-- in which it alone happened.
machine{
  policy = "policy/failover.policy",
  cpus = param("cpus", 1),
}

wait_event("committed", {stream = 1, record = 20}, {within = ms(200)})
local prepared = snapshot.take()

-- To the first block that io.b has done for the guest; the instant comes back.
local function failover(after)
  run_for(after)
  inject.crash("io.a")
  local fault = now()
  local moved = wait_event("channel", {server = "io.b", client = "guest1"},
                           {within = ms(1)})
  wait_event("block_response", {channel = moved.id}, {within = ms(1)})
  return now() - fault
end

local worst, at = 0, 0
for i = 1, 10 do
  local took = failover(us(i * 11))
  note(string.format("after %3d us: %.1f us", i * 11, took / us(1)))
  if took > worst then
    worst, at = took, i * 11
  end
  snapshot.restore(prepared)
end
snapshot.free(prepared)

expect_eq(failover(us(at)), worst, "the worst of them, once more")
wait_console("guest1", "400 verified, %d+ replayed, 0 errors",
             {within = ms(500)})
expect_eq(wait_off{within = ms(500)}, 0, "the code at the end")
