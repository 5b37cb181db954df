-- SPDX-License-Identifier: GPL-2.0-or-later
-- The same through a guest's channel.
local op = param("op", "read")
machine{
  cpus = param("cpus", 1),
  policy = op .. ".policy",
  serial_hz = 184320000,
  turn = us(1), -- two CPUs that work hand in hand
  disk_read = us(param("read_us", 12)),
  disk_write = us(param("write_us", 18)),
}
local function ran()
  local t = {}
  for _, p in ipairs(partitions()) do t[p.name] = p.ran end
  return t
end
wait_console("guest1", "^load: begins", {within = ms(100)})
local before = ran()
local line = wait_console("guest1", "^load: %d+ " .. op, {within = ms(2000)})
local n, t, failed = string.match(line, "(%d+) %a+ in (%d+) ns, (%d+) failed")
expect_eq(failed, "0", "failed")
expect_eq(n, "8000", "requests that ended")
local text = ""
for name, value in pairs(ran()) do
  text = text .. " " .. name .. " " .. (value - (before[name] or 0)) // 1000
end
note(string.format("result through %s %d %d%s", op .. "s", n, t, text))
