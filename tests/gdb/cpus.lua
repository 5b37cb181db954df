-- SPDX-License-Identifier: GPL-2.0-or-later
-- Two guests at work on some CPUs: what a debugger looks at.
machine{ policy = "../../scenarios/policy/failover.policy", cpus = param("cpus", 1) }
wait_console("command", "guest2 started", {within = ms(200)})
run_for(ms(15))
