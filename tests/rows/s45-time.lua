-- SPDX-License-Identifier: GPL-2.0-or-later
-- Sleeping, waking, yielding; one surrenders for ever and never runs again.
machine{
  cpus = param("cpus", 1),
  serial_hz = 184320000,
  modules = {"uv", "boot", "idle", "io", "command", "operations", "guest",
             "probe"},
  policy = "policy/s45.policy",
}
for _, name in ipairs{"probe1", "probe2", "quits"} do
  -- Others of higher standing, and their quanta.
  local line = wait_console(name, "^at most %d+ us late", {within = ms(200)})
  expect(tonumber(string.match(line, "%d+")) <= 400, name .. ": " .. line)
end
wait_console("quits", "^PASS row 45", {within = ms(200)})
run_for(ms(1))
local ran = partition("quits").ran
wait_console("probe1", "^[PF]A", {within = ms(200)})
wait_console("probe2", "^[PF]A", {within = ms(200)})
expect_eq(partition("probe1").vector, 0, "probe1's exit code")
expect_eq(partition("probe2").vector, 0, "probe2's exit code")
expect_eq(partition("quits").ran, ran, "what it ran since it surrendered")
expect_eq(partition("quits").state, "running", "its state in the database")
