-- SPDX-License-Identifier: GPL-2.0-or-later
-- S56: a guest that copies blocks and writes records is paused, saved and its
-- instance destroyed; then it is restored over other frames and on another CPU, and
-- goes on; several times.  Its neighbour, its servers and whoever listens to its
-- diagnostics notice time alone, and the disk oracle finds every record.
--   --set cpus=4 --set times=3
local cpus <const> = param("cpus", 2)
local times <const> = param("times", 3)

machine{
  policy = "policy/move.policy",
  cpus = cpus,
  serial_hz = 184320000, -- no waiting for the console
}

local function operator(line, answer)
  send(line .. "\r")
  return wait_console("operations", answer, {within = ms(200)})
end

-- First address of each kind of what belongs to guest1.
local function places()
  local at = {}
  for _, e in ipairs(extents("guest1")) do
    at[e.what] = at[e.what] or e.address
  end
  return at
end

wait_console("command", "guest2 started", {within = ms(200)})
local target = 40
for turn = 1, times do
  wait_event("committed", {stream = 1, record = target}, {within = ms(300)})
  target = target + 80
  run_for(us(23 * turn)) -- at no moment in particular
  inject.device("nvme0", "slow", 2000) -- with requests under way

  local before, instance = partition("guest1"), places()
  expect_eq(before.state, "running", "guest1's state")
  operator("pause guest1", "^pause guest1: done")
  expect_eq(partition("guest1").state, "paused", "guest1's state")
  local ran = partition("guest1").ran
  run_for(us(500))
  expect_eq(partition("guest1").ran, ran, "guest1 stands still")

  operator("save guest1", "^save guest1: done")
  local saved = partition("guest1")
  expect_eq(saved.state, "saved", "guest1's state")
  expect_eq(saved.cr3, 0, "guest1's address space")
  expect_eq(places().monitor, nil, "guest1's instance")
  expect_eq(owner(instance.monitor), "available", "the frames of its instance")
  operator("scan", "^scan: every invariant holds")
  run_for(ms(1))

  local cpu = (before.cpu + 1) % cpus
  operator(string.format("restore guest1 cpu %d", cpu), "^restore guest1: done")
  expect_eq(partition("guest1").state, "paused", "guest1's state")
  local now_at = places()
  expect(now_at.memory ~= instance.memory, "guest1's memory is elsewhere")
  expect_eq(owner(instance.memory), "available", "whose its frames were")
  inject.device("nvme0", "slow", 0)
  operator("resume guest1", "^resume guest1: done")
  wait_event("committed", {stream = 1}, {within = ms(50)})
  local after = partition("guest1")
  expect_eq(after.state, "running", "guest1's state")
  expect_eq(after.number, before.number, "guest1's number")
  expect_eq(after.incarnation, before.incarnation, "guest1's incarnation")
  expect_eq(after.cpu, cpu, "guest1's CPU")
  operator("scan", "^scan: every invariant holds")
  note(string.format("turn %d: memory 0x%x -> 0x%x, CPU %d -> %d", turn,
                     instance.memory, now_at.memory, before.cpu, cpu))
end

wait_console("guest1", "verified, [1-9]%d* replayed, 0 errors", {within = s(1)})
wait_console("guest2", "600 verified, 0 replayed, 0 errors", {within = s(1)})
expect_eq(wait_off{within = s(1)}, 0, "the code at the end")
