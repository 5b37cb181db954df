/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/guest/files.c - the FAT32 volume on the guest's disk (fat/fat.h), and the
 * calls of processes that work on it.
 *
 * One call at a time, each on a stack of its own that is left whenever the disk
 * has to be waited for; meanwhile the kernel's loop goes on, and who called
 * waits in PROCESS_WAIT_FILES.  A process may be killed in the middle: its call
 * goes on to its end, for nobody.
 *
 * The volume is mounted by the first call, and takes its memory then; a guest
 * without files pays nothing.  What was written is durable when the file is
 * closed, when a process says PROC_SYNC, and when the guest ends or stops. */
#include "fat/fat.h"
#include "guest/guest.h"
#include "lib/log.h"
#include "lib/string.h"
#include "lib/view.h"

#define HANDLES     32
#define STACK_WORDS 2048

void fiber_switch(uint64_t *leave, uint64_t enter); /* fiber.S */

static struct fat *fat; /* NULL: no memory for it yet */
static bool mounted;
static bool closing, gave_up; /* files_closed() */
static bool asked;            /* there may be something to do */

/* Open files, by the numbers that processes know. */
static struct handle {
	uint64_t owner; /* a process's id; 0: nobody, to be closed */
	bool open, written;
	int node;
} handle[HANDLES];

static struct {
	enum {
		FIBER_IDLE,
		FIBER_READY,
		FIBER_NO_ROOM,   /* for a request of the disk */
		FIBER_WAIT_DISK, /* for its answer */
	} state;
	uint64_t main, own; /* stack pointers */
	unsigned turn;      /* whose calls come next */
	/* The call that is done. */
	unsigned n; /* its process; PROCESSES: nobody's */
	uint64_t id, number, a, b;
	/* The request of the disk that is waited for. */
	void *data;
	bool ok, write_failed;
} fiber;
static uint64_t stack[STACK_WORDS] __attribute__((aligned(16)));

/* What a process passed, and what it gets back. */
static union {
	struct process_path path;
	struct process_entry entry;
	struct process_io io;
	struct process_volume volume;
} args;
static uint8_t bytes[PROC_TRANSFER_BYTES];

/* ---- the disk, as fat.h wants it ----------------------------------------- */

static void leave_fiber(unsigned state)
{
	fiber.state = state;
	fiber_switch(&fiber.own, fiber.main);
}

static bool disk_read(void *owner, uint64_t block, void *data)
{
	(void)owner;
	fiber.data = data;
	while (!client_read(&client, block, COOKIE_FILES))
		leave_fiber(FIBER_NO_ROOM);
	leave_fiber(FIBER_WAIT_DISK);
	return fiber.ok;
}

static bool disk_write(void *owner, uint64_t block, const void *data)
{
	(void)owner;
	while (!client_write(&client, block, data, 0, 0, 0,
			     COOKIE_FILES | COOKIE_RECORD))
		leave_fiber(FIBER_NO_ROOM);
	return true;
}

/* The client's flush covers the writes that were made before it. */
static bool disk_flush(void *owner)
{
	bool ok;

	(void)owner;
	fiber.data = NULL;
	while (!client_flush(&client, COOKIE_FILES))
		leave_fiber(FIBER_NO_ROOM);
	leave_fiber(FIBER_WAIT_DISK);
	ok = fiber.ok && !fiber.write_failed;
	fiber.write_failed = false;
	return ok;
}

void files_done(uint32_t cookie, uint32_t status, const void *data)
{
	if (cookie & COOKIE_RECORD) { /* a write: the flush will tell */
		fiber.write_failed |= status != BLOCK_OK;
		return;
	}
	fiber.ok = status == BLOCK_OK;
	if (fiber.ok && data != NULL)
		memcpy(fiber.data, data, BLOCK_BYTES);
	fiber.state = FIBER_READY;
}

/* The guest has no calendar: its day is an argument, date=20240131, or the
 * first of 1980; the time is how long it runs. */
static uint32_t today(void *owner)
{
	uint64_t day = view_arg("date", 19800101);
	uint64_t s = sys_time() / (1000 * MS) % 86400;
	uint64_t year = day / 10000;

	(void)owner;
	if (year < 1980 || year > 2107)
		year = 1980;
	return (uint32_t)(year - 1980) << 25 |
	       (uint32_t)(day / 100 % 100 & 0xf) << 21 |
	       (uint32_t)(day % 100 & 0x1f) << 16 | (uint32_t)(s / 3600) << 11 |
	       (uint32_t)(s / 60 % 60) << 5 | (uint32_t)(s % 60 / 2);
}

/* ---- the calls, on the fiber's stack ------------------------------------- */

