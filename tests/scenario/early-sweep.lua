-- SPDX-License-Identifier: GPL-2.0-or-later
-- Records that count as durable before they are: what a sweep has to find.
machine{
  policy = "../../scenarios/policy/early-ack.policy",
  serial_hz = 184320000,
  disk = "1M",
}
wait_event("committed", {stream = 1, record = 60}, {within = ms(200)})
