-- SPDX-License-Identifier: GPL-2.0-or-later
-- Boots all partitions; two guests write and read back their records, one
-- through each I/O partition.  Nothing fails.
machine{
  policy = "policy/failover.policy",
}

wait_console("io.a", "ready", {within = ms(100)})
wait_console("io.b", "ready", {within = ms(100)})
wait_console("command", "guest2 started", {within = ms(100)})

-- Both are at work: each channel carries messages.
run_for(ms(20))
for _, channel in ipairs(channels()) do
  if channel.type == "block" then
    expect(channel.passed > 0, channel.client .. "'s channel is in use")
  end
end

wait_console("guest1", "0 replayed, 0 errors", {within = ms(500)})
wait_console("guest2", "0 replayed, 0 errors", {within = ms(500)})
expect_eq(wait_off{within = ms(500)}, 0, "the code at the end")
