-- SPDX-License-Identifier: GPL-2.0-or-later
-- One transaction of several operations, from its request to its answer, marked for
-- `parterre sweep`, while a guest is at work (tests/rows/image/atomic.c): whatever
-- happens to the ultravisor in between, the database is as it was before or as it is
-- after, to the byte.
--   --set much=1   a channel is made and memory moved as well (see below)
--   --set wrong=1  its last operation names what is not there
--   --set step=1   no fault: the database in force is looked at at each instruction
--                  boundary, so whatever a death there leaves, this is it
--   --set whole=1  the guest is watched for longer afterwards
-- Four operations: a bus made, two weights, a device assigned; much: seven, the bus
-- not among them.
--   parterre sweep --fault 'crash ultravisor' --over request..answer
--                  --while ultravisor tests/sweep/transaction.lua
--   parterre sweep --fault 'bytes ultravisor db 512 0 1' ...
-- the second takes all pages that the database's pool has free: what is under way
-- fails as soon as it wants one more.
local MARK <const>, DONE <const>, UNDONE <const> = 0x600, 0x610, 0x620
local ROUNDS <const> = 3
local ELIMIT <const>, ENOENT <const> = 202, 502
local wrong, step_by_step = param("wrong", 0), param("step", 0) == 1

machine{
  cpus = param("cpus", 1),
  serial_hz = 184320000, -- no waiting for the console
  ram = "64M",
  disk = "1M",
  modules = {"uv", "boot", "idle", "io", "rows/command", "rows/operations",
             "diagnostics", "guest", "probe"},
  policy = "../rows/policy/s44.policy", -- read by nobody
  cmdline = "io=1 row=16 much=" .. param("much", 0) .. " wrong=" .. wrong,
}

-- ---- the database, and what it demands of the machine ----

local PAGE <const> = 4096
local function word(text, at)
  return (string.unpack("<I8", text, at + 1))
end
local function half(text, at)
  return (string.unpack("<I4", text, at + 1))
end
local function blank(text, at, bytes)
  return string.sub(text, 1, at) .. string.rep("\0", bytes) ..
         string.sub(text, at + bytes + 1)
end

