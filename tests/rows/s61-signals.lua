-- SPDX-License-Identifier: GPL-2.0-or-later
-- Messages pass without their monitors' help: a partition calls SYS_SIGNAL only when
-- the queue held nothing before and its consumer has asked for it, and of most
-- messages nobody is told.
-- or, of another host that stands at a call of SYS_SIGNAL: whose, with what handle
--   --set memory=/tmp/qemu/ram --set who=io.a --set handle=3
local memory = param("memory", "")
if memory ~= "" then
  machine{ cpus = param("cpus", 1), ram = "128M", memory = memory }
else
  machine{
    cpus = param("cpus", 1),
    serial_hz = 184320000,
    policy = "../../scenarios/policy/failover.policy",
  }
end
local WINDOW <const>, SLOT <const> = 0x20000000, 0x100000

-- The channel's queues that the partition fills: from the client 0 and, on a control
-- channel, 3; from the server 1 and 2.
local function queues(name, handle)
  local at = WINDOW + handle * SLOT
  local h = read(name, at, 128 + 4 * 128)
  local client = string.unpack("<I8", h, 41) == partition(name).number
  local list = {}
  for n = 0, string.unpack("<I4", h, 77) - 1 do
    local q = 128 + n * 128
    list[n] = {mine = client == (n == 0 or n == 3),
               slots = string.unpack("<I4", h, q + 9),
               head = string.unpack("<I4", h, q + 33),
               tail = string.unpack("<I4", h, q + 73),
               received = string.unpack("<I8", h, q + 65),
               want = string.unpack("<I4", h, q + 77)}
  end
  return list
end

local function passed()
  local n = 0
  for _, c in ipairs(channels()) do
    if c.type == "block" or c.type == "diagnostics" then n = n + c.passed end
  end
  return n
end

-- A queue went from empty to non-empty, by one message or several put together, and
-- its consumer asked: of what it was told before it has taken some since.
local last = {}
local function told(who, handle)
  for n, q in pairs(queues(who, handle)) do
    local name = who .. " " .. handle .. " " .. n
    -- On other CPUs the consumer may have looked since.
    if q.mine and (q.want == 1 and q.tail ~= q.head and
                   q.received ~= last[name] or param("cpus", 1) > 1) then
      last[name] = q.received
      return true
    end
  end
end

if memory ~= "" then
  if param("who", "") ~= "" then
    expect(told(param("who", ""), param("handle", 0)), "who is told has asked")
  end
  -- As their producers count them.
  local sent = 0
  for _, guest in ipairs{"guest1", "guest2"} do
    for _, e in ipairs(extents(guest)) do
      local h = e.what == "channel" and ram(e.address, 128 + 4 * 128)
      local type = h and string.unpack("<I4", h, 65)
      if type == 2 or type == 4 then -- block, diagnostics
        for n = 0, string.unpack("<I4", h, 77) - 1 do
          sent = sent + string.unpack("<I8", h, 128 + n * 128 + 17)
        end
      end
    end
  end
  note("messages " .. sent)
  return
end

wait_event("committed", {stream = 1, record = 10}, {within = ms(200)})
local before, signals = passed(), 0
for i = 1, 80 do
  local who = i % 2 == 0 and "guest1" or "io.a"
  local e = wait_event("syscall", {number = 5, partition = who}, {within = ms(20)})
  signals = signals + 1
  expect(told(who, e.rdi), "a queue went from empty to non-empty, and its consumer asked")
end
run_for(ms(20))
note(signals, "signals of guest1 and io.a,", passed() - before, "messages of both guests")
expect(passed() - before > 3 * signals, "most messages need no signal")
