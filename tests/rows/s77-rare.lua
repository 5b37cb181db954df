-- SPDX-License-Identifier: GPL-2.0-or-later
-- A policy that looks at the beats once in a second: an I/O partition that dies by a
-- report is replaced and started anew all the same, not at the next look.
machine{
  cpus = param("cpus", 1),
  serial_hz = 184320000,
  policy = "policy/s77-rare.policy",
}
wait_event("committed", {stream = 1, record = 20}, {within = ms(3000)})
local io = partition("io.a").incarnation
inject.crash("io.a")
wait_console("command", "decision: move 1 channels of io.a to io.b", {within = ms(2)})
wait_console("command", "decision: restart io.a", {within = ms(5)})
wait_event("committed", {stream = 1}, {within = ms(5)})
run_for(ms(10))
expect_eq(partition("io.a").incarnation, io + 1, "io.a was started anew")
expect_eq(partition("io.a").state, "running", "io.a's state")