-- Where the pages of a version lie is its own affair, and so is what counts
-- transactions, events and the starts of the ultravisor (hv/abi/database.h).
local plain = {
  root = function(t) return blank(t, 8, 8) end,
  version = function(t) -- places, generation, who asked; answers
    t = blank(blank(blank(t, 8, 40), 64, 16), 88, 32)
    return blank(blank(t, 128, 8), 144, 16 * 40)
  end,
  map = function(t)
    local list = {}
    for i = 0, PAGE - 8, 8 do
      local w = string.sub(t, i + 1, i + 8)
      list[#list + 1] = string.byte(w) & 3 == 2 and "\2" or w
    end
    return table.concat(list)
  end,
  parts = function(t, ultravisor)
    for row = 0, PAGE - 128, 128 do
      t = blank(t, row + 64, 8) -- where its configuration lies
      if word(t, row) == ultravisor then
        t = blank(blank(t, row + 20, 4), row + 92, 4) -- incarnation, untold
      end
    end
    return t
  end,
  moves = function(t) -- handles of events
    for row = 0, PAGE - 64, 64 do
      t = blank(t, row + 16, 16)
    end
    return t
  end,
}

-- Named pieces, each comparable with that of another instant.
local function database_now()
  local ultravisor, list = partition("ultravisor").number, {}
  for _, p in ipairs(database()) do
    local text = p.bytes
    if plain[p.what] then text = plain[p.what](text, ultravisor) end
    list[#list + 1] = {what = p.what, text = text}
    if p.what == "version" then
      for at = 144, 144 + 15 * 40, 40 do -- db_version.answer
        list[#list + 1] = {what = "answer", text = tostring(word(p.bytes, at))}
      end
    end
  end
  return list
end

local lead
local function find_lead()
  for _, e in ipairs(extents("monitor")) do
    for a = e.address, e.address + e.bytes - 1, PAGE do
      if ram(a, 8) == string.pack("<I8", 0x31444145544c5548) then return a end
    end
  end
end

local VIEW_DEVICES <const> = 440
local VIEW_CHANNELS <const> = VIEW_DEVICES + 4 * 48

-- Views, schedule and monitor instances (hv/abi/view.h, hv/abi/lead.h).
local function effects_now(list)
  lead = lead or find_lead()
  local ultravisor = partition("ultravisor").number
  for _, p in ipairs(database()) do
    for row = 0, p.what == "parts" and PAGE - 128 or -1, 128 do
      local view = word(p.bytes, row + 56) << 12
      if view ~= 0 then
        local text = ram(view + PAGE * (1 + (word(ram(view, 8), 0) & 1)), PAGE)
        for i = VIEW_DEVICES, VIEW_CHANNELS - 48, 48 do
          text = blank(text, i + 44, 4) -- flags are those of its publication
        end
        for i = VIEW_CHANNELS, VIEW_CHANNELS + 31 * 64, 64 do
          text = blank(text, i + 22, 2)
        end
        if word(p.bytes, row) == ultravisor then text = blank(text, 28, 4) end
        list[#list + 1] = {what = "view of " .. string.sub(text, 9, 24),
                           text = text}
      end
    end
  end
  local schedule = word(ram(lead + 16, 8), 0)
  list[#list + 1] = {what = "schedule",
                     text = string.sub(ram(schedule << 12, PAGE), 9)}
  for i = 0, 31 do
    local s = ram(lead + 128 + 8 * 64 + i * 192, 192)
    local state = half(s, 8)
    if state >= 2 and state <= 4 then state = 2 end -- ready, running, waiting
    local text = "free"
    if state ~= 0 then
      text = string.format("%x %d %x %d", word(s, 0), state, word(s, 16),
                           word(s, 0) == ultravisor and 0 or half(s, 148))
    end
    list[#list + 1] = {what = "slot " .. i, text = text}
  end
  return list
end

local function all_now()
  return effects_now(database_now())
end

local function expect_same(a, b, what)
  expect_eq(#a, #b, what .. ": pieces")
  for i, piece in ipairs(a) do
    if piece.what ~= b[i].what or piece.text ~= b[i].text then
      local at = 1
      while string.byte(piece.text, at) == string.byte(b[i].text, at) do
        at = at + 1
      end
      expect(false, what .. ": " .. piece.what .. " from byte " .. at - 1 ..
             " on")
    end
  end
end

-- ---- each boundary ----

-- A word of the version in force that may be changed in place: a note.
local function is_note(what, at)
  return what == "version" and at >= 144 and (at - 144) % 40 == 0 or
         what == "moves" or what == "parts" and at % 128 == 88 -- untold
end

-- Everything lies where it lay, and at most one word is another: a note.
local function expect_note(old, new)
  local changed = 0
  for i, p in ipairs(new) do
    expect(p.frame == old[i].frame, "after the commit a page is another: " ..
           p.what)
    for at = 0, p.bytes ~= old[i].bytes and PAGE - 8 or -8, 8 do
      if word(p.bytes, at) ~= word(old[i].bytes, at) then
        expect(is_note(p.what, at), p.what .. ": byte " .. at .. " changes")
        changed = changed + 1
      end
    end
  end
  expect(changed <= 1, "two words at once")
end

local function messages()
  for _, c in ipairs(channels()) do
    if c.client == "operations" and c.server == "ultravisor" then
      return c.passed
    end
  end
end

local function each_boundary(operations, after)
  local before, last, live = database_digest(), nil, nil
  local sent, commits, boundaries, notes = messages(), 0, 0, 0
  repeat
    for _ = 1, 64 do
      step()
      boundaries = boundaries + 1
      local digest = database_digest()
      if commits == 0 and digest ~= before then
        commits = 1
        for i, piece in ipairs(database_now()) do
          if piece.what ~= "answer" and piece.what ~= "moves" then
            expect(piece.text == after[i].text, "what is in force, " ..
                   piece.what)
          end
        end
        live, last = database(), digest
      elseif commits == 1 and digest ~= last then
        local now = database()
        expect_note(live, now)
        live, last, notes = now, digest, notes + 1
      end
    end
  until messages() == sent + operations + 1
  expect_eq(commits, 1 - wrong, "commits")
  note(boundaries .. " boundaries: as before, then as after with " .. notes ..
       " notes")
end

-- ---- the run ----

local function at(what, within)
  return wait_event("syscall", {number = 0, rdi = what}, {within = within})
end
local function disk()
  for _, c in ipairs(channels()) do
    if c.client == "worker" and c.server == "io.a" then return c end
  end
end

local before, after
for round = 1, ROUNDS do
  at(MARK + round, ms(300))
  if round == ROUNDS then break end
  before = all_now()
  expect_eq(at(DONE + round, ms(20)).rsi, 0, "the status")
  run_for(us(50))
  after = all_now()
  at(UNDONE + round, ms(50))
  wait_event("committed", {stream = 1}, {within = ms(2)})
end
expect_same(before, all_now(), "all is undone")
local generation, digest = disk().generation, database_digest()
mark("request")
if step_by_step then each_boundary(param("much", 0) == 1 and 6 or 4, after) end
local status = at(DONE + ROUNDS, ms(50)).rsi
mark("answer")
at(UNDONE + ROUNDS, ms(5)) -- it has had no second answer

local ultravisor = partition("ultravisor")
if status == 0 then
  expect_eq(wrong, 0, "a wrong operation's status")
  expect_same(after, all_now(), "a transaction that holds")
  outcome("after")
else
  expect(status == ELIMIT or wrong == 1 and status == ENOENT,
         "a transaction that fails has a reason")
  expect(status == ENOENT or ultravisor.incarnation == 1,
         "the next program has room")
  expect_same(before, all_now(), "a transaction that fails")
  if ultravisor.incarnation == 1 then
    expect_eq(database_digest(), digest, "the pages in force")
  end
  outcome("before")
end

-- The guest has noticed nothing but time.
expect_eq(disk().generation, generation, "its disk's channel")
wait_event("syscall", {partition = "worker"}, {within = ms(2)})
for _ = 1, 8 * param("whole", 0) do
  wait_event("committed", {stream = 1}, {within = ms(5)})
end
expect_eq(partition("worker").state, "running", "the guest's state")
expect_eq(partition("worker").incarnation, 1, "the guest's incarnation")
