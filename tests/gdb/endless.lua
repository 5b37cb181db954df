-- SPDX-License-Identifier: GPL-2.0-or-later
-- A guest at work for longer than anyone debugs it: the run does not end before
-- gdb has said what it wants, on no host however fast.
machine{ policy = "endless.policy", cpus = param("cpus", 1) }
run_for(s(3600))
