/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qemu.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "rows.h"

#define IMAGES       BUILD_DIR "/hv/"
#define HOST_SECONDS 60
#define WRITE_BYTES  512 /* of one gdb packet */
#define QEMU_RAM_MIB 128
#define OTHERS_MAX   20000 /* who come where one was waited for */

static struct {
	pid_t pid; /* 0: none runs */
	int keyboard, monitor;
	unsigned cpus;
	bool stands;
	char thread[16]; /* gdb's name of the CPU that came somewhere; "": none
			  */
	char console[1 << 20];
} q;

unsigned qemu_cpus_first(unsigned usual)
{
	return getenv("PARTERRE_ROWS_ALL") ? 1 : usual;
}

unsigned qemu_cpus_next(unsigned cpus)
{
	return getenv("PARTERRE_ROWS_ALL") && cpus < 4 ? 2 * cpus : 0;
}

static void nap(unsigned ms)
{
	struct timespec t = {.tv_sec = ms / 1000,
			     .tv_nsec = ms % 1000 * 1000000l};

	nanosleep(&t, NULL);
}

static const char *in_scratch(const char *name)
{
	static char path[4][256];
	static unsigned next;
	char *to = path[next++ % 4];

	snprintf(to, sizeof(path[0]), "%s/%s", scratch(), name);
	return to;
}

/* --- sockets --- */

static int try_connect(const char *name)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert(fd >= 0);
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", in_scratch(name));
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	close(fd);
	return -1;
}

static int connect_to(const char *name)
{
	for (unsigned i = 0; i < HOST_SECONDS * 100; i++, nap(10)) {
		int fd = try_connect(name);

		if (fd >= 0)
			return fd;
	}
	cr_assert_fail("QEMU's %s: no connection", name);
	return -1;
}

/* What comes, until it ends with `end`; of much, the last of it. */
static const char *read_until(int fd, const char *end)
{
	static char text[1 << 16];
	size_t used = 0, n = strlen(end);
	ssize_t got;

	do {
		got = read(fd, text + used, sizeof(text) - used - 1);
		cr_assert(got > 0, "QEMU hung up");
		used += (size_t)got;
		if (used > sizeof(text) / 2) {
			memmove(text, text + used - n, n);
			used = n;
		}
	} while (used < n || memcmp(text + used - n, end, n) != 0);
	text[used] = '\0';
	return text;
}

static void write_all(int fd, const char *text, size_t bytes)
{
	cr_assert_eq(write(fd, text, bytes), (ssize_t)bytes);
}

