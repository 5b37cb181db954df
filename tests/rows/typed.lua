-- SPDX-License-Identifier: GPL-2.0-or-later
-- What an operator pastes: more at once than the monitor keeps (256 bytes) and the
-- UART holds (16), sent faster than operations answers.  Nothing of it gets lost.
machine{
  policy = "../../scenarios/policy/operator.policy",
  cpus = param("cpus", 1),
  serial_hz = 184320000,
}

wait_console("command", "guest2 started", {within = ms(200)})

local lines = {"begin"}
for i = 1, 14 do
  lines[#lines + 1] = string.format("schedule guest%d quantum %d", i % 2 + 1,
                                    100 + i)
end
lines[#lines + 1] = "commit"
lines[#lines + 1] = "show guest1"
local text = table.concat(lines, "\r") .. "\r"
expect(#text > 256 + 16, "more than has room")
send(text)

for i = 1, 14 do
  wait_console("operations", string.format("gathered: .* %d operations", i),
               {within = ms(100)})
end
wait_console("operations", "transaction: done", {within = ms(100)})
wait_console("operations", "quantum 114 us", {within = ms(100)})
