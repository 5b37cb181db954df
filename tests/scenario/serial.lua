-- SPDX-License-Identifier: GPL-2.0-or-later
-- A kernel that answers what is typed, until it is told to end.
machine{
  kernel = "echo",
  modules = {},
  disk = false,
  controllers = 0,
  serial = param("serial", "file"),
}
expect_eq(wait_off{within = s(60)}, 7, "the code at the end")