const char *qemu_monitor(const char *fmt, ...)
{
	char line[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	line[n++] = '\n';
	write_all(q.monitor, line, (size_t)n);
	return read_until(q.monitor, "(qemu) ");
}

/* --- the machine --- */

#define MODULES "uv boot idle io command operations diagnostics guest probe"

/* The modules in order, and the policy, with commas between them. */
static const char *modules(const char *words)
{
	static char list[4096];
	size_t n = 0;

	for (size_t word; *words; words += word + !!words[word]) {
		word = strcspn(words, " ");
		n += (size_t)snprintf(list + n, sizeof(list) - n,
				      IMAGES "%.*s.elf,", (int)word, words);
	}
	snprintf(list + n, sizeof(list) - n, "%s", in_scratch("policy.txt"));
	return list;
}

static const char *with(const char *before, const char *name, const char *after)
{
	static char text[4][400];
	static unsigned next;
	char *to = text[next++ % 4];

	snprintf(to, sizeof(text[0]), "%s%s%s", before, in_scratch(name),
		 after);
	return to;
}

static struct {
	const char *word[96];
	size_t count;
} argv;

static void add_words(const char *const *word)
{
	for (; *word; word++)
		argv.word[argv.count++] = *word;
	cr_assert(argv.count < sizeof(argv.word) / sizeof(argv.word[0]));
}
#define add(...) add_words((const char *const[]){__VA_ARGS__, NULL})

/* All cards on one hub; on it, too, QEMU's own network, or what writes down
 * what passes: that network would answer for whatever address is asked for. */
static void add_cards(const struct qemu_setup *s)
{
	static const char *const hub[] = {"hubport,hubid=0,id=h0",
					  "hubport,hubid=0,id=h1"};
	static const char *const card[][2] = {
		{"virtio-net-pci,disable-legacy=on,netdev=h0",
		 "virtio-net-pci,disable-legacy=on,netdev=h0,iommu_platform="
		 "on"},
		{"virtio-net-pci,disable-legacy=on,netdev=h1",
		 "virtio-net-pci,disable-legacy=on,netdev=h1,iommu_platform="
		 "on"},
	};

	if (!s->wire)
		add("-netdev", "user,id=u0", "-netdev",
		    "hubport,hubid=0,id=hu,netdev=u0");
	for (unsigned i = 0; i < s->cards; i++)
		add("-netdev", hub[i], "-device", card[i][s->iommu]);
	if (s->wire)
		add("-object",
		    with("filter-dump,id=f0,netdev=h0,file=", s->wire, ""));
}

static void words_of(const struct qemu_setup *s)
{
	static char count[16], ram[16], memory[400];

	snprintf(count, sizeof(count), "%u", s->cpus);
	snprintf(ram, sizeof(ram), "%u", s->ram);
	snprintf(memory, sizeof(memory),
		 "memory-backend-file,id=ram,size=%uM,share=on,mem-path=%s",
		 s->ram, in_scratch("ram"));
	argv.count = 0;
	add("qemu-system-x86_64", "-machine", "q35,memory-backend=ram",
	    "-object", memory, "-m", ram, "-smp", count, "-accel", "tcg",
	    "-icount", s->exact ? "shift=0,sleep=off" : "shift=0", "-display",
	    "none", "-nic", "none", "-no-reboot", "-chardev",
	    "stdio,id=console,signal=off", "-serial", "chardev:console",
	    "-monitor", with("unix:", "monitor", ",server=on,wait=off"), "-gdb",
	    with("unix:", "gdb", ",server=on,wait=off"), "-kernel",
	    IMAGES "ultravisor.elf", "-append", s->cmdline, "-initrd",
	    modules(s->modules));
	/* Before all that go through it. */
	if (s->iommu)
		add("-device", "intel-iommu");
	add("-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-device",
	    "nvme-subsys,id=s0", "-device", "nvme,id=n0,serial=S0,subsys=s0",
	    "-device", "nvme,id=n1,serial=S0,subsys=s0", "-drive",
	    with("file=", "disk.img", ",if=none,format=raw,cache=unsafe,id=d0"),
	    "-device", "nvme-ns,drive=d0,bus=n0,nsid=1,shared=on");
	if (s->controllers > 2)
		add("-device", "nvme,id=n2,serial=S0,subsys=s0");
	if (s->cards)
		add_cards(s);
	argv.word[argv.count] = NULL;
}

static void become_qemu(int keyboard, const struct qemu_setup *s)
{
	int console = open(in_scratch("serial.txt"),
			   O_CREAT | O_WRONLY | O_TRUNC, 0666);
	int errors = open(in_scratch("qemu.log"), O_CREAT | O_WRONLY | O_TRUNC,
			  0666);

	words_of(s);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(keyboard, 0);
	dup2(console, 1);
	dup2(errors, 2);
	execvp(argv.word[0], (char *const *)argv.word);
	_exit(127);
}

void qemu_boot_as(const struct qemu_setup *setup)
{
	struct qemu_setup s = *setup;
	int keys[2];

	s.modules = s.modules ? s.modules : MODULES;
	s.cmdline = s.cmdline ? s.cmdline : "";
	s.ram = s.ram ? s.ram : QEMU_RAM_MIB;
	qemu_end();
	signal(SIGPIPE, SIG_IGN);
	wants(shell("cd %s && rm -f disk.img ram monitor gdb serial.txt && "
		    "truncate -s 64M disk.img && cp %s policy.txt",
		    scratch(), s.policy),
	      0);
	cr_assert_eq(pipe2(keys, O_CLOEXEC), 0);
	q.cpus = s.cpus;
	q.stands = false;
	q.thread[0] = '\0';
	q.pid = fork();
	if (q.pid == 0)
		become_qemu(keys[0], &s);
	cr_assert(q.pid > 0);
	close(keys[0]);
	q.keyboard = keys[1];
	q.monitor = connect_to("monitor");
	read_until(q.monitor, "(qemu) ");
}

void qemu_boot(const char *policy, unsigned cpus)
{
	qemu_boot_as(&(struct qemu_setup){.policy = policy, .cpus = cpus});
}

void qemu_boot_exact(const char *policy, unsigned cpus)
{
	qemu_boot_as(&(struct qemu_setup){
		.policy = policy, .cpus = cpus, .exact = true});
}

static int reap(void)
{
	int status;

	cr_assert_eq(waitpid(q.pid, &status, 0), q.pid);
	q.pid = 0;
	close(q.keyboard);
	close(q.monitor);
	return status;
}

void qemu_end(void)
{
	if (!q.pid)
		return;
	kill(q.pid, SIGKILL);
	reap();
}

int qemu_off(void)
{
	siginfo_t info = {0};
	int status;

	for (unsigned i = 0; i < HOST_SECONDS * 100 && !info.si_pid;
	     i++, nap(10))
		waitid(P_PID, (id_t)q.pid, &info, WEXITED | WNOHANG | WNOWAIT);
	cr_assert(info.si_pid, "not off after %u s:\n%s", HOST_SECONDS,
		  qemu_console());
	status = reap();
	/* isa-debug-exit ends it with 2 * code + 1. */
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) % 2,
		  "QEMU ended with %x:\n%s", status, qemu_console());
	return WEXITSTATUS(status) / 2;
}

