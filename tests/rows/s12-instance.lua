-- SPDX-License-Identifier: GPL-2.0-or-later
-- The private state of one monitor instance is overwritten: that partition is
-- stopped by it, no other.
--   --set who=guest2 --set byte=255
-- With --set at=interrupt that comes when an interrupt has taken the CPU from its
-- kernel for somebody else: what its state says then decides whether it is taken for
-- one that waits, for ever.
local who, other = param("who", "guest2"), param("other", "guest1")

machine{
  cpus = param("cpus", 1),
  serial_hz = 184320000,
  policy = "../../scenarios/policy/failover.policy",
}
wait_event("committed", {stream = 1, record = 20}, {within = ms(200)})
wait_event("committed", {stream = 2, record = 60}, {within = ms(200)})
if param("at", "") == "interrupt" then
  local e
  repeat -- of a device, or from another CPU, within the kernel's own program
    e = wait_event("interrupt", {partition = who}, {within = ms(50)})
  until e.vector ~= 0xe0 and e.rip < 0x10000000
end
-- The partition's page tables of its windows and memory, from frame 12 on, and
-- its stack's frames are left; its state (frames 6, 7) is not.
for _, frame in ipairs{6, 7} do
  inject.fault(string.format("instance %s %d %d", who, frame, param("byte", 255)))
end
local death = wait_event("state", {of = who}, {within = ms(20)})
expect_eq(partition(who).state, "crashed", who)
note(string.format("vector %d rip 0x%x", death.vector, death.rip))
wait_event("committed", {stream = 1, record = 200}, {within = ms(100)})
for _, p in ipairs(partitions()) do
  if p.name ~= who and p.name ~= "available" and p.name ~= "boot" then
    expect_eq(p.state, "running", p.name)
    expect_eq(p.incarnation, 1, p.name .. "'s incarnation")
  end
end
wait_console(other, "400 verified, 0 replayed, 0 errors", {within = ms(300)})
