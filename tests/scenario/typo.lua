-- SPDX-License-Identifier: GPL-2.0-or-later
-- A name with a typing error: status 2, with this file and line 7.
machine{
  policy = "../../scenarios/policy/quickstart.policy",
}

run_fro(ms(1))
