-- SPDX-License-Identifier: GPL-2.0-or-later
-- S56 at any instant: a guest that writes records and copies blocks is paused, or
-- saved and restored on some CPU, over and over, at instants drawn from the seed; now
-- and then an I/O partition, or the ultravisor, dies meanwhile, before, between or
-- within.  The disk oracle, the lenses and the scan have the last word.
--   --set turns=200 --set cpus=2 --set kill=ultravisor --seed 7
local cpus <const> = param("cpus", 1)
local turns <const> = param("turns", 12)
local kill <const> = param("kill", "io") -- or "ultravisor"

machine{
  policy = "policy/s56.policy",
  cpus = cpus,
  serial_hz = 184320000,
}

local function operator(line, answer)
  send(line .. "\r")
  return wait_console("operations", answer, {within = ms(400)})
end
local function drawn(low, high)
  return us(math.random(low, high))
end

-- One of them, if both have been well for a time; command starts it anew.
local since = {}
local function maybe_crash()
  for _, name in ipairs{"io.a", "io.b"} do
    local p, seen = partition(name), since[name]
    if not seen or seen.incarnation ~= p.incarnation or p.state ~= "running" then
      since[name] = {incarnation = p.incarnation, at = now()}
    end
  end
  if math.random(4) ~= 1 or now() - since["io.a"].at < ms(8) or
     now() - since["io.b"].at < ms(8) then
    return
  end
  inject.crash(kill == "io" and (math.random(2) == 1 and "io.a" or "io.b") or kill)
  since["io.a"].at = now()
  run_for(drawn(0, 900))
end

wait_console("command", "guest2 started", {within = ms(200)})
wait_event("committed", {stream = 1}, {within = ms(200)})
for turn = 1, turns do
  run_for(drawn(100, 6000))
  maybe_crash()
  operator("pause guest1", "^pause guest1: done")
  maybe_crash()
  if math.random(3) > 1 then
    operator("save guest1", "^save guest1: done")
    maybe_crash()
    run_for(drawn(0, 2000))
    send(string.format("restore guest1 cpu %d\r", math.random(0, cpus - 1)))
    run_for(drawn(0, 1500))
    maybe_crash()
    wait_console("operations", "^restore guest1: done", {within = ms(400)})
  end
  operator("resume guest1", "^resume guest1: done")
  operator("scan", "^scan: every invariant holds")
end
note(string.format("%d turns", turns))
wait_event("committed", {stream = 1}, {within = ms(300)})
wait_event("committed", {stream = 2}, {within = ms(300)})
