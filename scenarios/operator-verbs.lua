-- SPDX-License-Identifier: GPL-2.0-or-later
-- Every verb of the operator's console that scenarios/operator.lua has not: look,
-- move, pause, save, restore, resume, memory and devices assigned and released,
-- failover and failback, restart, destroy, scan; and what is refused.
--   --set cpus=1
machine{
  policy = "policy/verbs.policy",
  cpus = param("cpus", 2),
  serial_hz = 184320000, -- no waiting for the console
}
local last <const> = param("cpus", 2) - 1

local function told(pattern)
  return wait_console("operations", pattern, {within = ms(500)})
end
local function type_in(line, pattern)
  send(line .. "\r")
  return told(pattern)
end
local function done(line)
  type_in(line, "^" .. string.match(line, "^%S+ %S+") .. ": done")
end
local function state_of(name, state)
  expect_eq(partition(name).state, state, name .. "'s state")
end
local function works()
  wait_event("committed", {stream = 1}, {within = ms(200)})
end

-- Whoever of the two serves guest1's disk, soon.
local function served_by(name)
  for _ = 1, 500 do
    for _, c in ipairs(channels()) do
      if c.type == "block" and c.client == "guest1" and c.server == name then
        return
      end
    end
    run_for(us(100))
  end
  expect(false, name .. " serves guest1")
end

wait_console("command", "guest2 started", {within = ms(300)})
works()

-- What there is.
type_in("help", "^  help: this list")
told("^  off %[CODE%]: the machine")
type_in("memory", "^%d+ of %d+ MiB are free")
type_in("devices", "device 00:02.0, class 010802, io.a's")
told("device 00:03.0, class 010802, io.b's")
type_in("scan", "^scan: every invariant holds")

-- To another CPU, while it runs.
done(string.format("move guest1 cpu %d", last))
works()
expect_eq(partition("guest1").cpu, last, "guest1's CPU")
type_in("move guest1 cpu 9", 'error: "9" is no number from 0 to')
done("move guest1 cpu 0")

-- It stands still, goes on; is saved, and restored elsewhere.
done("pause guest1")
state_of("guest1", "paused")
type_in("list", "^guest1 +guest +paused")
type_in("pause guest1", "ESTATE: not in this state: try show")
done("resume guest1")
works()
done("pause guest1")
done("save guest1")
type_in("list", "^guest1 +guest +saved")
type_in("show guest1", "^guest1: guest, saved")
type_in("start guest1", "error: start guest1: it is saved: restore it")
done(string.format("restore guest1 cpu %d", last))
type_in("list", "^guest1 +guest +paused")
done("resume guest1")
works()

-- Two states changed at once, or none.
type_in("begin", "transaction begun")
type_in("pause guest1", "gathered: pause guest1, 1 operations")
type_in("pause guest9", 'error: no partition "guest9"')
type_in("pause guest2", "gathered: pause guest2, 2 operations")
type_in("commit", "^transaction: done")
state_of("guest1", "paused")
state_of("guest2", "paused")
type_in("begin", "transaction begun")
type_in("resume guest1", "gathered")
type_in("save io.a", "gathered")
type_in("commit", "error: transaction refused at operation 1, nothing was")
state_of("guest1", "paused")
done("resume guest1")
done("resume guest2")
works()

-- Memory: of one that has ended.
type_in("assign memory 2 guest2", "ESTATE: not in this state")
done("stop guest2")
wait_console("ultravisor", "^guest2 stopped", {within = ms(100)})
type_in("assign memory 2 guest2", "^assign memory: done")
type_in("release memory 1 guest2", "^release memory: done")
type_in("release memory 2 guest2", "EVALUE: a value is out of range")
done("start guest2")
wait_console("ultravisor", "^guest2 starts", {within = ms(200)})
expect_eq(partition("guest2").frames, 1024, "guest2's frames")
done("restart guest2")
expect_eq(partition("guest2").incarnation, 3, "guest2's incarnation")

-- The other I/O partition does all, then one is without its device for a time.
done("failover io.a")
served_by("io.b")
works()
done("failback io.a")
served_by("io.a")
works()
type_in("release device 00:03.0", "ESTATE: not in this state")
done("stop io.b")
wait_console("ultravisor", "^io.b stopped", {within = ms(100)})
type_in("release device 00:03.0", "^release device: done")
type_in("devices", "device 00:03.0, class 010802, available's")
type_in("release device 00:03.0", "ESTATE: not in this state")
type_in("assign device 00:03.0 guest1", "EVALUE: a value is out of range")
type_in("assign device 00:03.0 io.b", "^assign device: done")
type_in("assign device 00:09.0 io.b", 'error: no device "00:09.0": try devices')
done("start io.b")
wait_console("io.b", "^io: ready", {within = ms(200)})
works()

-- A policy without guest2, and the one of the boot again.
type_in("policy show", "guest guest1 image guest blocks 1")
done("stop guest2")
wait_console("ultravisor", "^guest2 stopped", {within = ms(100)})
type_in("destroy guest2", "ESTATE") -- its channels are there yet
type_in("policy load module", "^policy load: done")
type_in("log operations 3", "^ *%d+ us operations: ")
type_in("scan", "^scan: every invariant holds")
works()
send("off 7\r")
expect_eq(wait_off{within = s(1)}, 7, "the code at the end")