/* --- the console --- */

const char *qemu_console(void)
{
	int fd = open(in_scratch("serial.txt"), O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, q.console, sizeof(q.console) - 1);

	if (fd >= 0)
		close(fd);
	q.console[n > 0 ? n : 0] = '\0';
	return q.console;
}

static bool has(const char *text, unsigned times)
{
	const char *at = qemu_console();

	for (; times && (at = strstr(at, text)); at++)
		times--;
	return !times;
}

void qemu_wait(const char *text, unsigned times)
{
	for (unsigned i = 0; i < HOST_SECONDS * 100; i++, nap(10)) {
		if (has(text, times))
			return;
	}
	cr_assert_fail("'%s' is not %u times on the console:\n%s", text, times,
		       qemu_console());
}

void qemu_wait_either(const char *text, const char * or)
{
	for (unsigned i = 0; i < HOST_SECONDS * 100; i++, nap(10)) {
		if (has(text, 1) || has(or, 1))
			return;
	}
	cr_assert_fail("neither '%s' nor '%s' is on the console:\n%s", text, or,
		       qemu_console());
}

void qemu_type(const char *text)
{
	write_all(q.keyboard, text, strlen(text));
}

/* --- while it stands --- */

void qemu_run_for(unsigned ms)
{
	nap(ms);
}

const char *qemu_look(const char *name, const char *options)
{
	struct output *o;

	if (!q.stands)
		qemu_monitor("stop");
	q.stands = true;
	o = shell(PARTERRE " run --quiet --out %s/out --set cpus=%u "
			   "--set memory=%s %s " ROWS "%s.lua",
		  scratch(), q.cpus, in_scratch("ram"), options, name);
	cr_assert_eq(o->status, 0, "%u CPUs: status %d\n%s\n%s", q.cpus,
		     o->status, o->text, qemu_console());
	return o->text;
}

void qemu_read(uint64_t pa, void *bytes, size_t count)
{
	int fd = open(in_scratch("ram"), O_RDONLY | O_CLOEXEC);

	cr_assert(q.stands && fd >= 0);
	cr_assert_eq(pread(fd, bytes, count, (off_t)pa), (ssize_t)count);
	close(fd);
}

/* --- QEMU's gdb server --- */

static char take(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char c;

	cr_assert_eq(poll(&p, 1, HOST_SECONDS * 1000), 1,
		     "QEMU's gdb server says nothing:\n%s", qemu_console());
	cr_assert_eq(read(fd, &c, 1), 1, "QEMU's gdb server hung up");
	return c;
}

/* The next packet, acknowledged. */
static const char *reply(int fd)
{
	static char text[8192];
	size_t n = 0;
	char c;

	while (take(fd) != '$')
		; /* acknowledgements */
	while ((c = take(fd)) != '#') {
		cr_assert(n < sizeof(text) - 1);
		text[n++] = c;
	}
	text[n] = '\0';
	(void)take(fd); /* its sum: it came by a local socket */
	(void)take(fd);
	write_all(fd, "+", 1);
	return text;
}

