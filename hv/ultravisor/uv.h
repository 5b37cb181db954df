/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/ultravisor/uv.h - what the files of the ultravisor partition share.
 *
 * The database (db.h) is the truth and survives this program; all that is kept
 * here can be made again from it (adopt.c).  Work is done in three steps: an
 * operation changes the open transaction's copies and notes its effects; the
 * commit makes it true; then the effects make the machine agree.  An effect
 * cannot fail for any reason that the operation could have seen.
 *
 *   main.c     start, the loop          chan.c   channels and their moves
 *   txn.c      requests, operations     device.c enumeration, fence, MSI-X
 *   part.c     partitions; with _start, _end, _destroy and _schedule
 *   load.c     their memory, filled     mem.c    frames seen
 *   control.c  the control channels     keep.c   paused, saved, restored
 *   state.c    the states of resources  give.c   more memory, or less
 *   bus.c      buses: channels together     iommu.c  what devices reach
 *   adopt.c    begun anew                complaint.c  of clients
 *   view.c     views
 *
 * One loop, no waiting: what takes more than one message is a small state
 * machine that the loop steps.
 */
#ifndef PARTERRE_ULTRAVISOR_UV_H
#define PARTERRE_ULTRAVISOR_UV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/control.h"
#include "abi/database.h"
#include "abi/lead.h"
#include "abi/syscall.h"
#include "abi/view.h"
#include "boot/info.h"
#include "boot/stage/image.h"
#include "lib/channel.h"
#include "ultravisor/db.h"
#include "ultravisor/state.h"

#define UV_SLOT      0 /* the ultravisor's own */
#define BLOCK_FRAMES 512
#define NEVER        (~0ull)
#define SLOT_NO_SLOT UINT32_MAX

extern struct db db;
extern const struct boot_info *boot;
extern const struct lead_area *lead; /* read-only */
extern uint64_t uv_number, available_number;

/* Memory being scrubbed and filled (load.c). */
enum load_stage {
	LOAD_NONE,
	LOAD_SCRUB,
	LOAD_COPY,
	LOAD_INSTANCE,
	LOAD_MAP,
	/* Of one that stands still (keep.c). */
	LOAD_LETGO,  /* of its channels, to be paused then */
	LOAD_REFILL, /* restored: from the frames that it had */
	LOAD_ADOPT   /* its address spaces, its virtual processor */
};
struct load {
	enum load_stage stage;
	bool start;      /* when it is loaded */
	uint64_t cursor; /* of the stage: page or segment */
	struct image image;
};

/* What is at hand of the partition in each monitor slot. */
struct uv_part {
	uint64_t number; /* 0: none */
	char name[16];
	struct channel control; /* the server's end */
	uint8_t *view;          /* its 3 pages */
	uint8_t *control_pages;
	uint64_t data_va, data_bytes;
	struct load load;
	/* The transaction whose operations are arriving. */
	unsigned ops;
	struct control_message op[TXN_OPS_MAX];
};
extern struct uv_part uv_part[PART_SLOTS];

/* NULL: no such partition, or without an instance. */
struct uv_part *uv_part_of(uint64_t number);
bool part_running(uint64_t number);
uint32_t part_kind(uint64_t number);
const char *part_name(uint64_t number);
/* How many virtual processors, and the slot of one: the partition's own, or
 * for another CPU's idle one of the last. */
unsigned part_vcpus(uint64_t number);
uint32_t part_slot(const struct db_part *part, unsigned vcpu);

/* ---- mem.c -------------------------------------------------------------- */

void mem_init(void);
/* Frames mapped for long. */
void *mem_map(uint64_t pfn, uint64_t frames, unsigned prot);
void mem_unmap(const void *va, uint64_t frames);
/* Frames mapped until the next call with the same half (0 or 1); at most
 * MEM_TEMP_FRAMES. */
#define MEM_TEMP_FRAMES 256
void *mem_temp(unsigned half, uint64_t pfn, uint64_t frames, unsigned prot);
void mem_scrub(uint64_t pfn, uint64_t frames); /* as many */
/* A boot module; NULL: none of that name. */
const struct boot_module *mem_module(const char name[16]);
/* Its bytes, in half 1; it has at most MODULE_BYTES_MAX. */
const void *mem_module_map(const struct boot_module *m);
#define MODULE_BYTES_MAX (MEM_TEMP_FRAMES * (uint64_t)ABI_PAGE_BYTES)
#define MEM_PAGES(bytes) (((bytes) + ABI_PAGE_BYTES - 1) / ABI_PAGE_BYTES)

