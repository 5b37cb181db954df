-- SPDX-License-Identifier: GPL-2.0-or-later
-- Monitor instances are made and unmade at run time: boot's went, guests' came,
-- io.a's goes and comes with each of its deaths; no frame is lost by it.
machine{
  cpus = param("cpus", 1),
  serial_hz = 184320000,
  policy = "../../scenarios/policy/failover.policy",
}
local function available()
  local n = 0
  for a = 0, (256 << 20) - 1, 4096 do
    if owner(a) == "available" then n = n + 1 end
  end
  return n
end

wait_event("committed", {stream = 1, record = 10}, {within = ms(200)})
expect_eq(partition("boot").cr3, 0, "boot's instance is gone")
expect_eq(partition("boot").state, "gone", "boot")
local before
for n = 2, 4 do
  inject.crash("io.a")
  wait_event("state", {of = "io.a"}, {within = ms(2)})
  wait_event("state", {of = "io.a", new_state = 1}, {within = ms(10)})
  run_for(ms(6)) -- until its load is back
  expect_eq(partition("io.a").incarnation, n, "io.a's incarnation")
  expect(partition("io.a").cr3 ~= 0, "io.a has an instance")
  local now = available()
  before = before or now
  expect_eq(now, before, "free frames")
end
