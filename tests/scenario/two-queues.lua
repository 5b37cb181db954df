-- SPDX-License-Identifier: GPL-2.0-or-later
-- Two guests on one I/O partition: a queue pair and an interrupt each.  Commands get
-- lost; the controller is reset, its queues are made anew, and both guests go on.
machine{policy = "two-queues.policy", serial_hz = 184320000, disk = "1M",
        cpus = param("cpus", 1)}

local SQ1_TAIL, SQ2_TAIL = 0x1008, 0x1010
local function both_queues()
  for _, tail in ipairs{SQ1_TAIL, SQ2_TAIL} do
    wait_event("reg_write", {device = "nvme0.bar0", offset = tail},
               {within = ms(5)})
  end
  local first = wait_event("msi", {device = "nvme0"}, {within = ms(5)})
  local other = first
  while other.data == first.data do
    other = wait_event("msi", {device = "nvme0"}, {within = ms(5)})
  end
end

wait_event("committed", {stream = 2, record = 20}, {within = ms(200)})
both_queues()
inject.fault("device nvme0 timeout 3")
wait_console("io.a", "command timed out, controller reset", {within = ms(200)})
wait_event("committed", {stream = 1}, {within = ms(20)})
wait_event("committed", {stream = 2}, {within = ms(20)})
both_queues()
expect_eq(wait_off{within = ms(2000)}, 0, "the code at the end")
