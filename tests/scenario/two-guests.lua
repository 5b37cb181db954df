-- SPDX-License-Identifier: GPL-2.0-or-later
-- Two guests, one through each I/O partition, nothing fails: what QEMU is
-- compared with.
machine{
  cpus = param("cpus", 1),
  policy = "../oracle/two-guests.policy",
}
expect_eq(wait_off{within = ms(500)}, 0, "the code at the end")
