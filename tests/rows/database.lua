-- SPDX-License-Identifier: GPL-2.0-or-later
-- The resource database, read from RAM alone by the layout of hv/abi/database.h
-- and held against what the machine is and what the monitors say.
--   --set row=20 --set cpus=4 --set ram=4G
-- or, of another host that stands, all rows in its RAM; `functions` is what that has
-- on its bus (device << 3 | function, in order):
--   --set memory=/tmp/qemu/ram --set ram=128M --set functions="0 8 16 24"
local row = param("row", 20)
local cpus = param("cpus", 1)
local memory = param("memory", "")
local ram_size = param("ram", "256M")

if memory ~= "" then
  machine{ cpus = cpus, ram = ram_size, memory = memory }
else
  machine{
    cpus = cpus,
    serial_hz = 184320000,
    ram = ram_size,
    policy = "../../scenarios/policy/failover.policy",
  }
end

local RAM <const> = (function()
  local n, unit = string.match(ram_size, "(%d+)([MG])")
  return tonumber(n) << (unit == "G" and 30 or 20)
end)()
-- What is on our bus (docs/devices.md): host bridge, video, two NVMe controllers.
local FUNCTIONS <const> = {}
for n in string.gmatch(param("functions", "0 8 16 24"), "%d+") do
  FUNCTIONS[#FUNCTIONS + 1] = tonumber(n)
end

local function word(page, i)
  return (string.unpack("<I8", page, i * 8 + 1))
end
local function half(page, i)
  return (string.unpack("<I4", page, i * 4 + 1))
end
local function page(frame)
  return ram(frame << 12, 4096)
end
local function row_of(table, bytes, i)
  return string.sub(table, i * bytes + 1, (i + 1) * bytes)
end

-- struct lead_area: magic, frame of the root; its slots.
local lead
local function find_lead()
  for _, e in ipairs(extents("monitor")) do
    for a = e.address, e.address + e.bytes - 1, 4096 do
      if ram(a, 8) == string.pack("<I8", 0x31444145544c5548) then
        lead = a
      end
    end
  end
end

local function database()
  if not lead then find_lead() end
  local root = page(string.unpack("<I8", ram(lead + 8, 8)))
  expect_eq(word(root, 0), 0x31424456415254, "the root's magic")
  local v = page(word(root, 1))
  expect_eq(word(v, 0), 0x31424456415254, "the version's magic")
  return {map = word(v, 2), parts = page(word(v, 3)), chans = page(word(v, 4)),
          devs = page(word(v, 5)), total = word(v, 6), free = word(v, 7),
          available = word(v, 10), cpus = page(word(v, 11)),
          irqs = page(word(v, 12))}
end

-- f(tier, first frame, frames, word, reads) for each word that is no index; i(tier)
-- for each index page.
local function walk(frame, f, i, tier, first, reads)
  tier, first, reads = tier or 2, first or 0, reads or 1
  local words = page(frame)
  if i then i(tier, words) end
  for n = 0, 511 do
    local w = word(words, n)
    local at = first + (n << (9 * tier))
    if w & 3 == 2 then
      expect(tier > 0, "the lowest tier leads no further")
      walk(w >> 12, f, i, tier - 1, at, reads + 1)
    else
      f(tier, at, 1 << (9 * tier), w, reads)
    end
  end
end

-- By number: the row and the descriptor.
local function partitions_of(d)
  local list = {}
  for i = 0, 31 do
    local r = row_of(d.parts, 128, i)
    if word(r, 0) ~= 0 then
      list[word(r, 0)] = {row = r, desc = page(word(r, 0)),
                          slot = half(r, 4), state = half(r, 3)}
    end
  end
  return list
end

local function name_of(list, number)
  local p = list[number]
  return p and string.match(string.sub(p.desc, 17, 32), "^[^\0]*")
end

local check = {}

-- Tracking, deciding and policy are three partitions: the database's pages are
-- the ultravisor's; who asked for what is in force was boot, command or the
-- ultravisor for itself; only operations has the policy's module in its memory,
-- and the three are different and not privileged.
check[8] = function()
  local uv, command, operations =
    partition("ultravisor"), partition("command"), partition("operations")
  expect(uv.number ~= command.number and uv.number ~= operations.number and
         command.number ~= operations.number, "three partitions")
  expect(uv.cr3 ~= command.cr3 and uv.cr3 ~= operations.cr3 and
         command.cr3 ~= operations.cr3, "three address spaces")
  local d = database()
  expect_eq(owner(d.map << 12), "ultravisor", "whose the map is")
  expect_eq(owner(d.available << 12), "ultravisor", "whose the descriptors are")
  -- The policy's text as it was loaded, in whose memory?
  local who = {}
  for _, p in ipairs(partitions()) do
    for _, e in ipairs(extents(p.name)) do
      if e.what == "memory" then
        for a = e.address, e.address + e.bytes - 1, 65536 do
          if string.find(ram(a, 65536), "disk guest1 prefer", 1, true) then
            who[p.name] = true
          end
        end
      end
    end
  end
  expect(who.operations, "operations has the policy's text")
  expect(not who.ultravisor and not who.guest1, "who tracks has no policy")
  if memory ~= "" then return end
  -- A failover is a transaction that command asks for; the ultravisor carries it
  -- out, and operations has no part in it.
  inject.crash("io.a")
  wait_event("transaction", {requester = command.number}, {within = ms(2)})
  wait_event("channel", {client = "guest1", server = "io.b"}, {within = ms(2)})
end

-- All frames, CPUs, interrupts, devices, channels and partitions.
check[20] = function()
  local d = database()
  local list = partitions_of(d)
  -- Frames: of RAM from 1 MiB on, each has an owner that is there.
  local total, free = 0, 0
  local holes = 0
  walk(d.map, function(tier, at, frames, w)
    if w & 3 == 1 then
      expect(list[w >> 12], string.format("owner of frame 0x%x", at))
      total = total + frames
      if w >> 12 == d.available then free = free + frames end
    else
      expect_eq(w, 0, "a word of no kind")
    end
  end)
  expect(total <= RAM >> 12 and total >= (RAM >> 12) - 1024,
         "nearly all of RAM is in the map: " .. total)
  expect_eq(d.total, total, "the count of frames")
  expect_eq(d.free, free, "the count of free frames")
  for a = 2 << 20, (64 << 20) - 1, 4096 do
    local w = owner(a)
    expect(w, string.format("RAM at 0x%x is owned", a))
  end
  -- Partitions: each live slot of the monitors, with number, kind and name.
  local slots = 0
  for i = 0, 31 do
    local s = ram(lead + 128 + 8 * 64 + i * 192, 192)
    if word(s, 0) ~= 0 and half(s, 2) ~= 0 then
      local p = list[word(s, 0)]
      expect(p, "the partition in slot " .. i)
      expect_eq(word(p.desc, 1), word(s, 0), "its number")
      expect_eq(word(p.desc, 4), half(s, 3), "its kind")
      expect_eq(string.sub(p.desc, 17, 32), string.sub(s, 105, 120), "its name")
      slots = slots + 1
    end
  end
  expect(slots >= 8, "slots in use")
  expect_eq(name_of(list, d.available), "available", "who has what is free")
  -- CPUs: as many as the machine has, idle's.
  for i = 0, 7 do
    local c = row_of(d.cpus, 512, i)
    if i < cpus then
      expect_eq(name_of(list, word(c, 0)), "idle", "owner of CPU " .. i)
      expect_eq(half(c, 2), i, "its APIC id")
    else
      expect_eq(word(c, 0), 0, "no CPU " .. i)
    end
  end
  -- Interrupts: all vectors are somebody's; what is delivered is in it, and a
  -- device's goes to its owner.
  for v = 0, 255 do
    local irq = row_of(d.irqs, 16, v)
    expect(list[word(irq, 0)], "owner of vector " .. v)
  end
  local devices = {}
  for i = 0, 63 do
    local r = row_of(d.devs, 64, i)
    if half(r, 0) ~= 0 then
      devices[#devices + 1] = {id = half(r, 0), bdf = half(r, 1),
                               owner = word(r, 1), class = half(r, 9),
                               vector = half(r, 12), vectors = half(r, 14)}
    end
  end
  local nvme = {}
  for _, dev in ipairs(devices) do
    expect(list[dev.owner], "owner of device " .. dev.id)
    if dev.class == 0x010802 then nvme[name_of(list, dev.owner)] = dev end
    for n = 0, dev.vectors - 1 do
      local irq = row_of(d.irqs, 16, dev.vector + n)
      expect_eq(word(irq, 0), dev.owner, "owner of the device's interrupt")
      expect_eq(half(irq, 2), dev.id, "its device")
    end
  end
  expect(nvme["io.a"] and nvme["io.b"], "two controllers, of two partitions")
  table.sort(devices, function(a, b) return a.bdf < b.bdf end)
  expect_eq(#devices, #FUNCTIONS, "PCI functions")
  for i, dev in ipairs(devices) do
    expect_eq(dev.bdf, FUNCTIONS[i], "where it is")
    expect(dev.class == 0x010802 or name_of(list, dev.owner) == "ultravisor",
           "what nobody can be given is the ultravisor's")
  end
  local seen = {}
  for _ = 1, memory ~= "" and 0 or 300 do
    local e = wait_event("interrupt", {}, {within = ms(5)})
    local irq = row_of(d.irqs, 16, e.vector)
    seen[name_of(list, word(irq, 0))] = true
    expect(name_of(list, word(irq, 0)) ~= "available",
           "vector " .. e.vector .. " has an owner")
  end
  expect(memory ~= "" or seen["ultravisor"] and (seen["io.a"] or seen["io.b"]),
         "whose they were")
  -- Channels: ends that are there, frames that are the ultravisor's and of no
  -- other channel; all that the partitions tell each other go by one of them.
  local taken, ids = {}, {}
  for i = 0, 63 do
    local c = row_of(d.chans, 64, i)
    if half(c, 0) ~= 0 then
      ids[half(c, 0)] = true
      expect(list[word(c, 1)] and list[word(c, 2)], "ends of a channel")
      for n = word(c, 3), word(c, 3) + half(c, 8) - 1 do
        expect_eq(owner(n << 12), "ultravisor", "a channel's frame")
        expect(not taken[n], "it is no other's")
        taken[n] = true
      end
    end
  end
  for _, what in ipairs{"block_request", "block_response", "heartbeat"} do
    for _ = 1, memory ~= "" and 0 or 20 do
      expect(ids[wait_event(what, {}, {within = ms(5)}).channel],
             "a message's channel")
    end
  end
end

-- Tiers of 4 KiB, 2 MiB and 1 GiB, each index page for 512 blocks of the next.
check[26] = function()
  local words, pages = {[0] = 0, 0, 0}, {[0] = 0, 0, 0}
  local reached = 0
  walk(database().map, function(tier, at, frames, w)
    expect_eq(at % frames, 0, "a block is aligned")
    expect_eq(at, reached, "blocks follow each other")
    reached = at + frames
    if w ~= 0 then words[tier] = words[tier] + 1 end
  end, function(tier, text)
    pages[tier] = pages[tier] + 1
    expect_eq(#text // 8, 512, "words of an index page")
    if tier < 2 then -- an index page of one owner alone would be one word
      expect(text ~= string.rep(string.sub(text, 1, 8), 512) or
             word(text, 0) & 3 == 2, "split for a reason")
    end
  end)
  expect_eq(reached, 1 << 27, "the map is of 2^27 frames")
  note(string.format("words: %d of 1 GiB, %d of 2 MiB, %d of 4 KiB; index pages " ..
                     "%d, %d, %d", words[2], words[1], words[0], pages[2],
                     pages[1], pages[0]))
  expect_eq(pages[2], 1, "one page of the highest tier")
  expect(pages[1] >= 1 and pages[0] >= 1, "pages of the others")
  expect(words[1] > 10 and words[0] > 10, "blocks of two sizes")
  if RAM >= 4 << 30 then
    expect(words[2] >= 1, "a whole GiB is one word")
  end
end

-- The number's three indices are its descriptor's frame, and in the map they lead
-- to the ultravisor, whose page it is; owner and descriptor of any frame are found
-- in at most three reads.
check[27] = function()
  local d = database()
  local list = partitions_of(d)
  local most = 0
  for number, p in pairs(list) do
    local g, m, k = number >> 18 & 511, number >> 9 & 511, number & 511
    expect_eq(g << 18 | m << 9 | k, number, "[G,M,K]")
    expect_eq(word(p.desc, 0), 0x4353454454524150, "a descriptor's magic")
    expect_eq(word(p.desc, 1), number, "its number")
    local w, reads = word(page(d.map), g), 1
    if w & 3 == 2 then w, reads = word(page(w >> 12), m), 2 end
    if w & 3 == 2 then w, reads = word(page(w >> 12), k), 3 end
    expect_eq(name_of(list, w >> 12), "ultravisor", "whose page it is")
    expect(w & 3 == 1, "after " .. reads .. " reads")
  end
  walk(d.map, function(tier, at, frames, w, reads)
    if reads > most then most = reads end
    if w & 3 == 1 then
      expect_eq(word(page(w >> 12), 1), w >> 12, "the owner's descriptor")
    end
  end)
  expect_eq(most, 3, "reads at most")
end

if memory ~= "" then
  for _, f in pairs(check) do f() end
  return
end
wait_event("issued", {stream = 2, record = 20}, {within = ms(300)})
check[row]()
if row ~= 8 then
  run_for(us(317))
  inject.crash("io.a")
  wait_event("channel", {client = "guest1", server = "io.b"}, {within = ms(5)})
  check[row]()
end