/* ---- load.c ------------------------------------------------------------- */

/* The user frame follows the view. */
#define VIEW_FRAMES (PART_VIEW_PAGES + 1)

/* Its control channel is new and its view published; the rest is done by
 * load_work(), slice by slice. */
void load_begin(struct uv_part *p);
/* Where in its memory the data module lies. */
void load_place_data(struct uv_part *p);
void load_stage(struct load *l, enum load_stage stage);
bool load_check(const struct db_part *part, struct load *l);
uint64_t load_work(uint64_t now);
/* Is anything being loaded for that transaction (db_part.load_serial)? */
bool load_pending(uint64_t serial);

/* ---- view.c ------------------------------------------------------------- */

void view_publish(uint64_t number);
const struct view *view_make(uint64_t number); /* NULL: without an instance */
/* Those of the other ends of its channels: they know it by its slot. */
void view_publish_peers(uint64_t number);

/* ---- control.c ---------------------------------------------------------- */

void control_serve(struct uv_part *p);
/* The same with one that has been served before, perhaps by another program. */
void control_go_on(struct uv_part *p);
/* It runs now, before all others, for a quantum at most. */
void control_urge(uint64_t number);
/* False: its queue of events is full. */
bool control_event_send(uint64_t number, struct control_message *event);
/* The same, but it looks when its turn comes. */
bool control_event_post(uint64_t number, struct control_message *event);
bool control_work(void);
bool control_idle(void); /* asks all clients for signals; true: none is due */
void control_busy(void);
uint64_t control_event_next(void); /* the handle of the next event */
/* Only of late: was this event ever put in the partition's queue? */
bool control_event_sent(uint64_t number, uint64_t handle);

/* ---- txn.c -------------------------------------------------------------- */

struct effect {
	void (*run)(const struct effect *e);
	uint64_t a, b;
	const char *text;
};
#define EFFECTS_MAX 64

struct txn {
	uint64_t requester, handle;
	const struct control_message *ops;
	unsigned op; /* the one at work */
	uint64_t result[TXN_OPS_MAX];
	unsigned effects;
	struct effect effect[EFFECTS_MAX];
};

typedef int txn_op(struct txn *t, const struct control_message *m,
		   uint64_t *result);

int txn_effect(struct txn *t, void (*run)(const struct effect *e), uint64_t a,
	       uint64_t b, const char *text);
/* All operations or none.  *failed: which was at fault. */
int txn_run(struct txn *t, const struct control_message *op, unsigned ops,
	    unsigned *failed);
/* A transaction of the ultravisor's own; false: no room for it now. */
bool txn_own_begin(void);
void txn_own_commit(void);
void txn_adopt(void);

/* ---- part.c ------------------------------------------------------------- */

txn_op part_create;
/* For who changes more of a partition: as a copy, in the open transaction. */
struct db_part *part_mutable(uint64_t number, int *status);
int part_free_slot(uint32_t *slot);
int part_take_frames(struct db_part *part, uint64_t blocks);
int part_take_memory(struct db_part *part, uint64_t blocks); /* of them */
const struct db_chan *part_control(uint64_t number);
void part_know(uint64_t number);     /* its uv_part, and what it maps */
void part_forget(struct uv_part *p); /* its instance is no more */
#define PART_BLOCKS_MAX 64
/* Does it fit in so many blocks of memory? */
int part_check_image(const char module[16], const char data[16],
		     uint64_t blocks);

/* ---- part_schedule.c ---------------------------------------------------- */

txn_op part_schedule, part_frame;
int part_query(struct control_message *m); /* QUERY_SCHEDULE, QUERY_FRAME */
int part_schedule_new(void); /* its frame, in the open transaction */
/* A new partition's, until somebody says otherwise. */
void part_schedule_default(struct db_part *part, uint32_t kind);
void part_publish_schedule(void);

/* ---- part_start.c, part_end.c, part_destroy.c --------------------------- */

txn_op part_start, part_args, part_restart;
txn_op part_stop, part_mark, part_destroy;
/* What a transaction may leave to be done, each any number of times over. */
void part_end_in_machine(uint64_t number);
void part_ask_to_stop(uint64_t number);
void part_renew(uint64_t number); /* another instance, loaded anew */
void part_destroy_instance(uint64_t number);
void part_retire(uint64_t number);
void part_start_now(struct uv_part *p); /* it is loaded */
/* It has ended (PART_STATE_*); false: no room for the transaction now. */
bool part_end(uint64_t number, uint32_t state);
void part_reports(void);               /* EVENT_REPORT */
uint64_t part_deadlines(uint64_t now); /* acts on those due; the next one */
void part_tell(uint64_t number);       /* its state, to those who decide */
void part_tell_ends(void);             /* those that are to be told yet */
/* Frames that it had, in the open transaction. */
int part_give_back(uint64_t pfn, uint64_t frames);

