-- SPDX-License-Identifier: GPL-2.0-or-later
-- S52: several processes with memory protection between them, preempted by the
-- timer, woken by events; those that break the rules end alone.
machine{ policy = "policy/s52.policy", cpus = param("cpus", 1) }

expect_eq(wait_off{within = ms(900)}, 3, "a program failed, so its guest did")
