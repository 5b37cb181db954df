-- SPDX-License-Identifier: GPL-2.0-or-later
-- What each device reaches, read from the IOMMU's tables in RAM, while two guests
-- work: the memory of the I/O partition whose device it is, all of it, and pages
-- of that partition's channels, those that are a client's to write only to read
-- them; nobody else's device reaches anything.  After
-- io.a has died and is back, and after the ultravisor was begun anew, as before.
--   --set cpus=4
-- or of another host that stands, once: where its console says that the tables
-- are (a frame), and which half of them is in force
--   --set memory=/tmp/qemu/ram --set tables=0x800 --set half=0
local memory = param("memory", "")
local tables, half = param("tables", 0), param("half", 0)
local HALF <const> = 64

if memory ~= "" then
  machine{ cpus = param("cpus", 1), ram = "128M", memory = memory }
else
  machine{
    cpus = param("cpus", 1),
    serial_hz = 184320000,
    iommu = true,
    policy = "policy/s72.policy",
  }
end

local PAGE <const> = 4096
local READ_END <const> = 32 -- pages of a block channel before the client's own
local ADDRESS <const> = 0x000ffffffffff000

local function words(table)
  local page = ram(table & ADDRESS, PAGE)
  return function(i) return (string.unpack("<I8", page, i * 8 + 1)) end
end

-- f(bus address, machine address, rights) for each page.
local function walk(table, level, base, f)
  local word = words(table)
  for i = 0, 511 do
    local e, at = word(i), base | i << (12 + 9 * (level - 1))
    if e & 3 ~= 0 then
      if level == 1 then
        f(at, e & ADDRESS, e & 3)
      elseif e & 0x80 ~= 0 then
        for o = 0, (1 << (12 + 9 * (level - 1))) - 1, PAGE do
          f(at + o, (e & ADDRESS) + o, e & 3)
        end
      else
        expect_eq(e & 3, 3, "rights of a table")
        walk(e, level - 1, at, f)
      end
    end
  end
end

local function inside(address, list, what)
  for _, e in ipairs(list) do
    if e.what == what and address >= e.address and
       address < e.address + e.bytes then
      return e
    end
  end
end

local function io_partitions()
  local list = {}
  for _, p in ipairs(partitions()) do
    if string.find(p.name, "^io%.") and p.state == "running" then
      list[p.name] = extents(p.name)
    end
  end
  return list
end

-- Returns a text of who reaches how much.
local function check()
  local root, io, found = words(tables * PAGE + half * HALF * PAGE),
                          io_partitions(), {}
  for bus = 0, 255 do
    local context = root(2 * bus) & 1 ~= 0 and words(root(2 * bus))
    for function_ = 0, context and 255 or -1 do
      local low, high = context(2 * function_), context(2 * function_ + 1)
      local who, own, shared, to_read = nil, 0, 0, 0
      if low & 1 ~= 0 then
        walk(low, (high & 7) + 2, 0, function(at, pa, rights)
          expect_eq(at, pa, "a bus address")
          for name, list in pairs(io) do
            if inside(pa, list, "memory") then
              who = who or name
              expect_eq(name, who, "whose memory")
              expect_eq(rights, 3, "rights")
              own = own + 1
            end
          end
        end)
        expect(who, "a device of no I/O partition that runs reaches something")
        walk(low, (high & 7) + 2, 0, function(_, pa, rights)
          if not inside(pa, io[who], "memory") then
            local e = inside(pa, io[who], "channel")
            expect(e, string.format("%s's device reaches 0x%x of %s", who, pa,
                                    owner(pa) or "nobody"))
            if (pa - e.address) // PAGE < READ_END then
              expect_eq(rights, 3, "rights")
              shared = shared + 1
            else
              expect_eq(rights, 1, "rights to what a client keeps")
              to_read = to_read + 1
            end
          end
        end)
        expect(not found[who], "one device of each")
        expect_eq(own, 512, "pages of " .. who)
        found[who] = shared .. "/" .. to_read
      end
    end
  end
  for name in pairs(io) do
    expect(found[name], name .. "'s device reaches nothing")
  end
  return string.format("io.a %s, io.b %s", found["io.a"] or "-",
                       found["io.b"] or "-")
end

if memory ~= "" then
  note(check())
  return
end
local line = wait_console("ultravisor", "tables at %x+", {within = ms(50)})
tables = tonumber(string.match(line, "tables at (%x+)"), 16)
wait_event("committed", {stream = 1, record = 20}, {within = ms(200)})
expect_eq(check(), "io.a 30/224, io.b 30/224", "pages of channels")
-- Both guests at io.b: so are the pages, and io.a's device reaches none.
inject.crash("io.a")
wait_event("state", {of = "io.a"}, {within = ms(1)})
local moved = wait_event("channel", {client = "guest1", server = "io.b"},
                         {within = ms(2)})
wait_event("block_response", {channel = moved.id}, {within = ms(2)})
expect_eq(check(), "io.a -, io.b 60/448", "pages of channels")
-- The load came back, the pages with it.
wait_event("channel", {id = moved.id, server = "io.a"}, {within = ms(40)})
wait_event("block_response", {channel = moved.id}, {within = ms(2)})
expect_eq(check(), "io.a 30/224, io.b 30/224", "pages of channels")
inject.crash("ultravisor")
wait_console("ultravisor", "goes on as incarnation 2", {within = ms(20)})
half = 1
expect_eq(check(), "io.a 30/224, io.b 30/224", "pages of channels")
for _, name in ipairs{"guest1", "guest2"} do
  wait_console(name, "150 verified, %d+ replayed, 0 errors",
               {within = ms(500)})
end
