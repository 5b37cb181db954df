-- SPDX-License-Identifier: GPL-2.0-or-later
-- Behind an IOMMU an I/O partition's controller reaches that partition's memory
-- and the data pages of its channels.  A DMA that goes astray, here into the
-- program of the ultravisor, is refused and told of; the driver has its
-- controller reset, and the guests notice nothing.
--   --set iommu=false    the same without one: the ultravisor's program is spoilt
machine{
  iommu = param("iommu", true),
  policy = "policy/failover.policy",
}

wait_event("committed", {stream = 1, record = 20}, {within = ms(200)})
local there = physical("ultravisor", 0x400000)
local before = ram(there, 16)
inject.fault(string.format("device nvme0 stray 0x%x", there))
local fault = wait_event("dma_fault", {device = "nvme0"}, {within = ms(20)})
expect_eq(fault.address, there, "where it went")
expect(ram(there, 16) == before, "the ultravisor's program is what it was")
note("refused at", fault.time // us(1), "us")
expect_eq(wait_off{within = s(2)}, 0, "the code at the end")
