-- SPDX-License-Identifier: GPL-2.0-or-later
-- Debian's own kernel (tools/fetch-linux) boots to a shell on the serial line,
-- works on an NVMe disk, and switches the machine off.
--   --set flavour=amd64      the other kernel
--   --set cpus=4
--   --set ram=1G
--   --set iommu=true --set words=intel_iommu=on   behind an IOMMU (amd64's)
--   --set serial_hz=1843200  a serial line as slow as a real one
--   --set run=COMMANDS       instead of those below; empty: a shell, for ever
--   --set serial=terminal --set run=   you sit at the shell; Ctrl-A x leaves
--   --set symbols=FILE       names of its functions, beside those it has itself
--   --set disk=FILE          a raw image of 64 MiB that it works on a copy of
local flavour = param("flavour", "cloud-amd64")
local run = param("run", "cat /proc/interrupts; poweroff -f")
local image = param("disk", "")
local symbols = param("symbols", "")

machine{
  cpus = param("cpus", 1),
  ram = param("ram", "512M"),
  serial = param("serial", "file"),
  serial_hz = param("serial_hz", 184320000), -- 100 times the usual: no waiting
  kernel = "../build/linux/vmlinuz-" .. flavour,
  initrd = "../build/linux/initramfs-" .. flavour .. ".img",
  symbols = symbols ~= "" and symbols or nil,
  iommu = param("iommu", false),
  cmdline = "console=ttyS0,115200 " .. param("words", "") .. (run ~= "" and ' run="' .. run .. '"' or ""),
  controllers = 1,
  disk = "64M",
  disk_image = image ~= "" and image or nil,
}

local within = run ~= "" and s(60) or s(86400)
expect_eq(wait_off{within = within}, 0, "the code at the end")
