-- SPDX-License-Identifier: GPL-2.0-or-later
-- The view changes while a monitor is in the middle of a call that goes by it: the
-- partition's memory is gone from it, at one instant of each call after the other,
-- and back behind it.  The call does all or nothing, and the monitor never faults.
machine{
  cpus = param("cpus", 1),
  serial_hz = 184320000,
  modules = {"uv", "boot", "idle", "io", "command", "operations", "guest",
             "probe"},
  policy = "policy/s53-view.policy",
}
local CALLS <const> = 40 -- as the policy says
local AS_MAP <const> = 18

wait_console("probe", "^ready for a view that changes", {within = ms(200)})
-- As in s05-view.lua.
local active = string.unpack("<I8", read("probe", 0x200000, 8))
local frames = 0x200000 + 4096 * (1 + (active & 1)) + 8 + 16 + 16 + 16 + 128 + 8
local many = read("probe", frames, 8)
expect_eq(string.unpack("<I8", many), 512, "its frames")

for call = 0, CALLS - 1 do
  wait_event("syscall", {partition = "probe", number = AS_MAP}, {within = ms(5)})
  run_for(ns(call * 450)) -- the last ones are behind the call's end
  inject.memory("probe", frames, string.pack("<I8", 0))
  run_for(us(20) - ns(call * 450))
  inject.memory("probe", frames, many)
end
local said = wait_console("probe", "^%d+ calls, %d+ refused", {within = ms(20)})
local refused = tonumber(string.match(said, "(%d+) refused"))
expect(refused > 0, "the first of them were refused")
expect(refused < 10, "who had begun was not: " .. said)
wait_console("probe", "^PASS", {within = ms(20)})
expect_eq(partition("probe").incarnation, 1, "its incarnation")
