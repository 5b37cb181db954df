-- SPDX-License-Identifier: GPL-2.0-or-later
-- Boot and two guests at work, for `parterre diff --run`.
machine{
  policy = "../../scenarios/policy/failover.policy",
}
run_until(ms(50))
