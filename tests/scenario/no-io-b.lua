-- SPDX-License-Identifier: GPL-2.0-or-later
-- Only io.a was booted (io=1): when it crashes, no other path is there within a
-- millisecond.  Ends with status 4.
machine{
  policy = "../../scenarios/policy/no-io-b.policy",
  cmdline = "io=1",
}

wait_event("committed", {stream = 1, record = 20}, {within = ms(200)})
inject.crash("io.a")
wait_event("channel", {client = "guest1", server = "io.b"}, {within = ms(1)})
