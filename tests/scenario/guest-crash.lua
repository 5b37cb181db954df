-- SPDX-License-Identifier: GPL-2.0-or-later
-- The monitors' text is overwritten: no handler is left for any fault, and the
-- CPU shuts down.  Ends with status 3.
machine{
  policy = "../../scenarios/policy/quickstart.policy",
}

run_until(ms(20))
inject.ram(1 << 20, string.rep("\x06", 1 << 20))
run_until(ms(30))
