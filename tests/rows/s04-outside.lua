-- SPDX-License-Identifier: GPL-2.0-or-later
-- Whoever reads or writes outside of what it was given is stopped there; the
-- text and the constants of all others are what they were, and the guest's work
-- comes out right.
machine{
  cpus = param("cpus", 1),
  serial_hz = 184320000, -- no waiting for the console
  modules = {"uv", "boot", "idle", "io", "command", "operations", "guest",
             "probe"},
  policy = "policy/s04.policy",
}

local vector = {14, 14, 14, 14, 14, 14, 13}
local address = {0x201000, 0x400000, 0x600000, 0x21f00000, 0x30000000,
                 0xffffffff80000000, 0}

wait_event("partition", {name = "guest1"}, {within = ms(200)})
local system = {"ultravisor", "io.a", "io.b", "command", "operations"}
local text = {}
for _, name in ipairs(system) do
  text[name] = read(name, 0x400000, 8192)
end
expect_eq(wait_off{within = ms(600)}, 3, "the code at the end")
for i = 1, #vector do
  local p = partition("probe" .. i - 1)
  expect_eq(p.state, "crashed", p.name)
  expect_eq(p.vector, vector[i], p.name .. "'s exception")
  expect_eq(p.address, address[i], p.name .. "'s address")
end
for _, name in ipairs(system) do
  expect_eq(partition(name).state, "running", name)
  expect(read(name, 0x400000, 8192) == text[name], name .. "'s text")
end
expect_eq(partition("guest1").state, "stopped", "guest1")
