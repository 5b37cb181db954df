-- SPDX-License-Identifier: GPL-2.0-or-later
-- A kernel that resets the platform twice: by a triple fault (--set way=t, or T:
-- of the second CPU), port CF9 (c), the keyboard controller (k) or port 92 (a).
machine{
  kernel = "reset",
  modules = {},
  disk = false,
  controllers = 0,
  cpus = 2,
  cmdline = param("way", "t"),
  on_reset = param("on_reset", "stop"),
}
expect_eq(wait_off{within = ms(100)}, 42, "the code at the end")
