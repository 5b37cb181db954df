-- SPDX-License-Identifier: GPL-2.0-or-later
-- S56: a guest that copies files, and with which another one talks by TCP, is saved,
-- its instance destroyed, and restored over other frames and on another CPU, twice.
-- Its connection goes on and every byte arrives; its files are what they should be,
-- and the volume is for fsck.vfat and mtools to look at.
--   mkfs.vfat -F 32 -C volume.img 34816
--   parterre run --set image=$PWD/volume.img --set cpus=2 tests/rows/s56-files.lua
local cpus <const> = param("cpus", 1)
local image <const> = param("image", "")

machine{
  cpus = cpus,
  serial_hz = 184320000,
  policy = "policy/s56-files.policy",
  disk = "34M",
  disk_image = image,
}

local function operator(line, answer)
  send(line .. "\r")
  return wait_console("operations", answer, {within = ms(400)})
end
local function passed(kind, name)
  for _, c in ipairs(channels()) do
    if c.type == kind and c.client == name then return c.passed end
  end
end
-- Both its files and its peer have it at work.
local function at_work()
  local blocks, frames = passed("block", "guest1"), passed("network", "guest1")
  local deadline = now() + ms(200)
  repeat
    expect(now() < deadline, "guest1 works with files and with guest2")
    run_for(us(50))
  until passed("block", "guest1") > blocks + 20 and
        passed("network", "guest1") > frames + 20
end
local function memory()
  for _, e in ipairs(extents("guest1")) do
    if e.what == "memory" then return e.address end
  end
end

wait_console("command", "guest2 started", {within = ms(200)})
for turn = 1, 2 do
  at_work()
  run_for(us(23 * turn)) -- at no moment in particular
  local before, at = partition("guest1"), memory()
  operator("pause guest1", "^pause guest1: done")
  operator("save guest1", "^save guest1: done")
  expect_eq(partition("guest1").state, "saved", "guest1's state")
  expect_eq(partition("guest1").cr3, 0, "guest1's instance is no more")
  run_for(ms(2)) -- guest2 sends in vain
  local cpu = (before.cpu + 1) % cpus
  operator(string.format("restore guest1 cpu %d", cpu), "^restore guest1: done")
  expect(memory() ~= at, "guest1's memory is elsewhere")
  expect_eq(owner(at), "available", "whose its frames were")
  operator("resume guest1", "^resume guest1: done")
  expect_eq(partition("guest1").cpu, cpu, "guest1's CPU")
  operator("scan", "^scan: every invariant holds")
  note(string.format("turn %d: memory 0x%x -> 0x%x, CPU %d -> %d", turn, at, memory(),
                     before.cpu, cpu))
end
at_work() -- in what is left of both
-- What each program says at its end, in whatever order.
local said = ""
for i = 1, 3 do
  said = said .. wait_console("*", "^%a+: %d+ ", {within = s(20)}) .. "\n"
end
for _, wanted in ipairs{"tcp: 400000 bytes sent, .*the other side has the same",
                        "tcp: 400000 bytes received, each as it should be",
                        "files: 40 made, copied, compared"} do
  expect(string.find(said, wanted), wanted .. " is not in " .. said)
end
expect_eq(wait_off{within = s(2)}, 0, "the code at the end")
