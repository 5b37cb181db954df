-- SPDX-License-Identifier: GPL-2.0-or-later
-- S46: a machine check at a CPU is signalled only to the partitions that it
-- concerns: the one whose memory failed, whoever ran; and one that cannot go on
-- ends alone.
local cpus = param("cpus", 1)
machine{ policy = "../../scenarios/policy/failover.policy", cpus = cpus }

local function checks()
  local all = {}
  for _, p in ipairs(partitions()) do all[p.name] = p.checks end
  return all
end

-- Uncorrected, in guest1's memory, at each CPU in turn.
wait_event("committed", {stream = 1, record = 20}, {within = ms(200)})
for cpu = 0, cpus - 1 do
  run_for(us(311))
  inject.check(cpu, physical("guest1", 0x400040), "uncorrected")
  run_for(us(200))
  for name, n in pairs(checks()) do
    expect_eq(n, name == "guest1" and cpu + 1 or 0, "what " .. name .. " heard")
  end
end

-- Corrected: nobody is troubled.
inject.check(0, physical("guest2", 0x400000), "corrected")
run_for(ms(1))
expect_eq(checks().guest2, 0, "guest2 was told of a corrected error")

-- What the CPU did is lost: who ran there ends, nobody else.  (A monitor that holds
-- the lock would be the end of all.)
local at = wait_event("ring", {partition = "guest2", cpl = 3}, {within = ms(5)})
inject.check(at.cpu, physical("guest2", 0x400000), "fatal")
local death = wait_event("state", {of = "guest2"}, {within = ms(1)})
expect_eq(death.vector, 18, "the exception that ended guest2")
wait_console("monitor", "machine check on CPU 0, .*: guest1",
             {within = ms(500)})
wait_console("guest1", "400 verified, 0 replayed, 0 errors",
             {within = ms(500)})
for _, p in ipairs(partitions()) do
  if p.state ~= "gone" and p.name ~= "available" then
    expect_eq(p.state == "crashed", p.name == "guest2", p.name .. " crashed")
  end
end
