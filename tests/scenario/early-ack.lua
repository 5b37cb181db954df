-- SPDX-License-Identifier: GPL-2.0-or-later
-- The guest's process is told that a record is durable before it was flushed.
-- The power goes while some are: the disk oracle finds them lost (status 5).
machine{
  policy = "../../scenarios/policy/early-ack.policy",
}

wait_event("committed", {stream = 1, record = 20}, {within = ms(200)})
