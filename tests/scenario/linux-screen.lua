-- SPDX-License-Identifier: GPL-2.0-or-later
-- Debian's kernel (tools/fetch-linux) writes its log to the screen: by vgacon,
-- or by bochs-drm where the kernel has it.
local flavour = param("flavour", "cloud-amd64")

machine{
  ram = "512M",
  kernel = "../../build/linux/vmlinuz-" .. flavour,
  initrd = "../../build/linux/initramfs-" .. flavour .. ".img",
  cmdline = "console=ttyS0,115200 console=tty0 ignore_loglevel "
            .. 'run="poweroff -f"',
  serial_hz = 184320000,
  controllers = 0,
  disk = false,
}
wait_console("*", "Preparing to enter system sleep state", {within = s(60)})
screenshot("screen.png")
wait_off{within = s(60)}
