-- SPDX-License-Identifier: GPL-2.0-or-later
-- One guest, one channel, one request at a time: nothing is decided by who comes
-- first, and so what happens is the same whatever counts time (docs/timing.md).
machine{
  policy = "policy/step-by-step.policy",
}
expect_eq(wait_off{within = s(1)}, 0, "the code at the end")