static int64_t error_of(int r)
{
	static const int64_t errors[] = {
		[FAT_EIO] = PROC_EIO,
		[FAT_ENOENT] = PROC_ENOENT,
		[FAT_EEXIST] = PROC_EEXIST,
		[FAT_ENOTDIR] = PROC_ENOTDIR,
		[FAT_EISDIR] = PROC_EISDIR,
		[FAT_ENOTEMPTY] = PROC_ENOTEMPTY,
		[FAT_ENOSPC] = PROC_ENOSPC,
		[FAT_EINVAL] = PROC_EINVAL,
		[FAT_EBAD] = PROC_EBAD,
		[FAT_EBUSY] = PROC_EBUSY,
		[FAT_EREADONLY] = PROC_EREADONLY,
		[FAT_EFBIG] = PROC_EFBIG,
	};

	return r >= 0 ? r : -errors[-r];
}

static int64_t mount(void)
{
	static const struct fat_disk disk = {NULL, disk_read, disk_write,
					     disk_flush, today};
	int r;

	if (fat == NULL)
		fat = space_reserve((sizeof(*fat) + ABI_PAGE_BYTES - 1) /
				    ABI_PAGE_BYTES);
	if (fat == NULL) {
		logf_("guest: no memory for files: give it more blocks");
		return -PROC_ENOMEM;
	}
	r = fat_mount(fat, &disk);
	mounted = r == 0;
	if (mounted && !fat->was_clean)
		logf_("guest: the volume was not closed; its tables were "
		      "looked through");
	return error_of(r);
}

static struct handle *handle_of(uint64_t file)
{
	return file < HANDLES && handle[file].open &&
			       handle[file].owner == fiber.id
		       ? &handle[file]
		       : NULL;
}

static int64_t open_file(void)
{
	unsigned n = 0;
	int node;

	while (n < HANDLES && handle[n].open)
		n++;
	if (n == HANDLES)
		return -PROC_EBUSY;
	node = fat_open(fat, args.path.path, (unsigned)fiber.b & 7);
	if (node < 0)
		return error_of(node);
	handle[n] = (struct handle){
		.owner = fiber.id,
		.open = true,
		.written = fiber.b != 0,
		.node = node,
	};
	return n;
}

static int64_t close_file(struct handle *h)
{
	int r = 0;

	if (h == NULL)
		return -PROC_EINVAL;
	if (h->written)
		r = fat_sync(fat);
	fat_close(fat, h->node);
	h->open = false;
	return error_of(r);
}

static int64_t transfer(bool write)
{
	struct handle *h = handle_of(args.io.file);
	uint32_t count = (uint32_t)args.io.bytes;

	if (h == NULL)
		return -PROC_EINVAL;
	if (!write)
		return error_of(
			fat_read(fat, h->node, args.io.offset, bytes, count));
	h->written = true;
	return error_of(fat_write(fat, h->node, args.io.offset, bytes, count));
}

static int64_t look(bool list)
{
	struct fat_row row;
	uint32_t cursor = (uint32_t)args.entry.cursor;
	int r = list ? fat_list(fat, args.entry.path, &cursor, &row)
		     : fat_stat(fat, args.entry.path, &row);

	if (r < 0 || (list && r == 0))
		return error_of(r);
	args.entry.cursor = cursor;
	memcpy(args.entry.name, row.name, sizeof(args.entry.name));
	args.entry.attributes = row.attributes;
	args.entry.size = row.size;
	args.entry.changed = row.changed;
	return r;
}

static int64_t space_of_volume(void)
{
	struct fat_space space;

	fat_space(fat, &space);
	args.volume = (struct process_volume){
		.cluster_bytes = space.cluster_bytes,
		.clusters = space.clusters,
		.free = space.free,
		.was_clean = space.was_clean,
	};
	return 0;
}

static int64_t work(void)
{
	int64_t r = mounted ? 0 : mount();

	if (r < 0)
		return r;
	switch (fiber.number) {
	case PROC_OPEN:
		return open_file();
	case PROC_FILE_CLOSE:
		return close_file(handle_of(fiber.a));
	case PROC_FILE_READ:
		return transfer(false);
	case PROC_FILE_WRITE:
		return transfer(true);
	case PROC_STAT:
		return look(false);
	case PROC_LIST_FILES:
		return look(true);
	case PROC_MKDIR:
		return error_of(fat_mkdir(fat, args.path.path));
	case PROC_REMOVE:
		return error_of(fat_remove(fat, args.path.path));
	case PROC_RENAME:
		return error_of(fat_rename(fat, args.path.path, args.path.to));
	case PROC_SYNC:
		return error_of(fat_sync(fat));
	case PROC_VOLUME:
		return space_of_volume();
	default:
		return -PROC_EINVAL;
	}
}

/* ---- between processes and the fiber ------------------------------------- */

/* What each call passes and gets, at the address in `a`. */
static uint64_t args_bytes(uint64_t number)
{
	switch (number) {
	case PROC_OPEN:
	case PROC_MKDIR:
	case PROC_REMOVE:
	case PROC_RENAME:
		return sizeof(args.path);
	case PROC_STAT:
	case PROC_LIST_FILES:
		return sizeof(args.entry);
	case PROC_FILE_READ:
	case PROC_FILE_WRITE:
		return sizeof(args.io);
	case PROC_VOLUME:
		return sizeof(args.volume);
	default:
		return 0;
	}
}

