-- SPDX-License-Identifier: GPL-2.0-or-later
-- Probes in the places of command and operations, who ask for transactions
-- (tests/rows/image/transact.h); what comes of it is read from RAM too.
--   --set row=23 --set cpus=4
-- or what there is in the RAM of another host that stands, at one instant of the
-- row's work:
--   --set row=22 --set memory=/tmp/qemu/ram
local row = param("row", 21)
local memory = param("memory", "")
local MODULES <const> = {"uv", "boot", "idle", "io", "rows/command",
                         "rows/operations", "probe"}

if memory ~= "" then
  machine{ cpus = param("cpus", 1), ram = "128M", memory = memory,
           modules = MODULES }
else
  machine{
    cpus = param("cpus", 1),
    serial_hz = 184320000,
    ram = param("ram", "128M"),
    controllers = 3, -- one is free
    modules = MODULES,
    policy = "policy/s44.policy", -- read by nobody
    cmdline = "row=" .. row,
  }
end

local WORD <const> = 8
local function word(page, i)
  return (string.unpack("<I8", page, i * WORD + 1))
end
local function page(frame)
  return ram(frame << 12, 4096)
end

-- Where the lead monitor's area is (hv/abi/lead.h).
local lead
local function lead_area()
  for _, e in ipairs(lead and {} or extents("monitor")) do
    for a = e.address, e.address + e.bytes - 1, 4096 do
      if ram(a, 8) == string.pack("<I8", 0x31444145544c5548) then lead = a end
    end
  end
  return lead
end

-- The ultravisor sleeps until somebody wants something of it: it is amid nothing,
-- and has put nothing off.
local SLOTS <const>, SLOT_WAITING <const> = 128 + 8 * 64, 4
local function quiet()
  local _, state, _, _, pending, _, deadline =
    string.unpack("<I8I4I4I8I8I8I8", ram(lead_area() + SLOTS, 48))
  return state == SLOT_WAITING and pending == 0 and deadline == -1
end

-- The frame of the version in force, its page, and the words of hv/abi/database.h.
local function version()
  local root = string.unpack("<I8", ram(lead_area() + 8, 8))
  local v = page(word(page(root), 1))
  return {root = page(root), page = v, map = word(v, 2), parts = word(v, 3),
          devs = word(v, 5)}
end

-- f(tier, first frame, word) for each word of the map; returns index pages.
local function walk(frame, f, tier, first)
  tier, first = tier or 2, first or 0
  local words, pages = page(frame), 1
  for i = 0, 511 do
    local w = word(words, i)
    local at = first + (i << (9 * tier))
    if w & 3 == 2 then
      pages = pages + walk(w >> 12, f, tier - 1, at)
    else
      f(tier, at, w)
    end
  end
  return pages
end

