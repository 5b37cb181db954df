-- SPDX-License-Identifier: GPL-2.0-or-later
-- Calls at random (tests/rows/image/calls.h), and nobody is harmed but who makes
-- them: not one byte of a bystander changes, who works works on, and every
-- invariant holds.  `place` says who calls: guest (four, while a fifth works, I/O
-- partitions die, channels move to and fro, and one of the four is killed and
-- started anew), or who is in the place of io, diagnostics, command, operations,
-- idle (on each CPU that nobody else wants, while the guests call), boot (when it
-- has started all others) or uv.
-- The ultravisor may harm others, and does: its claim is that no monitor crashes,
-- that no monitor's frame is to be seen, that a bystander whom it does not name
-- keeps its memory to the byte, and that it begins anew in place when it dies of
-- it, until it has done so 15 times.
--   --set place=io --set cpus=4 --set calls=50 --set first=3
local place <const> = param("place", "guest")
local turns <const> = param("turns", 20)
local within <const> = s(param("within", 3))
local calls <const> = param("calls", 20)
local first <const> = param("first", 1)

local ORDER_VA <const> = 0x210800 -- struct calls_order: seed, calls, made, failed
local SLOT_STOPPED <const>, STARTS <const> = 5, 16

local modules = {"uv", "boot", "idle", "io", "command", "operations",
                 "diagnostics", "guest", "probe"}
for i, name in ipairs(modules) do
  if name == place and name ~= "guest" then modules[i] = "rows/" .. name end
end
machine{
  cpus = param("cpus", 1),
  serial_hz = 184320000,
  modules = modules,
  policy = param("policy", "policy/s43.policy"),
  cmdline = string.format("row=43 seed=%d calls=%d", first, calls),
}

local function memory_of(name)
  local pages = {}
  for _, e in ipairs(extents(name)) do
    if e.what == "memory" then
      for a = e.address, e.address + e.bytes - 1, 4096 do
        pages[#pages + 1] = ram(a, 4096)
      end
    end
  end
  expect(#pages >= 512, name .. " has memory")
  return table.concat(pages)
end

-- It has run for some milliseconds since it was started or last killed.
local since = {}
local function well(name)
  local p, seen = partition(name), since[name]
  if p.state ~= "running" or p.cr3 == 0 then
    since[name] = nil
  elseif not seen or seen.incarnation ~= p.incarnation then
    since[name] = {incarnation = p.incarnation, at = now()}
  else
    return now() - seen.at > ms(4)
  end
  return false
end

-- A server or a caller dies, at a drawn instant.
local killed = {}
local function kill(name)
  inject.crash(name)
  killed[name] = (killed[name] or 0) + 1
  since[name] = nil
end
local function deaths()
  for _ = 1, turns do
    run_for(us(math.random(300, 6000)))
    local a, b, probe = well("io.a"), well("io.b"), well("probe4")
    if probe and math.random(3) == 1 then
      kill("probe4")
    elseif a and b then
      kill(math.random(2) == 1 and "io.a" or "io.b")
      since["io.a"], since["io.b"] = nil, nil
    end
  end
  for name, times in pairs(killed) do
    note(string.format("%s killed %d times", name, times))
  end
end

-- To those in whose place no arguments come, or who begin anew.
local function order(name)
  inject.memory(name, ORDER_VA,
                string.pack("<I8I8I8I8", first, calls * 1000, 0, 0))
end

wait_console("still", "is still", {within = ms(400)})
run_for(ms(1))
local before = memory_of("still")
local made = 0

-- How many calls it made, when it has ended well.
local function ended(name)
  local line = wait_console(name, "^calls: %d+", {within = within})
  made = made + tonumber(line:match("%d+"))
  wait_console(name, "^PASS", {within = ms(400)})
  run_for(us(100))
end

-- Its slot as the lead monitor has it (struct lead_area, struct lead_slot): the
-- database says nothing while it begins anew.
local function slot_of_ultravisor()
  local lead <const> = string.unpack("<I8", read("ultravisor",
                                     symbol("ultravisor", "lead"), 8))
  local at <const> = physical("ultravisor", lead) + 640
  return function()
    local slot = ram(at, 192)
    return string.unpack("<I4", slot, 9), string.unpack("<I4", slot, 141)
  end
end

-- It calls until it has done, or has died for the last time.
local function ultravisor()
  local counter <const> = physical("ultravisor", ORDER_VA + 16)
  local slot <const> = slot_of_ultravisor()
  local state, incarnation
  order("ultravisor")
  repeat
    expect(now() < within, "it comes to an end")
    run_for(us(20)) -- its last line is not out by then: the machine runs yet
    state, incarnation = slot()
    made = string.unpack("<I8", ram(counter, 8))
  until made == calls * 1000 or state >= SLOT_STOPPED
  if state < SLOT_STOPPED then
    run_for(ms(20))
  else
    expect_eq(incarnation, STARTS, "how often it was begun")
  end
  note(string.format("ultravisor: begun %d times", incarnation))
  expect_eq(string.unpack("<I8", ram(counter + 8, 8)), 0,
            "results that are wrong (its line FAIL says which)")
end

local callers = {place}
if place == "io" then
  callers = {"io.a", "io.b"}
elseif place == "guest" then
  callers = {"probe1", "probe2", "probe3", "probe4"}
  deaths()
elseif place == "idle" or place == "boot" then
  order(place)
elseif place == "uv" then
  callers = {}
  ultravisor()
end
for _, name in ipairs(callers) do
  if partition(name).state ~= "crashed" or place == "boot" then ended(name) end
  if place ~= "boot" then
    expect(partition(name).state ~= "crashed", name .. " did not crash")
  end
end
if place == "guest" or place == "idle" or place == "boot" then
  wait_console("guest1", "200 verified, %d+ replayed, 0 errors", {within = s(1)})
  send("scan\r")
  wait_console("operations", "^scan: every invariant holds", {within = ms(400)})
end
expect(memory_of("still") == before, "the bystander's memory is as it was")
for _, name in ipairs{"ultravisor", "command", "operations", "still"} do
  if name ~= place and place ~= "uv" then
    expect_eq(partition(name).state, "running", name)
    expect_eq(partition(name).incarnation, 1, name .. "'s incarnation")
  end
end
note(string.format("%d calls", made))
