-- SPDX-License-Identifier: GPL-2.0-or-later
-- The same power cut with the guest as it should be: nothing is lost.
machine{
  policy = "../../scenarios/policy/failover.policy",
}

wait_event("committed", {stream = 1, record = 20}, {within = ms(200)})