-- All of the database's pages, in an order of their own.
local function everything()
  local d = version()
  local all = {d.root, d.page}
  local function index(frame, tier)
    local words = page(frame)
    all[#all + 1] = words
    for i = 0, 511 do
      local w = word(words, i)
      if w & 3 == 2 and tier > 0 then index(w >> 12, tier - 1) end
    end
  end
  index(d.map, 2)
  -- Partitions, channels, devices; CPUs, interrupts, buses, moves, schedule.
  for _, i in ipairs{3, 4, 5, 11, 12, 13, 14, 15} do
    all[#all + 1] = page(word(d.page, i))
  end
  local parts = page(d.parts)
  for i = 0, 31 do
    local number, conf = word(parts, i * 16), word(parts, i * 16 + 8)
    if number ~= 0 then all[#all + 1] = page(number) end
    if conf ~= 0 then all[#all + 1] = page(conf) end
  end
  return table.concat(all)
end

local function digest(text)
  local h = 0
  for i = 1, #text, 8 do
    h = (h ~ string.unpack("<I8", text, i)) * 0x100000001b3
    h = h ~ h >> 29
  end
  return string.format("%016x", h)
end

local check = {}

-- Whichever of sixteen operations fails, none has happened; then all.
check[21] = function()
  wait_console("operations", "^PASS", {within = s(2)})
end

-- Sixteen requests, each failing at another operation, leave the database as it is,
-- to the byte; one that holds does not.
check[22] = function()
  local function look_at(what)
    wait_console("operations", "^" .. what, {within = ms(500)})
    local pages = everything()
    inject.memory("operations", symbol("operations", "held"), string.rep("\0", 8))
    return pages
  end
  local before = look_at("before")
  expect(look_at("after") == before, "nothing has changed")
  expect(look_at("changed") ~= before, "what has changed is seen")
  wait_console("operations", "^PASS", {within = ms(50)})
end

-- Of two in conflict one wins.
local LOSES <const> = {{503}, {504}, {503}, {2, 502}, {504}, {502}, {202}, {201}}
local WISH <const> = {"name", "device", "channel", "end of a channel", "start",
                      "end of a partition", "slot", "memory"}
check[23] = function()
  local got = {}
  local line = wait_console("*", "statuses", {within = s(3)})
  for i = 1, 2 do
    local list = {}
    for n in string.gmatch(string.match(line, "statuses([ %d]+)"), "%d+") do
      list[#list + 1] = tonumber(n)
    end
    got[i] = list
    if i == 1 then
      line = wait_console("*", "statuses", {within = ms(50)})
    end
  end
  for r, wish in ipairs(WISH) do
    local a, b = got[1][r], got[2][r]
    note(wish, a, b)
    expect(a == 0 or b == 0, wish .. ": one wins")
    local loser, defined = a == 0 and b or a, false
    for _, status in ipairs(LOSES[r]) do
      defined = defined or status == loser
    end
    expect(defined, wish .. ": the other gets " .. loser)
  end
  wait_console("*", "^PASS", {within = ms(50)})
end

-- The number is the frame of the descriptor; the device's row bears its id.
local function resolve(number, id)
  local d = page(number)
  expect_eq(word(d, 0), 0x4353454454524150, "a descriptor's magic")
  expect_eq(word(d, 1), number, "its number")
  expect_eq(string.sub(d, 17, 22), "thing\0", "its name")
  local dev = string.sub(page(version().devs), (id - 1) * 64 + 1, id * 64)
  expect_eq(string.unpack("<I4", dev), id, "the device's id")
  expect_eq(word(dev, 1), number, "its owner")
end
check[25] = function()
  local line = wait_console("operations", "^number", {within = ms(500)})
  local number, id = string.match(line, "number (%x+) device (%d+)")
  resolve(tonumber(number, 16), tonumber(id))
  wait_console("operations", "^PASS", {within = ms(50)})
end

-- The map's words, how many index pages it has, and how many blocks are that
-- partition's, each of them one word.
local function map_now(number)
  local words, blocks = {}, 0
  local pages = walk(version().map, function(tier, at, w)
    words[#words + 1] = string.format("tier %d frame %x: %x", tier, at, w)
    if number and w == number << 12 | 1 then
      blocks = blocks + (tier == 1 and 1 or 0)
      expect(tier == 1 or tier == 0, "its words")
    end
  end)
  return {pages = pages, words = table.concat(words, "\n"), blocks = blocks}
end

-- Five blocks of 2 MiB are five words; with what else a partition needs (less
-- than a block) they take as many index pages as blocks are split; and it merges
-- back to what it was.
local function blocks_are_words(without, with, again)
  expect_eq(with.blocks, 5, "words of five blocks")
  expect(with.pages - without.pages <= 1, "at most one block more is split")
  expect(with.pages > 1, "there are index pages")
  expect_eq(again.pages, without.pages, "index pages afterwards")
  expect(again.words == without.words, "the words afterwards")
end
check[28] = function()
  wait_console("operations", "^without", {within = ms(500)})
  local without = map_now()
  local line = wait_console("operations", "^with ", {within = ms(50)})
  local with = map_now(tonumber(string.match(line, "with (%x+)"), 16))
  wait_console("operations", "^again without", {within = ms(50)})
  blocks_are_words(without, with, map_now())
  wait_console("operations", "^PASS", {within = ms(50)})
end

-- The probes say it all.
local function passes()
  wait_console("operations", "^PASS", {within = ms(600)})
end
check[42], check[62], check[63], check[66] = passes, passes, passes, passes
check[70] = passes

-- Of another host's: an instant.  What several of them tell, who looks compares; of
-- one at which the ultravisor is at work, nothing is told.
local at_a_stop = {}
at_a_stop[22] = function()
  note(quiet() and "database " .. digest(everything()) or "at work")
end
at_a_stop[25] = function()
  resolve(param("number", 0), param("device", 0))
end
at_a_stop[28] = function()
  local blocks
  for _, p in ipairs(partitions()) do
    if p.name == "blocks" then blocks = p.number end
  end
  local map = map_now(blocks)
  map.words = map.words .. string.rep("\n", -#map.words & 7)
  note(not quiet() and "at work" or string.format("map %s index pages %d blocks %d", digest(map.words),
                     map.pages, map.blocks))
end

if memory ~= "" then
  at_a_stop[row]()
  note(string.format("held at 0x%x",
                     physical("operations", (symbol("operations", "held")))))
else
  check[row]()
end
