-- SPDX-License-Identifier: GPL-2.0-or-later
-- S31: every verb that changes a state, in every state that a guest can be in; where
-- the table (hv/ultravisor/state.c) has no way, ESTATE, and nothing has changed.
-- The same for devices; the scan after each says that no other set of flags occurs.
machine{
  cpus = param("cpus", 1),
  serial_hz = 184320000,
  policy = "policy/s31.policy",
}

local function operator(line, answer)
  send(line .. "\r")
  return wait_console("operations", answer, {within = ms(300)})
end
local function refused(line)
  local before = partition("guest1").state
  operator(line, "^error: .* refused at operation 0, nothing was changed: ESTATE")
  expect_eq(partition("guest1").state, before, line .. ": guest1's state")
  operator("scan", "^scan: every invariant holds")
end
local function done(line, state)
  operator(line, "^" .. string.match(line, "^%a+ %a+%d?") .. ": done")
  expect_eq(partition("guest1").state, state, line .. ": guest1's state")
  operator("scan", "^scan: every invariant holds")
end

wait_console("command", "guest2 started", {within = ms(200)})

local VERBS <const> = {
  pause = "pause guest1", resume = "resume guest1", save = "save guest1",
  restore = "restore guest1", stop = "stop guest1", restart = "restart guest1",
  destroy = "destroy guest1", more = "assign memory 1 guest1",
  less = "release memory 1 guest1",
}
local function all_but(...)
  local legal = {}
  for _, verb in ipairs{...} do legal[verb] = true end
  for verb, line in pairs(VERBS) do
    if not legal[verb] then refused(line) end
  end
end

all_but("pause", "stop", "restart") -- running
done("pause guest1", "paused")
all_but("resume", "save", "stop", "restart")
done("resume guest1", "running")
done("pause guest1", "paused")
done("save guest1", "saved")
all_but("restore", "destroy")
done("restore guest1", "paused")
all_but("resume", "save", "stop", "restart")
done("resume guest1", "running")

-- One that stands still is stopped at once.
done("pause guest1", "paused")
operator("stop guest1", "^stop guest1: done")
wait_console("ultravisor", "^guest1 stopped", {within = ms(5)})
all_but("restart", "destroy", "more", "less")
operator("destroy guest1", "ESTATE") -- its channels are there yet
done("assign memory 1 guest1", "stopped")
done("release memory 1 guest1", "stopped")
done("restart guest1", "running")
wait_console("guest1", "^copy: 8 blocks, sum 0, the same", {within = ms(100)})

-- Devices: one in use is not released, one that is somebody's not given.
local device
for _, e in ipairs(extents("io.a")) do
  device = device or e.what == "device" and e.address
end
expect(device, "io.a has a device")
refused("release device 00:02.0")
refused("assign device 00:02.0 io.b")
operator("pause io.a", "^pause io.a: done")
refused("release device 00:02.0")
operator("resume io.a", "^resume io.a: done")
wait_console("guest1", "^copy: 8 blocks, sum 0, the same", {within = ms(100)})
