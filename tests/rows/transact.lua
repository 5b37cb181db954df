-- SPDX-License-Identifier: GPL-2.0-or-later
-- Probes in the places of command and operations, who ask for transactions
-- (tests/rows/image/transact.h); what comes of it is read from RAM too.
--   --set row=23 --set cpus=4
local row = param("row", 21)

machine{
  cpus = param("cpus", 1),
  serial_hz = 184320000,
  ram = param("ram", "128M"),
  controllers = 3, -- one is free
  modules = {"uv", "boot", "idle", "io", "rows/command", "rows/operations",
             "probe"},
  policy = "policy/s44.policy", -- read by nobody
  cmdline = "row=" .. row,
}

local WORD <const> = 8
local function word(page, i)
  return (string.unpack("<I8", page, i * WORD + 1))
end
local function page(frame)
  return ram(frame << 12, 4096)
end

-- The frame of the version in force, its page, and the words of hv/abi/database.h.
local root
local function version()
  if not root then
    for _, e in ipairs(extents("monitor")) do
      for a = e.address, e.address + e.bytes - 1, 4096 do
        if ram(a, 8) == string.pack("<I8", 0x31444145544c5548) then
          root = string.unpack("<I8", ram(a + 8, 8))
        end
      end
    end
  end
  local v = page(word(page(root), 1))
  return {generation = word(v, 1), map = word(v, 2), parts = word(v, 3),
          chans = word(v, 4), devs = word(v, 5), free = word(v, 7)}
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

local check = {}

-- Whichever of sixteen operations fails, none has happened; then all.
check[21] = function()
  wait_console("operations", "^PASS", {within = s(2)})
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
check[25] = function()
  local line = wait_console("operations", "^number", {within = ms(500)})
  local number, id = string.match(line, "number (%x+) device (%d+)")
  number, id = tonumber(number, 16), tonumber(id)
  local d = page(number)
  expect_eq(word(d, 0), 0x4353454454524150, "a descriptor's magic")
  expect_eq(word(d, 1), number, "its number")
  expect_eq(string.sub(d, 17, 22), "thing\0", "its name")
  local dev = string.sub(page(version().devs), (id - 1) * 64 + 1, id * 64)
  expect_eq(string.unpack("<I4", dev), id, "the device's id")
  expect_eq(word(dev, 1), number, "its owner")
  wait_console("operations", "^PASS", {within = ms(50)})
end

-- Five blocks of 2 MiB are five words; with what else a partition needs (less
-- than a block) they take as many index pages as blocks are split; and it merges
-- back to what it was.
check[28] = function()
  local map = {}
  local function take(n)
    local words = {}
    local pages = walk(version().map, function(tier, at, w)
      words[#words + 1] = string.format("tier %d frame %x: %x", tier, at, w)
    end)
    map[n] = {pages = pages, words = words}
  end
  wait_console("operations", "^without", {within = ms(500)})
  take(1)
  local line = wait_console("operations", "^with ", {within = ms(50)})
  local number = tonumber(string.match(line, "with (%x+)"), 16)
  local blocks = 0
  take(2)
  walk(version().map, function(tier, at, w)
    if w == number << 12 | 1 then
      blocks = blocks + (tier == 1 and 1 or 0)
      expect(tier == 1 or tier == 0, "its words")
    end
  end)
  expect_eq(blocks, 5, "words of five blocks")
  expect(map[2].pages - map[1].pages <= 1, "at most one block more is split")
  expect(map[2].pages > 1, "there are index pages")
  wait_console("operations", "^without again", {within = ms(50)})
  take(3)
  expect_eq(map[3].pages, map[1].pages, "index pages afterwards")
  expect_eq(#map[3].words, #map[1].words, "words afterwards")
  for i, w in ipairs(map[1].words) do
    expect_eq(map[3].words[i], w, "word " .. i .. " afterwards")
  end
  wait_console("operations", "^PASS", {within = ms(50)})
end

-- The probes say it all.
local function passes()
  wait_console("operations", "^PASS", {within = ms(600)})
end
check[42], check[62], check[63], check[66] = passes, passes, passes, passes

check[row]()
