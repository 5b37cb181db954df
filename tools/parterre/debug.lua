-- SPDX-License-Identifier: GPL-2.0-or-later
-- The commands of `parterre debug`, and what a typed line means: a command and
-- its words, or Lua.  Given are the door to the run (debug_repl.c) and why it
-- stands.
local door, stop = ...
local call = door.call
local pid, tid = stop.pid, stop.tid -- the thread that commands are about
local over                          -- the run's status, when it has ended

local STEPS = 100000 -- of one command, before it gives up

local function complain(text, ...)
  error(text:format(...), 0)
end

-- --- going ---

local function where()
  io.write(call("where", pid, tid))
end

-- Returns why it stands; nil: the run has ended.
local function go(how, low, high)
  local s = door.go(how, pid, tid, low or 0, high or 0)
  if type(s) == "number" then
    over = s
    return nil
  end
  stop = s
  pid, tid = s.pid, s.tid
  return s
end

local function tell(s)
  if not s then
    print("the run has ended with status " .. over)
    return nil
  end
  if s.text then
    print(s.text)
  elseif s.why == "past-ends" then
    print("the past begins here")
  elseif s.why == "asked" then
    print("stopped")
  end
  where()
  return s
end

local function count_of(word)
  local n = math.tointeger(tonumber(word or 1))
  if not n or n < 1 then complain("%s: give a count from 1 on", word) end
  return n
end

local function repeated(word, one)
  local s
  for _ = 1, count_of(word) do
    s = one()
    if not s or s.why ~= "stepped" then break end
  end
  return tell(s)
end

-- The source line where the thread is: file and number, low and high address.
local function line()
  local low, high, file, number = call("line", pid, tid)
  return low and {low = low, high = high, at = file .. ":" .. number}
end

local function pc()
  return call("registers", pid, tid).rip
end

local function within(a, l)
  return math.ult(a, l.high) and not math.ult(a, l.low)
end

local function step_line()
  local l = line()
  if not l then return go("step") end
  return go("range", l.low, l.high)
end

-- To where the innermost function returns to, unless something else is met.
local function to_caller()
  local frames = call("frames", pid, tid, 2)
  local p, t = pid, tid
  local s, there
  if #frames < 2 then complain("who called this is not known") end
  local n = call("break_add", pid, frames[2].pc)
  repeat
    s = go("continue")
    there = s and s.why == "break" and pc() == frames[2].pc
  until not there or (s.pid == p and s.tid == t and
    not math.ult(call("registers", pid, tid).rsp, frames[2].sp))
  if s then call("remove", n) end
  if there then
    s.why, s.text = "stepped", nil
  end
  return s
end

local function over_calls()
  local l = line()
  if not l then return go("step") end
  for _ = 1, STEPS do
    local s = go("range", l.low, l.high)
    if not s or s.why ~= "stepped" then return s end
    local frames = call("frames", pid, tid, 2)
    if #frames < 2 or not within(frames[2].pc - 1, l) or within(frames[1].pc, l)
    then
      return s
    end
    s = to_caller()
    if not s or s.why ~= "stepped" or not within(pc(), l) then return s end
  end
end

-- Back to where a line begins: its own, if the thread is within it, or else the
-- one before.
local function back_line()
  local s
  for _ = 1, STEPS do
    s = go("back-step")
    local l = s and s.why == "stepped" and line()
    if not l or pc() == l.low then break end
  end
  return s
end

-- --- commands ---

local commands, helps, goes = {}, {}, {}

local function text_of(text)
  local answer, told = call("command", pid, tid, text)
  if told == 2 then complain("%s: no command that answers; see help", text) end
  if told ~= 0 then complain("%s", (answer:gsub("\n$", ""))) end
  if text:find("^machine%s") then -- its threads, from now on
    stop = call("stop")
    pid, tid = stop.pid, stop.tid
  end
  return answer
end

-- Until that is met once; whatever it stops for, it is waited for no more.
local function go_until(condition)
  local answer = text_of(condition)
  local s = go(answer:find("going back") and "back-continue" or "continue")
  if s then call("remove", tonumber(answer:match("%[(%d+)%]"))) end
  return tell(s)
