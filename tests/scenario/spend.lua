-- SPDX-License-Identifier: GPL-2.0-or-later
-- One guest on one path, for as long as takes its process to work: whose cycles
-- are accounted.
machine{
  policy = "../../scenarios/policy/quickstart.policy",
}
run_until(ms(38))
