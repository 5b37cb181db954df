/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows S70 and S81: devices are the I/O partitions' alone; behind an IOMMU a
 * device reaches what its I/O partition has, and nothing else. */
#include "rows.h"

Test(rows, s70_a_guest_that_touches_a_device_faults)
{
	row_scenario("s70-devices", "");
}

Test(rows, s70_only_io_partitions_have_devices)
{
	row_scenario("mapped", "--set row=70");
	row_scenario("transact", "--set row=70");
}

Test(rows, s81_devices_reach_what_their_partition_has)
{
	row_scenario("s81-reach", "");
}

Test(rows, s81_stray_dma_is_refused_and_told)
{
	row_scenario("s81-dma", "--set what=stray");
	row_scenario("s81-dma", "--set what=anew");
}

Test(rows, s81_no_late_write_of_a_controller_that_heard_of_no_fence)
{
	row_scenario("s81-dma", "--set what=late");
}

Test(rows, s81_no_harm_by_ones_own_device)
{
	row_scenario("s81-hostile", "");
}
