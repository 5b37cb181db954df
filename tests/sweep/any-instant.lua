-- SPDX-License-Identifier: GPL-2.0-or-later
-- One I/O partition fails at an instant, in a way, drawn by --seed.  Whatever is
-- drawn, both guests finish their work and nothing is lost or doubled.
machine{
  policy = "../../scenarios/policy/failover.policy",
}

run_until(ms(31) + ns(math.random(0, 85000000)))
inject[math.random(2) == 1 and "crash" or "hang"](
  math.random(2) == 1 and "io.a" or "io.b")
wait_console("guest1", "400 verified, %d+ replayed, 0 errors", {within = s(1)})
wait_console("guest2", "400 verified, %d+ replayed, 0 errors", {within = s(1)})
expect_eq(wait_off{within = s(1)}, 0, "the code at the end")
