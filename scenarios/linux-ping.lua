-- SPDX-License-Identifier: GPL-2.0-or-later
-- Two machines with Debian's own kernel (tools/fetch-linux) on one switch ping
-- each other over virtio-net; what they send is in network.pcap.
--   --set flavour=amd64      the other kernel
--   --set cpus=2
local flavour = param("flavour", "cloud-amd64")

network{latency = us(50), capture = true}

local function linux(name, own, other)
  return machine{
    name = name,
    cpus = param("cpus", 1),
    ram = "256M",
    kernel = "../build/linux/vmlinuz-" .. flavour,
    initrd = "../build/linux/initramfs-" .. flavour .. ".img",
    cmdline = 'console=ttyS0,115200 quiet run="ip address add 10.0.0.' .. own ..
      '/24 dev eth0; ip link set eth0 up; sleep 1; ping -c 3 10.0.0.' .. other ..
      '; sleep 1; poweroff -f"',
    nics = 1,
    rng = true,
    disk = false,
    controllers = 0,
  }
end

local a = linux("a", 1, 2)
local b = linux("b", 2, 1)

a:wait_console("*", "3 packets received", {within = s(60)})
b:wait_console("*", "3 packets received", {within = s(60)})
expect_eq(a:wait_off{within = s(20)}, 0, "a's code at the end")
expect_eq(b:wait_off{within = s(20)}, 0, "b's code at the end")
