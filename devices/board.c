/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/board.c - the one machine that there is: a PC.
 *
 *   ports                       memory-mapped
 *   020-021  pic0               A0000-BFFFF  vga0
 *   040-043  pit0   (IRQ 0)     B0000000-BFFFFFFF  pci0, ECAM
 *   061      pit0, port 61
 *   060, 064 kbc0   (IRQ 1, IRQ 12)
 *   070-071  rtc0   (IRQ 8)
 *   092      kbc0, port 92
 *   0A0-0A1  pic0               C0000000 + slot x 64 KiB: BARs of PCI slots
 *   0F4-0F7  exit0              D0000000-D0FFFFFF  vga0, video memory
 *   1CE-1D0  vga0
 *   3B0-3DF  vga0               FEC00000  ioapic0
 *   3F8-3FF  uart0  (IRQ 4)     FED00000  hpet0
 *   4D0-4D1  pic0, ELCR         FEE00000  lapic0 and up
 *   600-60B  pm0    (IRQ 9)     FED90000  iommu0, if asked for
 *   CF8-CFF  pci0
 *
 *   PCI slots (bus 0, function 0; INTA is I/O APIC pin 16 + slot % 4)
 *   0  host bridge    1  vga0    2 to 5  nvme0 to nvme3, one subsystem disk0
 *   6 and 7  net0, net1        8  vblk0        9  rng0
 *
 * Order matters in four places, for a device finds its wires by name when it
 * is added: lapic0 before the other local APICs (it holds the page), isa0
 * (after both interrupt controllers) before whoever has an interrupt wire, pci0
 * before its functions and iommu0, disk0 before its controllers.  The order is
 * also the order of the digest.
 */
#include "devices/board.h"

#include <stdio.h>

#include "devices/acpi.h"

#define VGA_SLOT        1
#define NVME_SLOT_FIRST 2
#define NET_SLOT_FIRST  6
#define BLK_SLOT        8
#define RNG_SLOT        9
#define VIRTIO_BAR2     UINT64_C(0x8000) /* in the slot's window */
#define SLOT_WINDOW     UINT64_C(0x10000)

static bool add(struct machine *m, const char *class_name, const char *name,
		const struct device_prop *props, size_t count,
		struct error *err)
{
	return machine_add_device(m, class_name, name, props, count, err);
}

static bool add_lapics(struct machine *m, struct error *err)
{
	for (unsigned cpu = 0; cpu < machine_cpu_count(m); cpu++) {
		struct device_prop props[] = {{"cpu", cpu, NULL}};
		char name[16];

		snprintf(name, sizeof(name), "lapic%u", cpu);
		if (!add(m, "lapic", name, props, ARRAY_LEN(props), err))
			return false;
	}
	return true;
}

static bool add_vga(struct machine *m, const struct machine_config *c,
		    struct error *err)
{
	struct device_prop props[] = {
		{"slot", VGA_SLOT, NULL},
		{"bar0", BOARD_VIDEO_MEMORY, NULL},
		{"bar2", BOARD_PCI_WINDOW + VGA_SLOT * SLOT_WINDOW, NULL},
		{"width", c->video.width, NULL},
		{"height", c->video.height, NULL},
		{"depth", c->video.depth, NULL},
	};

	return add(m, "vga", "vga0", props, ARRAY_LEN(props), err);
}

static bool add_disk(struct machine *m, const struct machine_config *c,
		     struct error *err)
{
	struct device_prop disk[] = {
		{"path", 0, c->disk_path},
		{"path2", 0, c->more_disks[0]},
		{"path3", 0, c->more_disks[1]},
		{"path4", 0, c->more_disks[2]},
		{"read_ps", c->disk_read_ps, NULL},
		{"write_ps", c->disk_write_ps, NULL},
		{"flush_ps", c->disk_flush_ps, NULL},
	};

