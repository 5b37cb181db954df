-- SPDX-License-Identifier: GPL-2.0-or-later
-- A network card is given to an I/O partition that runs, marked for `parterre sweep`:
-- at whatever instant the ultravisor dies, the card is given once and as a whole, the
-- operator has one answer, and the card works; with an IOMMU, it reaches what its
-- owner has and nothing else.  io.b was begun anew without its card before; guest2,
-- whom it serves, sends guest1 what that checks, over the trunk, then over the wire.
--   --set iommu=true
--   --set whole=1   until the guests have ended
--   parterre sweep --fault 'crash ultravisor' --over request..given
--                  --while ultravisor tests/sweep/assign.lua
local iommu <const> = param("iommu", false)

machine{
  cpus = param("cpus", 1),
  nics = 2,
  iommu = iommu,
  policy = "../../scenarios/policy/network.policy",
  serial_hz = 184320000, -- no waiting for the console
}

local function type_in(line, pattern)
  send(line .. "\r")
  return wait_console("operations", pattern, {within = ms(100)})
end
local function pass(messages)
  for _ = 1, messages do
    wait_event("message", {partition = "guest2"}, {within = s(1)})
  end
end

-- What io.b's card has used of its queues since the last time: received, sent
-- (hv/io/virtio_net.c, virtqueue.h: a page for each queue).
local USED_INDEX <const> = 2432 + 2
local before = {0, 0}
local function used()
  local at, list = symbol("io.b", "ring"), {}
  for i = 1, 2 do
    local now = string.unpack("<I2", read("io.b", at + (i - 1) * 4096 + USED_INDEX, 2))
    list[i], before[i] = now - before[i] & 0xffff, now
  end
  return list[1], list[2]
end

-- ---- what the devices reach (VT-d: root, context, second-level tables) ----

local PAGE <const>, ADDRESS <const> = 4096, 0x000ffffffffff000
local HALF <const> = 64 -- pages; each program of the ultravisor's uses the other half
local tables
local function words(at)
  local page = ram(at & ADDRESS, PAGE)
  return function(i) return (string.unpack("<I8", page, i * 8 + 1)) end
end

-- f(address) for each page that can be reached; level 1 is the last.
local function walk(table, level, f)
  local word = words(table)
  for i = 0, 511 do
    local e = word(i)
    if e & 3 ~= 0 and level > 1 and e & 0x80 == 0 then
      walk(e, level - 1, f)
    elseif e & 3 ~= 0 then
      for o = 0, (1 << (12 + 9 * (level - 1))) - 1, PAGE do
        f((e & ADDRESS) + o)
      end
    end
  end
end

local function inside(address, list, what)
  for _, e in ipairs(list) do
    if e.what == what and address >= e.address and
       address < e.address + e.bytes then
      return true
    end
  end
end

-- Returns how many devices reach what each I/O partition has.
local function reach(half)
  local extent = {["io.a"] = extents("io.a"), ["io.b"] = extents("io.b")}
  local root, found = words((tables + half * HALF) * PAGE), {}
  for bus = 0, 255 do
    local context = root(2 * bus) & 1 ~= 0 and words(root(2 * bus))
    for device = 0, context and 255 or -1 do
      local low, high = context(2 * device), context(2 * device + 1)
      local own, others = {["io.a"] = 0, ["io.b"] = 0}, {}
      if low & 1 ~= 0 then
        walk(low, (high & 7) + 2, function(at)
          if inside(at, extent["io.a"], "memory") then
            own["io.a"] = own["io.a"] + 1
          elseif inside(at, extent["io.b"], "memory") then
            own["io.b"] = own["io.b"] + 1
          else
            others[#others + 1] = at
          end
        end)
        local who = own["io.a"] > 0 and "io.a" or "io.b"
        expect_eq(own[who], 512, "pages of " .. who)
        expect_eq(own["io.a"] + own["io.b"], 512, "pages of I/O partitions")
        for _, at in ipairs(others) do
          expect(inside(at, extent[who], "channel"),
                 string.format("%s's device reaches 0x%x", who, at))
        end
        found[who] = (found[who] or 0) + 1
      end
    end
  end
  return string.format("io.a %d, io.b %d", found["io.a"] or 0,
                       found["io.b"] or 0)
end

-- ---- the run ----

if iommu then
  local line = wait_console("ultravisor", "tables at %x+", {within = ms(50)})
  tables = tonumber(string.match(line, "tables at (%x+)"), 16)
end
wait_event("channel", {client = "guest2", server = "io.b"}, {within = ms(200)})
pass(100)

local line = type_in("devices", "class 020000, io.b's")
local card = string.match(line, "device (%S+), class")
type_in("stop io.b", "^stop io.b: done")
wait_console("ultravisor", "^io.b stopped", {within = ms(100)})
type_in("release device " .. card, "^release device: done")
-- The policy starts it too: whoever comes first, it is started once.
type_in("start io.b", "start io%.b: [di]") -- done, or: it is being worked on
wait_console("io.b", "^io: ready", {within = ms(200)})
wait_event("channel", {client = "guest2", server = "io.b"}, {within = ms(20)})
pass(100)
if iommu then
  expect_eq(reach(0), "io.a 2, io.b 1", "devices that reach something")
end

mark("request")
send("assign device " .. card .. " io.b\r")
wait_console("io.b", "^net: card .* link up", {within = ms(50)})
mark("given")
wait_console("operations", "^assign device: done", {within = ms(50)})

-- It sends and receives, nobody waits for a retransmission's time-out, and it is
-- io.b's: so it can't be taken away, nor given again.
used()
pass(50)
local received, sent = used()
expect(received > 10 and sent > 10,
       "over the wire " .. received .. " received, " .. sent .. " sent")
type_in("assign device " .. card .. " io.a", "assign device refused .*ESTATE")
type_in("release device " .. card, "release device refused .*ESTATE")
if iommu then
  expect_eq(reach((partition("ultravisor").incarnation - 1) % 2),
            "io.a 2, io.b 2", "devices that reach something")
end
expect_eq(partition("io.a").incarnation, 1, "io.a's incarnation")
expect_eq(partition("io.b").incarnation, 2, "io.b's incarnation")
if param("whole", 0) == 1 then
  wait_console("guest1", "1000000 bytes received, each as it should be",
               {within = s(5)})
  wait_console("guest2", "1000000 bytes sent, .*the other side has the same",
               {within = s(1)})
else
  pass(50)
  received, sent = used()
  expect(received > 10 and sent > 10,
         "then " .. received .. " received, " .. sent .. " sent")
end
outcome("given")
