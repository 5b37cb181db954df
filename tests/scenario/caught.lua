-- SPDX-License-Identifier: GPL-2.0-or-later
-- A failed expectation ends the scenario, also inside pcall: status 1, line 8.
machine{
  policy = "../../scenarios/policy/quickstart.policy",
}

run_until(ms(17))
pcall(expect, partition("io.a").state == "crashed", "io.a has crashed")
run_until(ms(18))