	if (!add(m, "nvme_subsys", "disk0", disk, ARRAY_LEN(disk), err))
		return false;
	for (unsigned i = 0; i < c->controllers; i++) {
		unsigned slot = NVME_SLOT_FIRST + i;
		struct device_prop props[] = {
			{"subsystem", 0, "disk0"},
			{"controller", i, NULL},
			{"slot", slot, NULL},
			{"bar0", BOARD_PCI_WINDOW + slot * SLOT_WINDOW, NULL},
		};
		char name[16];

		snprintf(name, sizeof(name), "nvme%u", i);
		if (!add(m, "nvme", name, props, ARRAY_LEN(props), err))
			return false;
	}
	return true;
}

static bool add_virtio(struct machine *m, const char *class_name,
		       const char *name, unsigned slot,
		       const struct device_prop *own, size_t count,
		       struct error *err)
{
	uint64_t window = BOARD_PCI_WINDOW + slot * SLOT_WINDOW;
	struct device_prop props[8] = {
		{"slot", slot, NULL},
		{"bar0", window, NULL},
		{"bar2", window + VIRTIO_BAR2, NULL},
	};

	for (size_t i = 0; i < count; i++)
		props[3 + i] = own[i];
	return add(m, class_name, name, props, 3 + count, err);
}

static bool add_virtios(struct machine *m, const struct machine_config *c,
			struct error *err)
{
	struct device_prop disk[] = {{"path", 0, c->virtio_disk}};
	struct device_prop seed[] = {{"seed", c->seed, NULL}};

	for (unsigned i = 0; i < c->nics; i++) {
		struct device_prop nic[] = {{"nic", i, NULL},
					    {"mac", c->nic_mac + i, NULL}};
		char name[16];

		snprintf(name, sizeof(name), "net%u", i);
		if (!add_virtio(m, "virtio_net", name, NET_SLOT_FIRST + i, nic,
				ARRAY_LEN(nic), err))
			return false;
	}
	return (!c->virtio_disk ||
		add_virtio(m, "virtio_blk", "vblk0", BLK_SLOT, disk,
			   ARRAY_LEN(disk), err)) &&
	       (!c->rng || add_virtio(m, "virtio_rng", "rng0", RNG_SLOT, seed,
				      ARRAY_LEN(seed), err));
}

bool board_build(struct machine *m, const struct machine_config *c,
		 struct error *err)
{
	struct device_prop ioapic[] = {{"id", BOARD_IOAPIC_ID, NULL}};
	struct device_prop rtc[] = {{"seconds", c->rtc_seconds, NULL}};
	struct device_prop com1[] = {
		{"port", 0x3F8, NULL},
		{"irq", 4, NULL},
		{"serial", 0, NULL},
		{"hz", c->serial_hz, NULL},
	};
	struct device_prop com2[] = {
		{"port", 0x2F8, NULL},
		{"irq", 3, NULL},
		{"serial", 1, NULL},
		{"hz", c->serial_hz, NULL},
	};

	return add_lapics(m, err) &&
	       add(m, "ioapic", "ioapic0", ioapic, ARRAY_LEN(ioapic), err) &&
	       add(m, "i8259", "pic0", NULL, 0, err) &&
	       add(m, "isa", "isa0", NULL, 0, err) &&
	       add(m, "hpet", "hpet0", NULL, 0, err) &&
	       add(m, "i8254", "pit0", NULL, 0, err) &&
	       add(m, "mc146818", "rtc0", rtc, ARRAY_LEN(rtc), err) &&
	       add(m, "i8042", "kbc0", NULL, 0, err) &&
	       add(m, "pci_host", "pci0", NULL, 0, err) &&
	       add(m, "acpi_pm", "pm0", NULL, 0, err) &&
	       (!c->iommu || add(m, "vtd", "iommu0", NULL, 0, err)) &&
	       add(m, "uart16550", "uart0", com1, ARRAY_LEN(com1), err) &&
	       add(m, "uart16550", "uart1", com2, ARRAY_LEN(com2), err) &&
	       add(m, "debugexit", "exit0", NULL, 0, err) &&
	       add_vga(m, c, err) && (!c->disk_path || add_disk(m, c, err)) &&
	       add_virtios(m, c, err);
}

bool board_firmware(struct machine *m, struct error *err)
{
	return acpi_tables_install(m, err);
}
