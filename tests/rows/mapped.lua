-- SPDX-License-Identifier: GPL-2.0-or-later
-- What the partitions' kernel address spaces map and who owns what, read from
-- the page tables in RAM and the database, while two guests work and after io.a
-- was killed and made anew.
--   --set row=3 --set cpus=4
-- or, of another host that stands, all rows in its RAM:
--   --set memory=/tmp/qemu/ram --set cpus=4
local memory = param("memory", "")
local row = param("row", 3)

if memory ~= "" then
  machine{ cpus = param("cpus", 1), ram = "128M", memory = memory }
else
  machine{
    cpus = param("cpus", 1),
    serial_hz = 184320000,
    policy = "../../scenarios/policy/failover.policy",
  }
end

local PAGE <const> = 4096
local ADDRESS <const> = 0x000ffffffffff000
local HIGH <const> = 256 -- the first word of the root's upper half

-- f(va, physical address, writable, user, executable) for each page.
local function walk(cr3, f)
  local function level(table, n, base, w, u, x)
    local words = ram(table, PAGE)
    for i = 0, 511 do
      local e = string.unpack("<I8", words, i * 8 + 1)
      if e & 1 ~= 0 then
        local va = base | i << (12 + 9 * (n - 1))
        if n == 4 and i >= HIGH then
          va = va | 0xffff << 48
        end
        local w2, u2, x2 = w and e & 2 ~= 0, u and e & 4 ~= 0, x and e >= 0
        if n == 1 then
          f(va, e & ADDRESS, w2, u2, x2)
        elseif n < 4 and e & 0x80 ~= 0 then
          for at = 0, (1 << (12 + 9 * (n - 1))) - 1, PAGE do
            f(va + at, (e & ADDRESS & ~0x1000) + at, w2, u2, x2)
          end
        else
          level(e & ADDRESS, n - 1, va, w2, u2, x2)
        end
      end
    end
  end
  level(cr3 & ADDRESS, 4, 0, true, true, true)
end

