-- SPDX-License-Identifier: GPL-2.0-or-later
-- CPU time by rule: six guests that never sleep, four on the last CPU and two on the
-- first, by weights; then one of them has windows of a cyclic frame and one a cap;
-- then weights alone again, turned round.  Each change is a transaction at the
-- operator's console.  In every stretch each guest has what its rule says, within
-- 1 % of it, by the switches that the machine made, not by what anybody counted; and
-- each window of the frame begins and ends when the frame says.
--   --set cpus=4
--   --set span=10000      how many ms each stretch is: hundreds, caps count by those
--   --set quantum=1000    the guests', in us: shares are exact to a few of them
machine{
  policy = "policy/spinning.policy",
  cpus = param("cpus", 1),
  serial_hz = 184320000, -- no waiting for the console
}
local cpus <const> = param("cpus", 1)
local last <const> = cpus - 1
local span <const> = ms(param("span", 200))

local names <const>, name_of <const> = {}, {}
for i = 1, 6 do
  names[i] = "guest" .. i
  wait_console("command", names[i] .. " started", {within = ms(300)})
end
for _, p in ipairs(partitions()) do name_of[p.index] = p.name end

local function told(pattern)
  return wait_console("operations", pattern, {within = ms(500)})
end
local function transaction(lines)
  send("begin\r")
  told("transaction begun")
  for _, line in ipairs(lines) do
    send(line .. "\r")
    told("^gathered")
  end
  send("commit\r")
  told("^transaction: done")
  run_for(ms(20)) -- what had begun by the old rules is over
end

-- Runs that long; who had the CPUs for how long, from switch to switch.  `each` is
-- called with every switch.
local function watch(long, each)
  local from, had, since, who = now(), {}, {}, {}
  for cpu = 0, last do since[cpu], who[cpu] = from, current(cpu) end
  local function upto(cpu, at)
    local name = who[cpu]
    if name then had[name] = (had[name] or 0) + at - since[cpu] end
    since[cpu] = at
  end
  repeat
    local e = wait_event("switch", {}, {within = ms(100)})
    if e.time < from + long then
      upto(e.cpu, e.time)
      who[e.cpu] = name_of[e.to]
      if each then each(e) end
    end
  until e.time >= from + long
  for cpu = 0, last do upto(cpu, from + long) end
  return had
end

-- `rule`: for each guest its weight, or {cap = thousandths}, or {slots = thousandths}.
-- What those with neither have together is shared by weight.
local function measure(what, rule, each)
  local had, sum, got = watch(span, each), {}, {}
  local function cpu_of(name) return partition(name).cpu end
  for _, name in ipairs(names) do
    local cpu = cpu_of(name)
    if type(rule[name]) == "number" then
      sum[cpu] = (sum[cpu] or 0) + rule[name]
      got[cpu] = (got[cpu] or 0) + had[name]
    end
  end
  for _, name in ipairs(names) do
    local r, cpu, wanted, by = rule[name], cpu_of(name), 0, ""
    if type(r) == "number" then
      wanted = got[cpu] * r / sum[cpu]
      by = string.format("weight %d of %d", r, sum[cpu])
    else
      wanted = span * (r.cap or r.slots) / 1000
      by = r.cap and "cap" or "windows"
    end
    local off = (had[name] / wanted - 1) * 100
    note(string.format("%-7s CPU %d %s %-18s wanted %6.3f %%, had %6.3f %%, " ..
                       "off by %+.3f %%", what, cpu, name, by,
                       wanted / span * 100, had[name] / span * 100, off))
    expect(math.abs(off) <= 1, name .. " has what its rule says, within 1 %")
  end
end

local lines = {}
for i, name in ipairs(names) do
  lines[2 * i - 1] = string.format("move %s cpu %d", name, i <= 4 and last or 0)
  lines[2 * i] = string.format("schedule %s quantum %d", name, param("quantum", 50))
end
transaction(lines)
measure("weights", {guest1 = 400, guest2 = 300, guest3 = 200, guest4 = 100,
                    guest5 = 100, guest6 = 300})

-- Windows for guest1, a cap for guest2, other weights for those beside them.
transaction{
  string.format("frame %d guest1 500 shared 900 guest1 100 shared 500", last),
  "schedule guest2 weight 1000 cap 100",
  "schedule guest3 weight 100",
  "schedule guest4 weight 300",
}
local frame <const> = us(2000)
local begins <const> = {us(0), us(1400)}
local ends <const> = {us(500), us(1500)}

-- The instant at which a frame began, as its first switch shows it.
local start
repeat
  start = wait_event("switch", {to = "guest1"}, {within = frame}).time
  local over = wait_event("switch", {from = "guest1"}, {within = frame}).time
until over - start > us(300)

-- When each switch came, beside the frame's instants, and at what time of the frame's.
local late <const>, at_time <const> = {}, {}
local function edge(e)
  local is = name_of[e.to] == "guest1" and begins or
             name_of[e.from] == "guest1" and ends
  if not is then return end
  local at, nearest = (e.time - start) % frame, frame
  for _, instant in ipairs(is) do
    for _, off in ipairs{at - instant, at - instant - frame} do
      if math.abs(off) < math.abs(nearest) then nearest = off end
    end
  end
  late[#late + 1], at_time[#late + 1] = nearest, e.time - start
end
measure("frame", {guest1 = {slots = 300}, guest2 = {cap = 100}, guest3 = 100,
                  guest4 = 300, guest5 = 100, guest6 = 300}, edge)

-- The monitor's nanoseconds are those that it measured at boot, some millionths off.
local tenth <const> = #late // 10
local function earliest(first)
  local n = first
  for i = first, first + tenth - 1 do if late[i] < late[n] then n = i end end
  return n
end
local a <const>, b <const> = earliest(1), earliest(#late - tenth + 1)
local rate <const> = (late[b] - late[a]) / (at_time[b] - at_time[a])
for i = 1, #late do late[i] = late[i] - rate * at_time[i] end
table.sort(late)
local function after_the_first(part) -- ns, of so many of them
  return (late[math.ceil(#late * part)] - late[1]) // 1000
end
note(string.format("frame   CPU %d %d begins and ends of windows, after the earliest: " ..
                   "half of them within %.0f ns, 95 %% %.0f ns, all %.0f ns; its " ..
                   "clock %+.1f ppm", last, #late, after_the_first(0.5),
                   after_the_first(0.95), after_the_first(1), rate * 1e6))
-- The monitor's call that is under way is ended first.
expect(after_the_first(1) <= 20000, "each window begins and ends when the frame says")
expect(math.abs(rate) <= 50e-6, "no window makes the next ones late")
expect(math.abs(#late - span // frame * 4) <= 2, "two windows in each frame")

-- The other way round; nobody makes up for what it had more of, or less.
transaction{
  string.format("frame %d none", last),
  "schedule guest1 weight 100",
  "schedule guest2 weight 200 cap 1000",
  "schedule guest3 weight 300",
  "schedule guest4 weight 400",
}
measure("weights", {guest1 = 100, guest2 = 200, guest3 = 300, guest4 = 400,
                    guest5 = 100, guest6 = 300})