/* ---- keep.c, give.c ----------------------------------------------------- */

txn_op keep_pause, keep_resume, keep_save, keep_restore;
/* Present: it runs and doesn't stand still.  Answers: it does at this moment,
 * though it may be about to stand still. */
bool keep_present(uint64_t number);
bool keep_answers(uint64_t number);
void keep_work(void);               /* who has let go is paused */
void keep_ended(struct uv_part *p); /* while it was about to be paused */
/* A slice of LOAD_REFILL or LOAD_ADOPT; false: it can't be. */
bool keep_slice(struct uv_part *p);
bool keep_kept(const struct uv_part *p); /* it is being restored */
void keep_refill(uint64_t number);       /* from the beginning */
void keep_adopt(uint64_t number);        /* paused or resumed, half-way */

txn_op give_assign, give_release;

/* ---- chan.c ------------------------------------------------------------- */

txn_op chan_create, chan_move, chan_destroy, chan_configure, chan_state;
/* In the open transaction: it is held, or no more (TXN_CHANNEL_STATE). */
int chan_hold(uint32_t id, bool held);
/* Pages and handles of a new channel, in the open transaction. */
int chan_new(struct db_chan *c, uint64_t client, uint64_t server, uint32_t type,
	     uint32_t pages);
int chan_renew(uint64_t number); /* in the open transaction: it begins anew */
bool chan_seen_by_server(unsigned row);
void chan_adopt(void);
void chan_acked(uint64_t number, const struct control_message *ack);
uint64_t chan_work(uint64_t now); /* steps all; the next deadline */
/* In the open transaction: a partition that is to stand still lets go of all.
 */
int chan_quiesce(uint64_t number);
bool chan_quiet(uint64_t number); /* it has */
/* In the open transaction: what the end of a server does to its channels. */
int chan_server_gone(uint64_t number);

/* ---- complaint.c -------------------------------------------------------- */

/* COMPLAIN_SLOW of that partition: its status. */
int complaint(uint64_t number, const struct control_message *m);

/* ---- bus.c -------------------------------------------------------------- */

txn_op bus_create, bus_destroy, bus_configure, bus_state;
bool bus_of(uint64_t number); /* has it one, or serves devices of one? */
int bus_query(struct control_message *m);

/* What the lead monitor leaves to devices (SYS_LEAD_BIND); all other vectors
 * are its own. */
#define DEVICE_VECTOR_FIRST 0x40
#define DEVICE_VECTOR_LAST  0xdf

/* ---- device.c ----------------------------------------------------------- */

txn_op device_assign, device_release;
int device_enumerate(void); /* in the open transaction; how many controllers */
void device_adopt(void);
/* Those that it has and that are not in use yet: in use now; or, as they are
 * not ready, in no view until then. */
void device_enable_rest(uint64_t number);
void device_withhold_rest(uint64_t number);
bool device_withheld(const struct db_dev *d);
void device_fence_all(uint64_t number);
void device_enable_all(uint64_t number);
int device_state(uint64_t number, uint32_t flags); /* in the open transaction */
int device_release_all(uint64_t number);           /* the same */
bool device_masters(const struct db_dev *d); /* its owner runs and uses it */

/* ---- iommu.c ------------------------------------------------------------ */

#define IOMMU_VECTOR    DEVICE_VECTOR_LAST
#define IOMMU_EVENT_BIT 32

/* All of this does nothing where there is no IOMMU. */
void iommu_start(void); /* in the open transaction: from now on no DMA */
/* After a former program: new tables, filled by iommu_view() and then in force.
 */
void iommu_adopt(void);
void iommu_adopted(void);
/* What the partition's devices reach: what its view gives it. */
void iommu_view(const struct view *v);
void iommu_forget(uint64_t number); /* nothing, and no device of its */
/* A device reaches what its owner's do; false: it can't be, it stays out. */
bool iommu_attach(const struct db_dev *d);
void iommu_detach(
	const struct db_dev *d); /* nothing any more, when it returns */
void iommu_faults(void);         /* IOMMU_EVENT_BIT */

/* ---- adopt.c ------------------------------------------------------------ */

/* Goes on from the database that a former program of this partition left. */
void adopt_database(void);

#endif
