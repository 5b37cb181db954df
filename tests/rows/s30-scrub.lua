-- SPDX-License-Identifier: GPL-2.0-or-later
-- S30: what a partition leaves in its frames is never seen by who has them next.
-- A probe looks for marks and leaves its own; frames go on by restart, by memory
-- released and by a restore over it, by channels and a partition destroyed, and by
-- a creation that fails.  At the instant at which the next owner runs for the first
-- time, all of RAM that is its own is looked through from outside.
--   --set cpus=4
-- or, of another host that stands: no frame of RAM that is anybody's has a mark but
-- those of `who`; `next` has frames again that lie where `before` says.
--   --set memory=/tmp/qemu/ram --set who=probe --set next=guest1
--   --set before="0x1000000+0x600000 "
local memory = param("memory", "")
local who, next_one, had = param("who", ""), param("next", ""), param("before", "")

local MODULES <const> = {"uv", "boot", "idle", "io", "command", "operations",
                         "diagnostics", "guest", "probe"}
if memory ~= "" then
  machine{ cpus = param("cpus", 1), ram = "128M", memory = memory,
           modules = MODULES }
else
  machine{
    cpus = param("cpus", 1),
    ram = "64M",
    serial_hz = 184320000,
    modules = MODULES,
    policy = "policy/s30.policy",
  }
end

local MARK <const> = string.rep(string.pack("<I8", 0x5330335330335330), 2)

local function operator(line, answer)
  send(line .. "\r")
  return wait_console("operations", answer, {within = ms(200)})
end

local PIECE <const> = 65536 -- what ram() reads at once

local function marked_at(e)
  for a = e.address, e.address + e.bytes - 1, PIECE do
    local n = math.min(PIECE, e.address + e.bytes - a)
    local at = string.find(ram(a, n), MARK, 1, true)
    if at then
      return a + at - 1
    end
  end
end

local function marks_in(name, but)
  local found = {}
  for _, e in ipairs(extents(name)) do
    local at = e.what ~= "device" and e.what ~= but and marked_at(e)
    if at then
      found[#found + 1] = string.format("%s at 0x%x", e.what, at)
    end
  end
  return found
end

-- Does any frame of one's lie where another had one?
local function meets(now_at, before)
  for _, a in ipairs(now_at) do
    for _, b in ipairs(before) do
      if a.address < b.address + b.bytes and b.address < a.address + a.bytes then
        return true
      end
    end
  end
  return false
end

-- Of another host's RAM.
local function at_a_stop()
  local marked, list = 0, {}
  if who ~= "" then
    for _, e in ipairs(extents(who)) do
      if e.what ~= "device" then list[#list + 1] = e end
    end
  end
  for base = 1 << 20, (128 << 20) - 1, PIECE do
    local text = ram(base, PIECE)
    local at = string.find(text, MARK, 1, true)
    while at do
      local a = base + at - 1
      local name = owner(a)
      local page = {{address = a & -4096, bytes = 4096}}
      if name ~= "available" then
        expect(name == who or meets(list, page),
               string.format("%s at 0x%x bears a mark", name, a))
        marked = marked + 1
      end
      -- One a page is enough.
      at = string.find(text, MARK, ((at - 1) | 4095) + 2, true)
    end
  end
  if who ~= "" then
    expect(marked >= 512, who .. " left marks: " .. marked)
    local text = {}
    for _, e in ipairs(list) do
      text[#text + 1] = string.format("0x%x+0x%x", e.address, e.bytes)
    end
    note("had " .. table.concat(text, " ") .. " .")
  end
  if next_one ~= "" then
    local before = {}
    for a, n in string.gmatch(had, "(0x%x+)%+(0x%x+)") do
      before[#before + 1] = {address = tonumber(a), bytes = tonumber(n)}
    end
    expect(meets(extents(next_one), before), next_one .. " has frames again")
  end
end
if memory ~= "" then
  at_a_stop()
  return
end

-- `but`: what it had all along.
local function clean(name, before, how, but)
  expect(meets(extents(name), before), how .. ": " .. name .. " has frames again")
  expect_eq(table.concat(marks_in(name, but), ", "), "", how .. ": marks in " .. name)
end

-- It has left its mark everywhere.
local function marked(name)
  wait_console(name, "^PASS row 30", {within = ms(500)})
  expect(#marks_in(name) >= 2, name .. " marked memory and channels")
  wait_console("ultravisor", "^" .. name .. " stopped", {within = ms(50)})
  return extents(name)
end

local before = marked("probe")

-- Restarted.
operator("restart probe", "^restart probe: ")
wait_event("switch", {to = "probe"}, {within = ms(200)})
clean("probe", before, "restart", "channel")
before = marked("probe")

-- Of its memory two blocks are released (the first may be split for single pages);
-- a guest is restored there.
operator("release memory 2 probe", "^release memory: done")
operator("pause guest1", "^pause guest1: done")
operator("save guest1", "^save guest1: done")
operator("restore guest1", "^restore guest1: done")
clean("guest1", before, "restore")
operator("resume guest1", "^resume guest1: done")
wait_event("committed", {stream = 1}, {within = ms(100)})
operator("start probe", "^start probe: done")
wait_event("switch", {to = "probe"}, {within = ms(200)})
clean("probe", before, "less memory", "channel")
before = marked("probe")

-- Another policy: it goes, with its channels; another one comes.
local function load(policy)
  send("policy load\r")
  wait_console("operations", "type the policy", {within = ms(200)})
  for line in string.gmatch(policy, "[^\n]+") do
    send(line .. "\r") -- one after the other: the UART holds 16 bytes
    wait_console("operations", "^> " .. string.match(line, "^%a+ %w+"),
                 {within = ms(200)})
  end
  send(".\r")
  wait_console("operations", "^policy load: done", {within = ms(200)})
end
local GUEST1 <const> = [[
guest guest1 image guest blocks 1
args guest1 stream=1 records=100000 slots=32 flush=8 seed=1 think=20000
disk guest1 prefer io.b extent 0 64
]]
load(GUEST1)
wait_console("command", "^command: probe removed", {within = ms(200)})
load(GUEST1 .. [[
guest heir image probe blocks 2
args heir row=30
disk heir prefer io.a extent 128 8
]])
wait_event("switch", {to = "heir"}, {within = ms(500)})
clean("heir", before, "destroyed")
before = marked("heir")

-- A creation that finds no memory leaves nothing, and nothing to be seen.
load(GUEST1)
wait_console("command", "^command: heir removed", {within = ms(200)})
load(GUEST1 .. [[
guest third image probe blocks 8
args third row=30
disk third prefer io.a extent 128 8
guest vast image probe blocks 24
args vast row=30
]])
wait_console("command", "^command: create vast refused: ENOMEM", {within = ms(500)})
wait_event("switch", {to = "third"}, {within = ms(500)})
clean("third", before, "after a creation that failed")
marked("third")
operator("scan", "^scan: every invariant holds")
