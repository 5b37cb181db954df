-- SPDX-License-Identifier: GPL-2.0-or-later
-- Up to an instant, and nothing that has to have been seen before: it begins at
-- power-on as well as from a snapshot.
machine{ policy = "../../scenarios/policy/failover.policy", cpus = param("cpus", 1) }
run_until(ms(100))
