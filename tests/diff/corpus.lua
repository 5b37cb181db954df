-- SPDX-License-Identifier: GPL-2.0-or-later
-- Boot, two guests at work, and an I/O partition that hangs: what
-- `parterre diff --run` is tried on.
machine{
  policy = "../../scenarios/policy/failover.policy",
}
run_until(ms(43))
inject.hang("io.a")
run_until(ms(52))
