/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/ultravisor/main.c - the ultravisor partition: tracks all resources,
 * serves transactions, decides nothing.  Start reading here; then uv.h.
 *
 * At the start it makes the database from what the boot stage found, gives
 * every frame of RAM an owner, and makes the boot partition; all else is asked
 * for by transactions.  If there is a database already, it is not the first
 * program of this partition, and goes on with the former one's work (adopt.c).
 */
#include "ultravisor/uv.h"

#include "lib/log.h"
#include "lib/string.h"
#include "lib/sys.h"
#include "lib/view.h"

struct db db;
const struct boot_info *boot;
const struct lead_area *lead;
uint64_t uv_number, available_number;

#define EXIT_BAD_START   0x7d
#define EVENT_REPORT_BIT 41
/* Channels on their way come before the telling of an end, but not for ever. */
#define BUSY_TURNS 16
_Static_assert(EVENT_REPORT == 1ull << EVENT_REPORT_BIT, "EVENT_REPORT");

void partition_main(void);

static _Noreturn void give_up(const char *why, int status)
{
	logf_("cannot start: %s (%d)", why, status);
	log_drain();
	(void)sys_lead_off(EXIT_BAD_START);
	sys_exit(1);
}

static void must(int status, const char *what)
{
	if (status)
		give_up(what, status);
}

static void own(const struct boot_range *r, uint64_t owner)
{
	must(db_map_set(&db, r->pfn, r->frames, owner), "map");
}

/* Every frame its owner: free, or one of the ultravisor's. */
static void make_map(void)
{
	struct boot_range r;

	for (uint32_t i = 0; i < boot->ranges; i++)
		own(&boot->range[i], available_number);
	for (uint32_t i = 0; i < boot->modules; i++) {
		r.pfn = boot->module[i].pa >> 12;
		r.frames = (boot->module[i].bytes + 4095) >> 12;
		if (r.frames)
			own(&r, uv_number);
	}
	own(&boot->image, uv_number);
	own(&boot->memory, uv_number);
	r.pfn = boot->number / BLOCK_FRAMES * BLOCK_FRAMES;
	r.frames = BLOCK_FRAMES; /* pool, monitor frames, view, user frame */
	own(&r, uv_number);
}

static void make_myself(void)
{
	static const char me[16] = "ultravisor", module[16] = "uv";
	struct db_part *part;
	struct uv_part *p = &uv_part[UV_SLOT];

	must(db_part_create_at(&db, me, module, PART_ULTRAVISOR, boot->number),
	     "descriptor");
	uv_number = boot->number;
	part = db_part_mut(&db, uv_number);
	part->slot = UV_SLOT;
	part->state = PART_STATE_RUNNING;
	must(state_change(&part->flags, RES_RUNNING), "state");
	part->incarnation = 1;
	part->memory_pfn = boot->memory.pfn;
	part->memory_frames = boot->memory.frames;
	part->monitor_pfn = boot->monitor.pfn;
	part->monitor_frames = boot->monitor.frames;
	part->view_pfn = boot->view.pfn;
	part->standing = 90;
	part->quantum_us = 1000;
	part_know(uv_number);
	p->data_va = view_now()->data_va;
	p->data_bytes = view_now()->data_bytes;
}

/* CPUs are idle's as soon as that exists (part.c), vectors the devices' that
 * the bus scan finds. */
static void make_processors(void)
{
	for (unsigned i = 0; i < lead->cpu_count; i++)
		must(db_cpu_create(&db, i, lead->cpu[i].apic_id,
				   available_number),
		     "CPU");
	for (unsigned v = 0; v < DB_IRQS; v++) {
		struct db_irq *irq = db_irq_mut(&db, v);
		bool device =
			v >= DEVICE_VECTOR_FIRST && v <= DEVICE_VECTOR_LAST;

		must(irq ? CONTROL_OK : CONTROL_ELIMIT, "vector");
		irq->owner = device ? available_number : uv_number;
		irq->flags = device ? RES_ENABLED : RES_RUNNING;
	}
}

static void make_database(void)
{
	static const char available[16] = "available", none[16];
	const char *wrong;
	int controllers;

	must(db_init(&db, (void *)LEAD_WINDOW_VA, boot->pool.pfn,
		     (unsigned)boot->pool.frames),
	     "pool");
	must(db_begin(&db), "transaction");
	/* The ultravisor first: its descriptor's place is fixed. */
	make_myself();
	must(db_part_create(&db, available, none, PART_AVAILABLE,
			    &available_number),
	     "available");
	make_map();
	make_processors();
	must(part_schedule_new(), "schedule");
	controllers = device_enumerate();
	iommu_start();
	txn_own_commit();
	wrong = db_scan(&db);
	if (wrong)
		give_up(wrong, 0);
	(void)sys_lead_root(boot->pool.pfn);
	logf_("database ready: %lu MiB, %d NVMe controllers",
	      db_version(&db)->frames_total >> 8, controllers);
}

static void make_boot(void)
{
	struct control_message op[2] = {{.id = TXN_PARTITION_CREATE,
					 .create = {.name = "boot",
						    .module = "boot",
						    .kind = PART_BOOT,
						    .blocks = 1}},
					{.id = TXN_PARTITION_START,
					 .target = {.number = TXN_RESULT(0)}}};
	struct txn t = {.requester = uv_number};
	unsigned failed;

	must(txn_run(&t, op, 2, &failed), "boot partition");
}

static _Noreturn void serve(void)
{
	unsigned busy = 0; /* turns */

	for (;;) {
		uint64_t now = sys_time(), next, stop, load;
		bool any;

		part_reports();
		any = control_work();
		next = chan_work(now);
		if (!any || ++busy > BUSY_TURNS) {
			part_tell_ends();
			busy = 0;
		}
		keep_work();
		stop = part_deadlines(now);
		if (stop < next)
			next = stop;
		load = load_work(now);
		if (load < next)
			next = load;
		if (!log_flush() && now + LOG_RETRY_NS < next)
			next = now + LOG_RETRY_NS;
		if (any)
			continue;
		if (control_idle() &&
		    sys_wait(~0ull, next) >> IOMMU_EVENT_BIT & 1)
			iommu_faults();
		control_busy();
	}
}

/* Nothing was started yet, whoever made the database. */
static bool alone(void)
{
	for (unsigned i = 0; i < DB_PARTS; i++) {
		const struct db_part *part = db_part_at(&db, i);

		if (part && part->number != uv_number &&
		    part->slot < PART_SLOTS)
			return false;
	}
	return true;
}

void partition_main(void)
{
	boot = (const struct boot_info *)view_now()->data_va;
	if (!boot || boot->magic != BOOT_INFO_MAGIC)
		give_up("no boot information", 0);
	mem_init();
	if (lead->root_pfn)
		adopt_database();
	else
		make_database();
	(void)sys_lead_report(UV_SLOT, EVENT_REPORT_BIT);
	view_publish(uv_number);
	part_publish_schedule();
	if (alone())
		make_boot();
	serve();
}
