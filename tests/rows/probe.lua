-- SPDX-License-Identifier: GPL-2.0-or-later
-- Partitions of tests/rows/image do what their row's policy says; each says
-- PASS at its end.
--   --set row=s44 --set cpus=4
local row = param("row", "s44")

machine{
  cpus = param("cpus", 1),
  serial_hz = 184320000, -- no waiting for the console
  ram = param("ram", "256M"),
  modules = {"uv", "boot", "idle", "io", "command", "operations",
             "diagnostics", "guest", "probe"},
  policy = "policy/" .. row .. ".policy",
}
expect_eq(wait_off{within = ms(600)}, 0, "the code at the end")

local probes = 0
for _, p in ipairs(partitions()) do
  if string.find(p.name, "^probe") then
    probes = probes + 1
    expect_eq(p.state, "stopped", p.name)
  end
end
expect(probes > 0, "there are probes")