static bool take_args(const struct process *p)
{
	uint64_t count = args_bytes(fiber.number);

	memset(&args, 0, sizeof(args));
	if (!space_copy_in(&p->space, &args, fiber.a, count))
		return false;
	if (count == sizeof(args.path)) {
		args.path.path[PROC_PATH_BYTES - 1] = '\0';
		args.path.to[PROC_PATH_BYTES - 1] = '\0';
	}
	if (count == sizeof(args.entry))
		args.entry.path[PROC_PATH_BYTES - 1] = '\0';
	if (fiber.number == PROC_FILE_READ || fiber.number == PROC_FILE_WRITE) {
		if (args.io.bytes > sizeof(bytes))
			return false;
		if (fiber.number == PROC_FILE_WRITE)
			return space_copy_in(&p->space, bytes, args.io.at,
					     args.io.bytes);
	}
	return true;
}

static bool give_back(const struct process *p, int64_t r)
{
	if (r < 0)
		return true;
	switch (fiber.number) {
	case PROC_FILE_READ:
		return space_copy_out(&p->space, args.io.at, bytes,
				      (uint64_t)r);
	case PROC_STAT:
	case PROC_LIST_FILES:
	case PROC_VOLUME:
		return space_copy_out(&p->space, fiber.a, &args,
				      args_bytes(fiber.number));
	default:
		return true;
	}
}

/* A process's call, from its arguments to its answer. */
static void do_call(void)
{
	struct process *p = &process[fiber.n];
	int64_t r = take_args(p) ? work() : -PROC_EINVAL;

	if (p->id != fiber.id || p->state != PROCESS_WAIT_FILES) {
		/* It was killed meanwhile. */
		if (fiber.number == PROC_OPEN && r >= 0)
			handle[r].owner = 0; /* the next to be done */
		return;
	}
	call_reply(p, give_back(p, r) ? r : -PROC_EINVAL);
}

/* What nobody asks for: files of those that ended; the last sync. */
static bool do_own(void)
{
	for (unsigned n = 0; n < HANDLES; n++) {
		if (handle[n].open && handle[n].owner == 0) {
			(void)close_file(&handle[n]);
			return true;
		}
	}
	if (!closing || !mounted || gave_up || fat->clean)
		return false;
	if (fat_sync(fat) < 0) {
		logf_("guest: files could not be made durable");
		gave_up = true;
	}
	return true;
}

static void fiber_main(void)
{
	for (;;) {
		if (fiber.n < PROCESSES)
			do_call();
		else
			(void)do_own();
		leave_fiber(FIBER_IDLE);
	}
}

static bool own_work(void)
{
	for (unsigned n = 0; n < HANDLES; n++) {
		if (handle[n].open && handle[n].owner == 0)
			return true;
	}
	return closing && mounted && !gave_up && !fat->clean;
}

/* The next to be done; false: nothing. */
static bool choose(void)
{
	fiber.n = PROCESSES;
	if (own_work()) {
		fiber.id = 0;
		return true;
	}
	for (unsigned i = 0; !closing && i < PROCESSES; i++) {
		unsigned n = (fiber.turn + i) % PROCESSES;
		const struct process *p = &process[n];

		if (p->state != PROCESS_WAIT_FILES)
			continue;
		fiber.turn = n + 1;
		fiber.n = n;
		fiber.id = p->id;
		fiber.number = p->frame.rax;
		fiber.a = p->frame.rdi;
		fiber.b = p->frame.rsi;
		return true;
	}
	return false;
}

bool files_run(void)
{
	unsigned was = fiber.state;

	if (fiber.state == FIBER_WAIT_DISK ||
	    (fiber.state == FIBER_IDLE && !asked))
		return false;
	if (fiber.state == FIBER_IDLE && !choose()) {
		asked = false;
		return false;
	}
	if (fiber.own == 0) { /* for the first time */
		stack[STACK_WORDS - 2] = (uintptr_t)fiber_main;
		fiber.own = (uintptr_t)&stack[STACK_WORDS - 8];
	}
	fiber.state = FIBER_READY;
	fiber_switch(&fiber.main, fiber.own);
	return was != FIBER_NO_ROOM || fiber.state != FIBER_NO_ROOM;
}

bool files_closed(void)
{
	asked |= !closing;
	closing = true;
	return fiber.state == FIBER_IDLE && !own_work();
}

void files_close(const struct process *p)
{
	for (unsigned n = 0; n < HANDLES; n++) {
		if (handle[n].open && handle[n].owner == p->id) {
			handle[n].owner = 0;
			asked = true;
		}
	}
}

void files_call(struct process *p)
{
	p->state = PROCESS_WAIT_FILES;
	asked = true;
}
