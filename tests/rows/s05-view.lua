-- SPDX-License-Identifier: GPL-2.0-or-later
-- A monitor's limits are those of the view: pages that are taken from it are
-- refused from the next call on, and allowed when they are there again.
machine{
  cpus = param("cpus", 1),
  serial_hz = 184320000,
  modules = {"uv", "boot", "idle", "io", "command", "operations", "guest",
             "probe"},
  policy = "policy/s05.policy",
}
wait_console("probe", "^ready for a smaller view", {within = ms(200)})
-- struct view_head; struct view: extent[0].frames follows number, name, kind,
-- incarnation, extents, cpus, data_va, data_bytes, args, extent[0].pfn.
local active = string.unpack("<I8", read("probe", 0x200000, 8))
local frames = 0x200000 + 4096 * (1 + (active & 1)) + 8 + 16 + 16 + 16 + 128 + 8
expect_eq(string.unpack("<I8", read("probe", frames, 8)), 512, "its frames")
-- Between two of its calls: nobody changes a view that is in force, so a monitor
-- in the middle of one is not to see it change.
wait_event("syscall", {partition = "probe"}, {within = ms(1)})
inject.memory("probe", frames, string.pack("<I8", 511))
wait_console("probe", "^refused", {within = ms(20)})
inject.memory("probe", frames, string.pack("<I8", 512))
wait_console("probe", "^PASS", {within = ms(100)})