local function alive()
  local list = {}
  for _, p in ipairs(partitions()) do
    if p.cr3 ~= 0 and p.state == "running" then
      list[#list + 1] = p
    end
  end
  return list
end

local function inside(address, list, what)
  for _, e in ipairs(list) do
    if (not what or e.what == what) and address >= e.address and
       address < e.address + e.bytes then
      return e
    end
  end
end

local function at(p, va)
  return string.format("%s at 0x%x", p.name, va)
end

local check = {}

-- Each has a root of its own, guests and system partitions alike; all ran.
check[1] = function()
  local root, guests, system = {}, 0, 0
  for _, p in ipairs(alive()) do
    expect(not root[p.cr3], p.name .. " has a root of its own")
    root[p.cr3] = true
    if p.kind == "guest" then guests = guests + 1 else system = system + 1 end
    expect(p.run_ns > 0 or p.kind == "idle", p.name .. " ran")
  end
  expect(guests >= 2 and system >= 5, "guests and system partitions")
end

-- Every byte mapped for ring 0: the monitors' text, read-only; their data, the
-- instance's private frames, view and user frame, interrupt controllers; nothing
-- of that but the text executable, and the text not writable.  Ring 3 has
-- nothing in the upper half.
check[3] = function()
  local common = extents("monitor")
  local bytes = {text = 0, constants = 0, data = 0, own = 0, schedule = 0, device = 0, window = 0}
  for _, p in ipairs(alive()) do
    local own = extents(p.name)
    walk(p.cr3, function(va, pa, w, user, x)
      if user then
        expect(va >= 0, at(p, va) .. ": ring 3 in the upper half")
        return
      end
      expect(va < 0, at(p, va) .. ": ring 0 in the lower half")
      local kind
      if inside(pa, common, "text") then kind = "text"
      elseif inside(pa, common, "data") then kind = "data"
      elseif pa > common[1].address and pa < common[2].address then
        kind = "constants" -- between the two
      elseif inside(pa, own, "monitor") or inside(pa, own, "view") or
             owner(pa) == p.name then kind = "own"
      elseif pa >> 12 == 0xfee00 or pa >> 12 == 0xfec00 then kind = "device"
      elseif va == -0x80000000 + 0x1fe000 and not w and
             owner(pa) == "ultravisor" then kind = "schedule"
      elseif va >= -0x80000000 + 0x200000 + 0x1f8000 and
             va < -0x80000000 + 0x400000 then kind = "window"
      end
      expect(kind, string.format("%s -> 0x%x is nothing of a monitor's",
                                 at(p, va), pa))
      bytes[kind] = bytes[kind] + PAGE
      expect((kind == "text") == x, at(p, va) .. ": executable " .. kind)
      expect(not w or kind ~= "text" and kind ~= "constants",
             at(p, va) .. ": writable " .. kind)
    end)
  end
  for _, kind in ipairs{"text", "constants", "data", "own", "schedule",
                         "device", "window"} do
    note(string.format("ring 0: %-9s %d bytes", kind, bytes[kind]))
  end
end

-- Private frames of an instance are mapped in its own address space alone, and
-- at the same place in each; none is writable anywhere for ring 3.
check[11] = function()
  local whose = {}
  for _, p in ipairs(alive()) do
    for _, e in ipairs(extents(p.name)) do
      if e.what == "monitor" then
        for a = e.address, e.address + e.bytes - 1, PAGE do
          expect(not whose[a], "an instance's frame is one's")
          whose[a] = p.name
        end
      end
    end
  end
  local state = {}
  for _, p in ipairs(alive()) do
    walk(p.cr3, function(va, pa, w, user)
      local of = whose[pa]
      -- The windows come and go: page tables of others, seen for a moment.
      local window = va >= -0x80000000 + 0x3f8000
      if of and not window then
        expect_eq(of, p.name, at(p, va) .. ": whose instance")
        expect(not user, at(p, va) .. ": for ring 0 alone")
        if va == -0x80000000 + 0x206000 then
          state[p.name] = pa
        end
      end
    end)
    expect(state[p.name], p.name .. "'s state is at the usual place")
  end
end

-- Each frame of RAM has an owner; what is free, available; unused time, idle.
check[15] = function()
  local frames = {}
  local megabytes = memory ~= "" and 128 or 256
  for a = 1 << 20, (megabytes << 20) - 1, 16 * PAGE do
    local name = owner(a)
    if a < megabytes - 1 << 20 then
      expect(name, string.format("0x%x has an owner", a))
    end
    frames[name or "-"] = (frames[name or "-"] or 0) + 1
  end
  expect((frames.available or 0) > 1000, "available has what is free")
  expect(partition("idle").run_ns > 0, "idle has the time that nobody wants")
  expect_eq(partition("available").run_ns, 0, "available never runs")
end

-- A view is mapped in its own partition alone, and read-only; the ultravisor
-- writes them all.
check[24] = function()
  local whose = {}
  for _, p in ipairs(alive()) do
    for _, e in ipairs(extents(p.name)) do
      if e.what == "view" then
        for a = e.address, e.address + e.bytes - 1, PAGE do
          whose[a] = p.name
        end
      end
    end
  end
  local views = 0
  for _, p in ipairs(alive()) do
    walk(p.cr3, function(va, pa, w, user)
      if user and whose[pa] and p.kind ~= "ultravisor" then
        expect_eq(whose[pa], p.name, at(p, va) .. ": whose view")
        expect(not w, at(p, va) .. ": read-only")
        views = views + 1
      end
    end)
  end
  expect(views >= 3 * 6, "views are mapped")
end

-- Every frame has one owner, found in at most three reads, and what the rows
-- say belongs to a partition is its in the map, or the ultravisor's for it.
check[29] = function()
  local given = {}
  for _, p in ipairs(alive()) do
    for _, e in ipairs(extents(p.name)) do
      for a = e.address, e.address + e.bytes - 1, PAGE do
        local name, reads = owner(a)
        if e.what == "memory" then
          expect_eq(name, p.name, string.format("owner of 0x%x", a))
          expect(not given[a], string.format("0x%x is given once", a))
          given[a] = p.name
        elseif e.what ~= "device" then
          expect(name == p.name or name == "ultravisor",
                 string.format("owner of 0x%x, %s of %s", a, e.what, p.name))
        end
        expect(reads <= 3, "reads")
      end
    end
  end
end

-- What two partitions both have for ring 3 is a channel's, and both are its
-- ends.  The ultravisor makes, fills and scrubs all, and is left out.
check[60] = function()
  local seen, shared = {}, 0
  for _, p in ipairs(alive()) do
    if p.kind ~= "ultravisor" and p.kind ~= "idle" then
      local own = extents(p.name)
      walk(p.cr3, function(va, pa, w, user)
        local other = user and seen[pa]
        if other and other.name ~= p.name then
          expect(inside(pa, own, "channel") and
                 inside(pa, extents(other.name), "channel"),
                 string.format("%s shares 0x%x with %s", at(p, va), pa,
                               other.name))
          shared = shared + 1
        elseif user then
          seen[pa] = p
        end
      end)
    end
  end
  expect(shared > 0, "channels are shared")
end

-- Ring 3 of an I/O partition has registers of its own devices, and nobody else
-- has any; the ultravisor, which enables, fences and hands them out, is left out.
check[70] = function()
  local pages = 0
  for _, p in ipairs(alive()) do
    local own = extents(p.name)
    for _, e in ipairs(own) do
      expect(e.what ~= "device" or p.kind == "io" or p.kind == "ultravisor",
             p.name .. " has a device")
    end
    walk(p.cr3, function(va, pa, w, user)
      if user and p.kind ~= "ultravisor" and not owner(pa) then
        expect(inside(pa, own, "device"),
               string.format("%s -> 0x%x is no device of its", at(p, va), pa))
        pages = pages + (w and 1 or 0)
      end
    end)
  end
  expect(pages >= 2, "I/O partitions have registers")
end

if memory ~= "" then
  for _, f in pairs(check) do f() end
  return
end
wait_event("issued", {stream = 2, record = 20}, {within = ms(300)})
check[row]()
run_for(us(317))
check[row]()
inject.crash("io.a")
wait_event("channel", {client = "guest1", server = "io.b"}, {within = ms(5)})
check[row]()
wait_event("channel", {client = "guest1", server = "io.a"}, {within = ms(30)})
check[row]()
