-- SPDX-License-Identifier: GPL-2.0-or-later
-- DMA that must not be, behind an IOMMU, while two guests work.
--   --set what=stray  io.a's controller writes elsewhere: into the program of a
--                     guest, of io.b, of the monitors, and of the ultravisor
--   --set what=late   io.a dies, and its controller hears of no fence: what it
--                     had in flight comes when io.b has gone on long since
--   --set what=anew   stray, and the first time the ultravisor is not there: its
--                     next program finds the fault recorded
--   --set iommu=false what it would do without
local what = param("what", "stray")

machine{
  cpus = param("cpus", 1),
  serial_hz = 184320000,
  iommu = param("iommu", true),
  policy = "policy/s72.policy",
}

-- The next fault: of that controller, to there (nil: anywhere); the ultravisor
-- hears of it and diagnostics keeps it.
local function refused(address, write)
  local e = wait_event("dma_fault", {device = "nvme0"}, {within = ms(20)})
  expect_eq(e.requester, 2 << 3, "the requester")
  if address then
    expect_eq(e.address, address, "where to")
    expect_eq(e.write, 1, "a write")
  end
  return e
end

local function stray(address)
  local before = ram(address, 4096)
  inject.device("nvme0", "stray", address)
  refused(address)
  expect(ram(address, 4096) == before,
         string.format("0x%x is as it was", address))
  local line = wait_console("diagnostics", "DMA fault: io%.a: device 1",
                            {within = ms(20)})
  expect(string.find(line, string.format("writes %x: refused", address)), line)
  -- The driver gets over it.
  wait_event("committed", {stream = 1}, {within = ms(100)})
end

-- The ultravisor's last: one that begins anew gets its program loaded again.
local function strays()
  stray(physical("guest2", 0x400000))
  stray(physical("io.b", 0x400000))
  for _, e in ipairs(extents("monitor")) do
    if e.what == "text" then stray(e.address) end
  end
  stray(physical("ultravisor", 0x400000))
end

wait_event("committed", {stream = 1, record = 20}, {within = ms(200)})
if what == "late" then
  inject.device("nvme0", "slow", 1500)
  inject.device("nvme0", "deaf", 1)
  local w = wait_event("block_request", {op = 2, stream = 1}, {within = ms(20)})
  run_for(us(100)) -- it is at the controller
  inject.crash("io.a")
  inject.device("nvme0", "slow", 0)
  local moved = wait_event("channel", {id = w.channel, server = "io.b"},
                           {within = ms(2)})
  wait_event("block_response", {channel = moved.id}, {within = ms(1)})
  if param("iommu", true) then
    local e = refused(nil)
    expect(e.time - moved.time > us(300), "it comes late")
    expect_eq(e.reason, 2, "the device is in no domain: VT-d's reason")
  end
elseif what == "anew" then
  inject.crash("ultravisor")
  strays()
  expect_eq(partition("ultravisor").incarnation, 2, "its incarnation")
else
  strays()
end
for _, name in ipairs{"guest1", "guest2"} do
  wait_console(name, "150 verified, %d+ replayed, 0 errors",
               {within = ms(500)})
end
expect_eq(partition("io.a").incarnation, what == "late" and 2 or 1,
          "io.a's incarnation")
