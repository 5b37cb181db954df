-- SPDX-License-Identifier: GPL-2.0-or-later
-- The image of the disk is not a disk: status 2 with the remedy.
machine{
  policy = "../../scenarios/policy/quickstart.policy",
  disk_image = "short-disk.lua",
}