end

local function command(name, arguments, help, f)
  commands[name] = f
  goes[name] = true
  helps[#helps + 1] = name .. (arguments == "" and "" or " ") .. arguments ..
    ": " .. help
end

for _, name in ipairs(call("commands")) do
  commands[name] = function(...)
    io.write(text_of(table.concat({name, ...}, " ")))
  end
end

command("continue", "", "until something asked for is met", function()
  return tell(go("continue"))
end)
command("run", "", "the same", commands.continue)
command("stepi", "[N]", "N instructions of this thread", function(n)
  return repeated(n, function() return go("step") end)
end)
command("step", "[N]", "to another source line, into calls", function(n)
  return repeated(n, step_line)
end)
command("next", "[N]", "to another source line, over calls", function(n)
  return repeated(n, over_calls)
end)
command("finish", "", "until this function has returned", function()
  return tell(to_caller())
end)
command("step-switch", "", "to the first instruction behind the next switch",
  function()
    return go_until("step-switch")
  end)
command("finish-switch", "", "until this partition has a CPU again", function()
  return go_until("finish-switch")
end)
command("run-to", "TIME|COUNT",
  "to an instant or a count of instructions, back if it is over",
  function(at)
    return go_until("break-at " .. (at or ""))
  end)
command("reverse-stepi", "[N]", "N instructions back", function(n)
  return repeated(n, function() return go("back-step") end)
end)
command("reverse-step", "[N]", "back to where a source line began", function(n)
  return repeated(n, back_line)
end)
command("reverse-continue", "", "back to what was met last", function()
  return tell(go("back-continue"))
end)
command("last-write", "PLACE [BYTES]",
  "back to the instruction that wrote there last", function(place, bytes)
    if not place then complain("usage: last-write PLACE [BYTES]") end
    local p, va = call("place", pid, tid, place)
    local n = call("watch_add", p, va, count_of(bytes or 8))
    local s = go("back-continue")
    if s then call("remove", n) end
    if s and s.why == "past-ends" then
      s.text = "nothing has written there since the run began"
    end
    return tell(s)
  end)
command("thread", "[cpuN|PARTITION|PROCESS.THREAD]",
  "what commands are about from now on", function(who)
    if who then pid, tid = call("thread", who) end
    where()
  end)
command("where", "", "where this thread is", where)
command("detach", "", "to the end of the run, stopping nowhere", function()
  over = door.free()
  print("the run has ended with status " .. over)
end)
command("source", "FILE", "the commands of a file", function(path)
  local f, why = io.open(path or "")
  if not f then complain("%s", why) end
  local text, first, number = "", 1, 0
  for l in f:lines("L") do
    number = number + 1
    if text == "" then first = number end
    text = text .. l
    if commands.line(text, path, first) ~= "more" then text = "" end
  end
  f:close()
  if text ~= "" then complain("%s:%d: the statement has no end", path, first) end
end)
command("quit", "", "leave the run where it is", function()
  return "quit"
end)

local machine_help = commands.help
function commands.help(word)
  local found
  for _, h in ipairs(helps) do
    if not word or h:match("^[%w%-]+") == word then
      print(h)
      found = true
    end
  end
  if not word or not found then machine_help(word) end
  if not word then
    print("Anything else is Lua: registers() as `reg`, peek(), place(), and what" ..
      " a scenario\nlooks with (docs/debugging.md).")
  end
end
for alias, name in pairs {
  b = "break", bt = "backtrace", c = "continue", d = "delete",
  disas = "disassemble", exit = "quit", h = "help", n = "next", q = "quit",
  r = "run", rc = "reverse-continue", rs = "reverse-step",
  rsi = "reverse-stepi", s = "step", si = "stepi", x = "memory",
} do
  commands[alias] = commands[name]
end

-- --- what Lua finds ---

for _, name in ipairs {
  "channels", "current", "database", "database_digest", "extents", "now",
  "owner", "partition", "partitions", "physical", "ram", "read", "retired",
  "screenshot", "symbol",
} do
  _G[name] = function(...) return call(name, ...) end
end
inject = {}
for _, name in ipairs {
  "check", "crash", "device", "fault", "hang", "livelock", "memory", "plan",
  "ram",
} do
  inject[name] = function(...) return call("inject." .. name, ...) end
end
for name, unit in pairs {ns = 1000, us = 1000000, ms = 1000000000,
  s = 1000000000000} do
  _G[name] = function(n) return math.floor(n * unit) end
end
function run_until(t)
  if t > now() then return commands["run-to"](("%dps"):format(t)) end
end
function run_for(t) return run_until(now() + t) end
note = print
function expect(good, text)
  if not good then door.expectation("expected: " .. (text or "a true value")) end
  return good
end
function expect_eq(is, wanted, what)
  if is ~= wanted then
    door.expectation(("expected %s to be %s, it is %s"):format(
      what or "the value", tostring(wanted), tostring(is)))
  end
end
function peek(at, bytes) return call("peek", pid, tid, at, bytes) end
function poke(at, bytes) return call("poke", pid, tid, at, bytes) end
function word(at) return (("<i8"):unpack(peek(at, 8))) end
function place(text) return (select(2, call("place", pid, tid, text))) end
function frames() return call("frames", pid, tid) end
function stopped() return stop end
reg = setmetatable({}, {
  __index = function(_, name) return call("registers", pid, tid)[name] end,
})
-- `next` is Lua's own.
function next_line() return commands.next() end
-- Addresses of the upper half are negative numbers to Lua.
local function words_of(...)
  local words = table.pack(...)
  for i = 1, words.n do
    local w = words[i]
    words[i] = math.type(w) == "integer" and w < 0 and ("0x%x"):format(w) or
      tostring(w)
  end
  return words
end
-- A command's answer as a text.
function told(...) return text_of(table.concat(words_of(...), " ")) end
for name, f in pairs(commands) do
  local id = name:gsub("%-", "_")
  if #name > 2 and rawget(_G, id) == nil then
    _G[id] = function(...)
      local words = words_of(...)
      return f(table.unpack(words, 1, words.n))
    end
  end
end

-- --- lines ---

local function quoted(v)
  if type(v) == "string" then return ("%q"):format(v) end
  if math.type(v) == "integer" and (v < -4096 or v > 4096) then
    return ("%d (0x%x)"):format(v, v)
  end
  return tostring(v)
end

local function before(a, b)
  if type(a) == type(b) and (type(a) == "number" or type(a) == "string") then
    return a < b
  end
  return type(a) < type(b) or
    (type(a) == type(b) and tostring(a) < tostring(b))
end

local function show(v, indent)
  if type(v) ~= "table" or #indent > 6 then
    io.write(quoted(v), "\n")
    return
  end
  local keys = {}
  for k in pairs(v) do keys[#keys + 1] = k end
  table.sort(keys, before)
  io.write(#keys == 0 and "{}" or "", "\n")
  for _, k in ipairs(keys) do
    io.write(indent, "  ", tostring(k), " = ")
    show(v[k], indent .. "  ")
  end
end

-- "FILE:LINE: " of the innermost line of that file.
local function place_of(name, number)
  if not name then return "" end
  for level = 2, 200 do
    local info = debug.getinfo(level, "Sl")
    if not info then break end
    if info.source == "@" .. name and info.currentline > 0 then
      return ("%s:%d: "):format(name, info.currentline)
    end
  end
  return ("%s:%d: "):format(name, number)
end

local function run_lua(text, name, number)
  local source = name and "@" .. name or "=typed"
  local lines = ("\n"):rep(number - 1)
  local f, why = load(lines .. "return " .. text, source)
  if not f then f, why = load(lines .. text, source) end
  if not f then
    if why:find("<eof>", 1, true) then return "more" end
    local first = text:match("^%s*(%a[%w%-]*)%s*$") or
      text:match("^%s*(%a[%w%-]*)%s+[%w%*]")
    if first then
      complain("%sno command is called '%s' (help), and it is no Lua either",
        name and ("%s:%d: "):format(name, number) or "", first)
    end
    error(why, 0)
  end
  local result = table.pack(xpcall(f, function(e)
    e = tostring(e)
    if name and e:sub(1, #name + 1) == name .. ":" then return e end
    return place_of(name, number) .. e
  end))
  if not result[1] then error(result[2], 0) end
  for i = 2, result.n do
    if not (result[i] == stop and stop) then show(result[i], "") end
  end
end

-- The command and its words; nil: it is none.
local function split(text)
  local first, rest = text:match("^%s*(%a[%w%-]*)(.-)%s*$")
  if not first or not commands[first] then return nil end
  if rest ~= "" and not rest:find("^%s+[^=(%s]") then return nil end
  local words = {}
  for w in rest:gmatch("%S+") do words[#words + 1] = w end
  return first, words
end

local function obey(text, name, number)
  local first, words = split(text)
  if not first then return run_lua(text, name, number) end
  if over and goes[first] and first ~= "quit" then
    complain("the run is over")
  end
  return commands[first](table.unpack(words)) == "quit" and "quit" or nil
end

local M = {}
function M.line(text, name, number)
  if name == "" then name = nil end
  if text:find("^%s*$") or text:find("^%s*#") then return nil end
  if split(text) then
    local good, result = pcall(obey, text, name, number)
    if good then
      return result or (over and not name and "quit" or nil)
    end
    error((name and ("%s:%d: "):format(name, number) or "") ..
      tostring(result), 0)
  end
  return obey(text, name, number)
end
commands.line = nil
local source = commands.source
function commands.source(path)
  commands.line = M.line
  local good, why = pcall(source, path)
  commands.line = nil
  if not good then error(why, 0) end
end

-- --- completion ---

local PLACES = {
  ["break"] = true, b = true, disassemble = true, disas = true, list = true,
  memory = true, x = true, watch = true, rwatch = true, awatch = true,
  symbol = true, translate = true, ["last-write"] = true,
}
local PARTITIONS = {["break-switch"] = true, thread = true}

local function add(list, prefix, name, head)
  if name:sub(1, #prefix) == prefix and not list[name] then
    list[#list + 1] = (head or "") .. name
    list[name] = true
  end
end

local function complete_lua(token)
  local list = {}
  local path, last = token:match("^(.-)([%w_]*)$")
  local t = _G
  for key in path:gmatch("[%w_]+") do
    t = type(t) == "table" and rawget(t, key)
  end
  if type(t) ~= "table" then return list end
  if t == reg then t = call("registers", pid, tid) end
  for k in pairs(t) do
    if type(k) == "string" then add(list, last, k, path) end
  end
  return list
end

local function complete_word(first, token)
  local list = {}
  if PARTITIONS[first] then
    for _, p in ipairs(partitions()) do add(list, token, p.name) end
    if first == "thread" then add(list, token, "cpu0") end
  elseif PLACES[first] then
    local head, name = token:match("^([^:]*:)(.*)$")
    local p, t = pid, tid
    if head then
      local good, p1, t1 = pcall(call, "thread", head:sub(1, -2))
      if good then p, t = p1, t1 end
    end
    for _, n in ipairs(call("names", p, t, name or token)) do
      add(list, name or token, n, head)
    end
  elseif first == "help" then
    for n in pairs(commands) do add(list, token, n) end
  elseif first == "registers" then
    for n in pairs(call("registers", pid, tid)) do add(list, token, n) end
  end
  return list
end

-- The length of what is replaced, then the words, one on a line.
function M.complete(text)
  local first, rest = text:match("^%s*(%S*)(.*)$")
  local token, list
  if rest == "" and not first:find("[^%w%-_]") then
    token = first
    list = complete_lua(token)
    for n in pairs(commands) do add(list, token, n) end
  elseif commands[first] and rest:find("^%s") then
    token = rest:match("%S*$")
    list = complete_word(first, token)
  else
    token = text:match("[%w_%.]*$")
    list = complete_lua(token)
  end
  table.sort(list)
  return #token .. "\n" .. table.concat(list, "\n")
end

print(stop.text or "it stands")
return M