static const char *ask(int fd, const char *body)
{
	char text[2 * WRITE_BYTES + 80];
	unsigned sum = 0;
	int n;

	for (const char *at = body; *at; at++)
		sum += (unsigned char)*at;
	n = snprintf(text, sizeof(text), "$%s#%02x", body, sum & 255);
	write_all(fd, text, (size_t)n);
	return reply(fd);
}

static void packet(int fd, const char *body)
{
	cr_assert_str_eq(ask(fd, body), "OK");
}

void qemu_write(uint64_t pa, const void *bytes, size_t count)
{
	const uint8_t *from = bytes;
	int fd = connect_to("gdb");

	cr_assert(q.stands);
	packet(fd, "Qqemu.PhyMemMode:1");
	for (size_t at = 0, n; at < count; at += n) {
		char body[2 * WRITE_BYTES + 64];
		int used;

		n = count - at < WRITE_BYTES ? count - at : WRITE_BYTES;
		used = snprintf(body, sizeof(body),
				"M%llx,%zx:", (unsigned long long)(pa + at), n);
		for (size_t i = 0; i < n; i++)
			used += snprintf(body + used, 3, "%02x", from[at + i]);
		packet(fd, body);
	}
	packet(fd, "Qqemu.PhyMemMode:0");
	close(fd);
}

void qemu_go(void)
{
	q.stands = false;
	qemu_monitor("cont");
}

/* Little-endian hexadecimal, as `g` gives it. */
static uint64_t value(const char *registers, size_t offset, size_t bytes)
{
	uint64_t v = 0;

	cr_assert_geq(strlen(registers), 2 * (offset + bytes));
	for (size_t i = bytes; i-- > 0;) {
		char byte[3] = {registers[2 * (offset + i)],
				registers[2 * (offset + i) + 1], '\0'};

		v = v << 8 | strtoul(byte, NULL, 16);
	}
	return v;
}

/* gdb's order: 16 general registers, RIP, EFLAGS, six selectors, three bases,
 * CR0, CR2, CR3. */
#define AT_RSI 32
#define AT_RDI 40
#define AT_RIP 128
#define AT_CS  140
#define AT_CR3 204

static struct qemu_cpu registers(int fd)
{
	const char *r = ask(fd, "g");

	return (struct qemu_cpu){
		.rsi = value(r, AT_RSI, 8),
		.rdi = value(r, AT_RDI, 8),
		.rip = value(r, AT_RIP, 8),
		.cs = (unsigned)value(r, AT_CS, 4),
		.cr3 = value(r, AT_CR3, 8),
	};
}

/* Whose registers, and steps, are those of the CPU that came somewhere last. */
static int attach(void)
{
	int fd = connect_to("gdb");
	char body[24];

	cr_assert(q.stands);
	if (!q.thread[0])
		return fd;
	snprintf(body, sizeof(body), "Hg%s", q.thread);
	packet(fd, body);
	body[1] = 'c';
	packet(fd, body);
	return fd;
}

/* "c" or "s", until it stands again. */
static struct qemu_cpu resume(int fd, const char *how)
{
	const char *why = ask(fd, how), *thread = strstr(why, "thread:");

	cr_assert(strncmp(why, "T05", 3) == 0 && thread, "%s: %s", how, why);
	thread += strlen("thread:");
	snprintf(q.thread, sizeof(q.thread), "%.*s", (int)strcspn(thread, ";"),
		 thread);
	return registers(fd);
}

struct qemu_cpu qemu_until(uint64_t va, uint64_t cr3)
{
	int fd = attach();
	struct qemu_cpu cpu;
	char at[40];

	snprintf(at, sizeof(at), "Z1,%llx,1", (unsigned long long)va);
	/* A breakpoint where it stands would not let it go. */
	if (registers(fd).rip == va)
		resume(fd, "s");
	packet(fd, at);
	for (unsigned n = 0; cpu = resume(fd, "c"), cr3 && cpu.cr3 != cr3;
	     n++) {
		cr_assert_lt(n, OTHERS_MAX, "others alone come there:\n%s",
			     qemu_console());
		at[0] = 'z';
		packet(fd, at);
		resume(fd, "s");
		at[0] = 'Z';
		packet(fd, at);
	}
	at[0] = 'z';
	packet(fd, at);
	close(fd);
	cr_assert_eq(cpu.rip, va);
	return cpu;
}

struct qemu_cpu qemu_step(void)
{
	int fd = attach();
	struct qemu_cpu cpu = resume(fd, "s");

	close(fd);
	return cpu;
}
