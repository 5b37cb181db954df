-- SPDX-License-Identifier: GPL-2.0-or-later
-- One guest on one path, nothing fails: what QEMU is compared with, line for
-- line.
machine{
  policy = "../../scenarios/policy/quickstart.policy",
}
expect_eq(wait_off{within = ms(500)}, 0, "the code at the end")
