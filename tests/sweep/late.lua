-- SPDX-License-Identifier: GPL-2.0-or-later
-- io.a dies with writes in flight: what it had sent to its controller must not
-- reach the disk after what the guest wrote by the other path.  Marked for
-- sweeps; the disk is looked at when nothing can come any more.
--   --set slow=US: its controller takes so much longer for each command, and the
--     writes go through the cache, so that a late one is on the disk at once
--   slow=0: six writes to three blocks are under way together, the last six
local slow = param("slow", 0)

machine{
  cpus = param("cpus", 1),
  policy = slow > 0 and "late-fua.policy" or "late.policy",
  serial_hz = 184320000,
  disk = "1M",
}
wait_event("block_request", {op = 2, record = 5}, {within = ms(200)})
if slow > 0 then
  inject.fault("device nvme0 slow " .. slow)
end
-- What is written after the range must not hide what went wrong in it.
local record = slow > 0 and 10 or 23
wait_event("block_request", {op = 2, record = record}, {within = ms(20)})
mark("submit")
wait_event("committed", {stream = 1, record = record}, {within = ms(20)})
mark("done")
wait_event("done", {stream = 1}, {within = ms(50)})
run_for(ms(3))
