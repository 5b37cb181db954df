-- SPDX-License-Identifier: GPL-2.0-or-later
-- What an I/O partition's driver reaches on the device, alone (tests/bench/io/run).
machine{
  cpus = param("cpus", 1),
  modules = {"uv", "boot", "idle", "bench-disk/io", "command",
             "operations"},
  policy = "read.policy", -- read by nobody
  cmdline = "io=1",
  serial_hz = 184320000,
  turn = us(1), -- two CPUs that work hand in hand
  disk_read = us(param("read_us", 12)),
  disk_write = us(param("write_us", 18)),
}
for _, what in ipairs{"reads", "writes"} do
  wait_console("io.a", "^load: begins", {within = ms(100)})
  local before = partition("io.a").ran
  local line = wait_console("io.a", "^load: %d+ " .. what, {within = ms(2000)})
  local n, t, failed = string.match(line, "(%d+) %a+ in (%d+) ns, (%d+) failed")
  expect_eq(failed, "0", "failed")
  expect_eq(n, "8000", "commands that ended")
  note(string.format("result alone %s %d %d io.a %d", what, n, t,
                     (partition("io.a").ran - before) // 1000))
end
