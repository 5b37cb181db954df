-- SPDX-License-Identifier: GPL-2.0-or-later
-- io.a fails in one of several ways while two guests work on it, and a policy (the
-- test's: policy/s72-outcomes.policy and a rule) says what becomes of it.
--   --set cause=crash  a report
--   --set cause=hang   it does not beat
--   --set cause=stuck  it beats, and its server takes no request any more
--   --set cause=lost   it beats, and answers get lost within it: nor can it let go
--                      of a channel
--   --set cause=forgotten  it beats, and knows of no channel any more: a page of its
--                      memory is 0
--   --set cause=dma    its controller writes where it must not
--   --set outcome=failover | restart | both | stop | aside
-- aside: failover and stop.  `anew`: moved from, and started anew though the rule
-- does not say so.
local cause = param("cause", "stuck")
local outcome = param("outcome", "failover")
local dead = {stuck = "it does not serve", lost = "it does not serve",
              forgotten = "it does not serve",
              dma = "a device of its strays", hang = "no heartbeat"}
local by_itself = cause == "crash" or cause == "hang"

machine{
  cpus = param("cpus", 1),
  serial_hz = 184320000,
  iommu = cause == "dma",
  policy = param("policy", "policy/s72-outcomes.policy"),
}

local function begin()
  -- At an answer io.a is nowhere near the beginning of these functions.
  if cause == "stuck" then -- it returns false
    inject.plan("word io.a block_run 0xc3c031 @ event block_response")
  elseif cause == "lost" then -- it returns
    inject.plan("word io.a block_done 0xc3 @ event block_response")
  elseif cause == "forgotten" then
    inject.fault("page io.a servers 0")
  elseif cause == "dma" then
    inject.device("nvme0", "stray", physical("ultravisor", 0x400000))
  else
    inject.fault(cause .. " io.a")
  end
end

local function servers()
  local at = {}
  for _, c in ipairs(channels()) do
    if c.type == "block" then at[c.client] = c.server end
  end
  return at
end

local function passed()
  local n = 0
  for _, c in ipairs(channels()) do
    if c.type == "block" then n = n + c.passed end
  end
  return n
end

wait_event("committed", {stream = 1, record = 10}, {within = ms(200)})
wait_event("committed", {stream = 2, record = 10}, {within = ms(200)})
begin()
local moves = outcome ~= "restart" and outcome ~= "stop"
local anew = outcome == "restart" or outcome == "both" or outcome == "anew"
if moves then
  wait_event("channel", {client = "guest1", server = "io.b"}, {within = ms(20)})
end
run_for(ms(12))

expect_eq(partition("io.a").incarnation, anew and 2 or 1, "io.a's incarnation")
local state = "running"
if outcome == "stop" or outcome == "aside" or (by_itself and not anew) then
  state = cause == "crash" and "crashed" or "dead"
end
expect_eq(partition("io.a").state, state, "io.a's state")
if dead[cause] and (state == "dead" or anew) then
  wait_console("command", "io.a failed: " .. dead[cause], {within = ms(1)})
end
if outcome ~= "anew" then
  for client, server in pairs(servers()) do
    expect_eq(server, moves and "io.b" or "io.a", client .. "'s server")
  end
end
if outcome == "stop" then
  local before = passed()
  run_for(ms(12))
  expect_eq(passed(), before, "messages of block channels: nobody serves them")
  -- Whoever decides next knows what it was stopped for.
  inject.crash("command")
  wait_console("command", "command: policy of %d+ bytes", {within = ms(20)})
  run_for(ms(5))
  expect_eq(partition("command").incarnation, 2, "command's incarnation")
  expect_eq(partition("io.a").state, state, "io.a's state, as it was")
else
  for _, name in ipairs{"guest1", "guest2"} do
    wait_console(name, "60 verified, %d+ replayed, 0 errors", {within = ms(500)})
  end
end
expect_eq(partition("io.b").incarnation, 1, "io.b's incarnation")
