-- SPDX-License-Identifier: GPL-2.0-or-later
-- A session at a guest's shell, by the operator's console: its commands, programs
-- that come and go, one that does what it must not, a disk that outlives an I/O
-- partition; then operations dies and the shell goes on.  To try it yourself:
--   tools/run scenarios/shell.lua --set people=1
--   console guest1
machine{
  policy = "policy/shell.policy",
  cpus = param("cpus", 1),
  serial_hz = 184320000, -- no waiting for the console
  serial = param("people", 0) == 1 and "terminal" or "file",
}
wait_console("guest1", "shell: help lists the commands", {within = ms(300)})
if param("people", 0) == 1 then
  wait_off{within = s(3600)}
  return
end

local function type_in(line, pattern, who)
  send(line .. "\r")
  return wait_console(who or "guest1", pattern, {within = ms(100)})
end

-- One line, then many.
type_in("type guest1 echo one line", "^one line$")
type_in("type guest2 echo nobody", "error: guest2 has no console open: its policy " ..
        'needs "channel guest2 console operations"', "operations")
type_in("type io.a hello", "error: io.a is no guest", "operations")
type_in("type guest1", "error: write: type NAME WORD", "operations")
type_in("console guest9", 'error: no partition "guest9": try list', "operations")
type_in("console guest1", "lines go to guest1", "operations")
type_in("help", "^PROGRAM & does not wait for it")
type_in("echo hello,   shell", "^hello, shell$")
type_in("frobnicate", "frobnicate: no such command; help lists them")

-- Processes: one behind, one that is killed, some that fault alone.
local id = string.match(type_in("spin &", "^process %d+$"), "%d+")
run_for(ms(2))
type_in("ps", "^ +" .. id .. " R .* spin$")
type_in("kill " .. id, "> kill", "operations")
type_in("wait " .. id, "^code 137$")
type_in("kill 999", "kill: there is no such process")
for _, what in ipairs{"read", "write", "kernel", "jump", "divide", "undefined"} do
  type_in("fault " .. what, "^fault: code 139$")
end
type_in("hog 40", "40 pages, each its own$")
type_in("hog 300", "^hog: at most 224 pages$")
type_in("churn 5", "5 children came and went$")
type_in("sleep 3", "> sleep 3", "operations")
type_in("mem", "^%d+ pages, %d+ the kernel's, %d+ free$")
type_in("time", "^%d+ us, ran %d+ us, stolen %d+ us, away 0 us$")

-- Its disk: what was flushed is there when io.a is not; operations comes back, and
-- with it the console.
type_in("put 3 durable", "> put", "operations")
type_in("flush", "> flush", "operations")
type_in("fill 8 4", "^fill: 4 blocks from 8$")
inject.crash("io.a")
type_in("copy 8 16 4", "^copy: 4 blocks, .* the same$")
type_in("cat 3", "^durable%.")
type_in("cat 64", "^cat: the disk said no$")
inject.crash("operations")
send("\r") -- it sleeps until something comes
wait_console("operations", "^operations: ready", {within = ms(100)})
run_for(ms(1))
type_in("console guest1", "lines go to guest1", "operations")
type_in("cat 3", "^durable%.")

-- Who does not read: so many lines, and no more.
type_in("sleep 50", "> sleep 50", "operations")
run_for(ms(2)) -- it sleeps by then
for i = 1, 16 do
  type_in("echo " .. i, "> echo " .. i .. "$", "operations")
end
wait_console("operations", "error: guest1 reads nothing: 15 lines wait for it",
             {within = ms(10)})
wait_console("guest1", "^15$", {within = ms(100)})
type_in("console guest1", "lines go to guest1", "operations")
type_in("exit 3", "^command: guest1 failed: code 3", "command")
type_in(".", "the operator's console again", "operations")
type_in("off", "machine off, code 0", "ultravisor")
expect_eq(wait_off{within = ms(500)}, 0, "the code at the end")
