-- SPDX-License-Identifier: GPL-2.0-or-later
-- A guest that touches a register of a device, mapped or by a port, faults there;
-- it was given none, and the console, the disk and the others are unharmed.
machine{
  cpus = param("cpus", 1),
  serial_hz = 184320000,
  modules = {"uv", "boot", "idle", "io", "command", "operations", "diagnostics",
             "guest", "probe"},
  policy = "policy/s70.policy",
}

local vector = {14, 14, 14, 14, 13, 13, 13}
local address = {0x30001000, 0xc0020000, 0xfee00020, 0xfec00000, 0, 0, 0}

expect_eq(wait_off{within = ms(600)}, 3, "the code at the end")
for i = 1, #vector do
  local p = partition("probe" .. i - 1)
  expect_eq(p.state, "crashed", p.name)
  expect_eq(p.vector, vector[i], p.name .. "'s exception")
  expect_eq(p.address, address[i], p.name .. "'s address")
end
for _, name in ipairs{"ultravisor", "io.a", "io.b", "command", "operations"} do
  expect_eq(partition(name).state, "running", name)
  expect_eq(partition(name).incarnation, 1, name)
end
expect_eq(partition("guest1").state, "stopped", "guest1")
