-- SPDX-License-Identifier: GPL-2.0-or-later
-- Two guests on one disk by two paths, both of which live: each path carries a
-- guest's load; then guest1 goes over to the other path, and back, while nobody
-- died, and finds there what it wrote by the first.
machine{
  cpus = param("cpus", 1),
  serial_hz = 184320000,
  policy = "policy/s72.policy",
}

-- The channel of a guest to its disk, and who serves it.
local function path(guest)
  for _, c in ipairs(channels()) do
    if c.type == "block" and c.client == guest then return c end
  end
end

local function served(guest, server)
  expect_eq(path(guest).server, server, guest .. "'s path")
end

wait_event("committed", {stream = 1, record = 10}, {within = ms(200)})
served("guest1", "io.a")
served("guest2", "io.b")
local before = {path("guest1").passed, path("guest2").passed}
run_for(ms(8))
local a = path("guest1").passed - before[1]
local b = path("guest2").passed - before[2]
expect(a >= (a + b) // 4 and b >= (a + b) // 4,
       string.format("the load is shared: %d and %d messages", a, b))
for _, controller in ipairs{"nvme0", "nvme1"} do
  wait_event("disk", {device = controller}, {within = ms(4)})
end

-- All by io.b, then shared again.
local function goes(verb, server)
  send(verb .. " io.a\r")
  local c = path("guest1")
  wait_event("channel", {id = c.id, server = server}, {within = ms(40)})
  wait_event("block_response", {channel = c.id}, {within = ms(4)})
  served("guest1", server)
  served("guest2", "io.b")
  local device = server == "io.a" and "nvme0" or "nvme1"
  wait_event("issued", {stream = 1}, {within = ms(8)})
  local written = wait_event("disk", {device = device}, {within = ms(4)})
  expect(written.time > 0, "it writes there")
end
goes("failover", "io.b")
goes("failback", "io.a")
for _, name in ipairs{"guest1", "guest2"} do
  wait_console(name, "150 verified, %d+ replayed, 0 errors",
               {within = ms(500)})
end
for _, name in ipairs{"io.a", "io.b"} do
  expect_eq(partition(name).state, "running", name)
  expect_eq(partition(name).incarnation, 1, name .. "'s incarnation")
end
