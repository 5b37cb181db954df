-- SPDX-License-Identifier: GPL-2.0-or-later
-- An operator's session on the serial line: looks, stops a guest and starts
-- another, changes the schedule by a transaction that is aborted and by one that is
-- committed, loads a policy that is wrong and one that is good.  To sit at it
-- yourself: docs/operator.md.
machine{
  policy = "policy/operator.policy",
  cpus = param("cpus", 1),
}

-- A line of operations that matches; the console is slow.
local function told(pattern)
  return wait_console("operations", pattern, {within = ms(1500)})
end
local function type_in(line, pattern)
  send(line .. "\r")
  return told(pattern)
end

wait_console("command", "guest2 started", {within = ms(200)})

type_in("list", "^NAME +KIND +STATE")
told("^ultravisor +ultravisor +running")
told("^guest1 +guest +running")
type_in("move guest9 cpu 0", 'error: no partition "guest9": try list')
type_in("frobnicate", 'error: no command "frobnicate": try help')

-- Aborted: nothing changes.
type_in("begin", "transaction begun")
type_in("schedule guest1 weight 300 cap 500", "gathered: .* 1 operations")
type_in("abort", "nothing was changed")
type_in("schedule guest1 weight 0", "error: 0 is nothing")
type_in("show guest1", "weight 100, cap 0")

-- One wrong operation, and none is done.
type_in("begin", "transaction begun")
type_in("schedule guest1 weight 300", "gathered: .* 1 operations")
type_in("schedule idle weight 300", "gathered: .* 2 operations")
type_in("commit", "error: transaction refused at operation 1, nothing was")
type_in("show guest1", "weight 100, cap 0")

-- Committed.
type_in("begin", "transaction begun")
type_in("schedule guest1 weight 300 cap 500", "gathered: .* 1 operations")
type_in("frame 0 guest2 500 shared 1500", "gathered: .* 3 operations")
type_in("commit", "transaction: done")
type_in("schedule", "^guest1 +%d+ +20 +1000 +300 +500 ")
told("frame of CPU 0, window 0: guest2, 500 us")
type_in("frame 0 none", "frame 0: done")

-- One guest is stopped in order, one that has ended is started anew.
type_in("stop guest2", "stop guest2: done")
wait_console("ultravisor", "guest2 stopped", {within = ms(200)})
type_in("stop guest2", "error: stop guest2 refused at operation 0, .*ESTATE")
expect_eq(partition("guest3").state, "stopped", "guest3's state")
type_in("start guest3", "start guest3: done")
wait_console("ultravisor", "guest3 starts", {within = ms(200)})
expect_eq(partition("guest3").incarnation, 2, "guest3's incarnation")
type_in("start guest1", "error: start guest1: it runs already")

-- The log has it all, by name.
type_in("log guest2 3", "us guest2: stopped, code 0")
type_in("log operations 4", "> log operations 4")

-- A wrong policy changes nothing.
type_in("policy load", "type the policy")
send("guest guest1 imag guest blocks 1\r.\r")
told("error: policy load: policy line 1: write: guest NAME image")
type_in("policy show", "guest guest1 image guest blocks 1")

-- A good one without guest1 and guest2: they are removed.
type_in("policy load", "type the policy")
send("guest guest3 image guest blocks 1\r")
send("args guest3 stream=3 records=0\r")
send("disk guest3 prefer io.b fallback io.a extent 128 64\r")
send("weight guest3 700\r.\r")
told("policy load: done")
wait_console("command", "guest2 removed", {within = ms(500)})
type_in("show guest2", 'error: no partition "guest2"')
type_in("show guest3", "weight 700")

type_in("log operations 3", "> log operations 3")
send("off 5\r")
expect_eq(wait_off{within = s(1)}, 5, "the code at the end")
