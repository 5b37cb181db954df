/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/rows/image/devices.c - row 70: devices are the I/O partitions' alone.
 *
 * As a guest, `access=N`: none is given by a call, and then one access to a
 * register, mapped or by a port; whoever gets past it has failed.  In the place
 * of operations (transact.h): no transaction gives one to any other kind.
 */
#include "transact.h"

#define FREE_DEVICE 3

static void refused(void)
{
	static const uint32_t kinds[] = {PART_GUEST, PART_OPERATIONS,
					 PART_COMMAND, PART_DIAGNOSTICS};
	uint64_t row[8], ultravisor = find_kind(PART_ULTRAVISOR);

	want(find(QUERY_DEVICE, 0, FREE_DEVICE, row), "a device is free");
	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		(void)op_create("x", kinds[i], 1);
		op_on(TXN_DEVICE_ASSIGN, FREE_DEVICE)->target.to =
			TXN_RESULT(0);
		want(commit() != CONTROL_OK, "a device for no I/O partition");
	}
	op_on(TXN_DEVICE_ASSIGN, FREE_DEVICE)->target.to = view_now()->number;
	(void)wants_status(CONTROL_EVALUE, "a device for operations");
	op_on(TXN_DEVICE_ASSIGN, FREE_DEVICE)->target.to = ultravisor;
	(void)wants_status(CONTROL_EVALUE, "a device for the ultravisor");
	want(find(QUERY_DEVICE, 0, FREE_DEVICE, row) &&
		     row[2] == find_kind(PART_AVAILABLE),
	     "it is free still");
}

static void none_is_mapped(void)
{
	for (unsigned i = 0; i < DEVICE_SLOTS; i++) {
		want(!view_now()->device[i].id, "the view names a device");
		want(sys_device_map(i) < 0, "a device was mapped");
	}
	want(sys_device_map(DEVICE_SLOTS) < 0, "a device beyond the last");
}

static void touch(uint64_t va)
{
	(void)*(volatile uint32_t *)(uintptr_t)va;
}

static void touch_port(uint16_t port, bool write)
{
	uint8_t value = 0;

	if (write)
		__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
	else
		__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
}

static void touch_port_wide(uint16_t port)
{
	static uint32_t to[1];
	void *at = to;

	__asm__ volatile("insl" : "+D"(at) : "d"(port) : "memory");
}

void row_70(void)
{
	if (i_am(PART_OPERATIONS))
		refused();
	if (view_now()->kind != PART_GUEST)
		return;
	none_is_mapped();
	switch (view_arg("access", 0)) {
	case 0: /* where an I/O partition has its first device */
		touch(DEVICE_WINDOW_VA + ABI_PAGE_BYTES);
		break;
	case 1: /* machine addresses: a BAR, the local and the I/O APIC */
		touch(0xc0020000);
		break;
	case 2:
		touch(0xfee00020);
		break;
	case 3:
		touch(0xfec00000);
		break;
	case 4: /* the console's line status */
		touch_port(0x3fd, false);
		break;
	case 5: /* configuration space */
		touch_port_wide(0xcfc);
		break;
	default: /* the port that ends the run */
		touch_port(0xf4, true);
		break;
	}
	want(false, "the access was made");
}
