-- SPDX-License-Identifier: GPL-2.0-or-later
-- The work of tests/rows/image/costs.c; tests/rows/costs.awk counts.
--   --set row=47 --set ram=4G --set cpus=2 --set turns=64 --set lives=4
machine{
  cpus = param("cpus", 1),
  serial_hz = 184320000,
  ram = param("ram", "64M"),
  modules = {"uv", "boot", "idle", "io", "rows/command", "rows/operations",
             "probe"},
  policy = "policy/s44.policy", -- read by nobody
  cmdline = "row=" .. param("row", 47) .. " turns=" .. param("turns", 64) ..
            " lives=" .. param("lives", 4) .. " channels=" .. param("lives", 4),
}
local function passes(who)
  local line = wait_console(who, "^%u%u%u%u row", {within = s(2000)})
  expect(string.find(line, "^PASS"), line)
end
passes("operations")
if param("row", 47) == 47 then passes("peer") end
