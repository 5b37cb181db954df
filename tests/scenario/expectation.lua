-- SPDX-License-Identifier: GPL-2.0-or-later
-- Expects what is not: status 1, file and line 8, the instant, what was seen.
machine{
  policy = "../../scenarios/policy/quickstart.policy",
}

run_until(ms(17))
expect_eq(partition("io.a").state, "crashed", "io.a's state")
