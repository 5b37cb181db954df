-- SPDX-License-Identifier: GPL-2.0-or-later
-- Debian's kernel on a virtio disk and the entropy device; what the host finds
-- in virtio.img is checked by test_linux.c.
machine{
  ram = "256M",
  kernel = "../../build/linux/vmlinuz-cloud-amd64",
  initrd = "../../build/linux/initramfs-cloud-amd64.img",
  cmdline = 'console=ttyS0,115200 quiet run="' ..
    'cat /sys/class/misc/hw_random/rng_current; ' ..
    'dd if=/dev/hwrng bs=512 count=1 2>/dev/null | sha256sum; ' ..
    'mke2fs -q /dev/vda && mount -t ext4 /dev/vda /mnt && ' ..
    'cp /bin/busybox /mnt/b && umount /mnt && mount -t ext4 /dev/vda /mnt && ' ..
    'sha256sum /mnt/b /bin/busybox | cut -c1-64 | uniq -c && umount /mnt; poweroff -f"',
  virtio_disk = "64M",
  rng = true,
  disk = false,
  controllers = 0,
}
expect_eq(wait_off{within = s(60)}, 0, "the code at the end")
