/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/scenario/describe.c - machine{}: from a Lua table to a configuration.
 *
 * Every key is one line of the table below; a key that isn't there is an error
 * with the place and the keys that there are.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "devices/vga.h"
#include "sim/date.h"
#include "sim/scenario/script_internal.h"

static const char modules_default[][64] = {
	"uv",      "boot",       "idle",        "io",
	"command", "operations", "diagnostics", "guest",
};

/* The value on top as a whole number from `min` to `max`; false: it is none,
 * or a text that could be read as one. */
static bool whole(lua_State *L, uint64_t min, uint64_t max, uint64_t *value)
{
	int exact;
	lua_Integer n = lua_tointegerx(L, -1, &exact);

	*value = (uint64_t)n;
	return lua_type(L, -1) == LUA_TNUMBER && exact && n >= 0 &&
	       *value >= min && *value <= max;
}

/* What was given, for an error: a number, a text, or what else it is. */
static const char *shown(lua_State *L)
{
	switch (lua_type(L, -1)) {
	case LUA_TNUMBER:
		return luaL_tolstring(L, -1, NULL);
	case LUA_TSTRING:
		return lua_pushfstring(L, "\"%s\"", lua_tostring(L, -1));
	default:
		return luaL_typename(L, -1);
	}
}

static uint64_t number(lua_State *L, const char *key, uint64_t min,
		       uint64_t max)
{
	uint64_t n;

	if (!whole(L, min, max, &n))
		luaL_error(L,
			   "machine{}: %s has to be a whole number from %I "
			   "to %I, not %s",
			   key, (LUAI_UACINT)min, (LUAI_UACINT)max, shown(L));
	return n;
}

/* A time; `range` says in words from when to when, `like` gives one. */
static ps_t time_of(lua_State *L, const char *key, ps_t min, ps_t max,
		    const char *range, const char *like)
{
	uint64_t n;

	if (!whole(L, min, max, &n))
		luaL_error(L,
			   "machine{}: %s has to be a time from %s, like %s; "
			   "%s is none (numbers alone are picoseconds)",
			   key, range, like, shown(L));
	return n;
}

/* Bytes: a number, or a text like "64M". */
static uint64_t size(lua_State *L, const char *key, uint64_t min, uint64_t max)
{
	static const char units[] = "KMG";
	const char *text, *unit;
	unsigned shift;
	uint64_t n;
	char *end;

	if (lua_type(L, -1) == LUA_TNUMBER)
		return number(L, key, min, max);
	text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
	n = strtoull(text, &end, 10);
	unit = *end ? strchr(units, *end) : NULL;
	/* No sign, no blank, nothing behind the unit. */
	if (*text < '0' || *text > '9' || (*end && (!unit || end[1])))
		luaL_error(L,
			   "machine{}: %s has to be a size like \"64M\", "
			   "not %s",
			   key, shown(L));
	shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;
	if (n > max >> shift)
		n = max + 1; /* whatever it would be, shifted */
	else
		n <<= shift;
	if (n < min || n > max)
		luaL_error(L, "machine{}: %s has to be from %I to %I bytes",
			   key, (LUAI_UACINT)min, (LUAI_UACINT)max);
	return n;
}

/* The smallest blocks that disks have; all of this machine's have these. */
#define DISK_BLOCK_BYTES 512

static uint64_t disk_size(lua_State *L, const char *key)
{
	uint64_t n = size(L, key, 65536, UINT64_C(1) << 40);

	if (n % DISK_BLOCK_BYTES)
		luaL_error(L,
			   "machine{}: %s has to be a multiple of %d bytes, "
			   "not %s",
			   key, (int)DISK_BLOCK_BYTES, shown(L));
	return n;
}

static void text(lua_State *L, const char *key, char *to, size_t bytes)
{
	size_t n;
	const char *from;

	if (lua_type(L, -1) != LUA_TSTRING)
		luaL_error(L, "machine{}: %s has to be a text, not %s", key,
			   shown(L));
	from = lua_tolstring(L, -1, &n);
	if (n >= bytes || strlen(from) != n)
		luaL_error(L,
			   "machine{}: %s is too long, or has a zero in it: at "
			   "most %d characters",
			   key, (int)bytes - 1);
	memcpy(to, from, n + 1);
}

/* A file's path, relative to the scenario. */
static void path(lua_State *L, const char *key, char *to)
{
	const char *scenario = script_of(L)->session->options.scenario;
	const char *slash = strrchr(scenario, '/');
	char given[PATH_MAX];
	int folder = slash ? (int)(slash + 1 - scenario) : 0;

	text(L, key, given, sizeof(given));
	if (given[0] == '/')
		folder = 0;
	if (snprintf(to, PATH_MAX, "%.*s%s", folder, scenario, given) >=
	    PATH_MAX)
		luaL_error(L, "machine{}: %s is too long", key);
}

/* --- keys --- */

static void key_ram(lua_State *L, struct session_machine *d)
{
	d->config.ram_bytes =
		size(L, "ram", UINT64_C(16) << 20, UINT64_C(16) << 30) &
		~(PAGE_BYTES - 1);
}

static void key_cpus(lua_State *L, struct session_machine *d)
{
	d->config.cpu_count = (unsigned)number(L, "cpus", 1, CPU_COUNT_MAX);
}

static void key_hz(lua_State *L, struct session_machine *d)
{
	d->config.cpu_hz = number(L, "hz", 1000000, UINT64_C(10000000000));
}

static void key_timing(lua_State *L, struct session_machine *d)
{
	char model[16];

	text(L, "timing", model, sizeof(model));
	if (!timing_model_find(model, &d->config.timing))
		luaL_error(L,
			   "machine{}: timing is \"flat\", \"block\" or "
			   "\"memory\", not \"%s\"",
			   model);
}

static void key_profile(lua_State *L, struct session_machine *d)
{
	path(L, "profile", d->profile);
}

static void key_serial_hz(lua_State *L, struct session_machine *d)
{
	d->config.serial_hz =
		number(L, "serial_hz", 1000, UINT64_C(1000000000));
}

/* What a command of that kind takes, besides its bytes. */
static ps_t disk_time(lua_State *L, const char *key)
{
	return time_of(L, key, PS_PER_NS, PS_PER_S, "ns(1) to s(1)", "us(12)");
}

static void key_disk_read(lua_State *L, struct session_machine *d)
{
	d->config.disk_read_ps = disk_time(L, "disk_read");
}

static void key_disk_write(lua_State *L, struct session_machine *d)
{
	d->config.disk_write_ps = disk_time(L, "disk_write");
}

static void key_disk_flush(lua_State *L, struct session_machine *d)
{
	d->config.disk_flush_ps = disk_time(L, "disk_flush");
}

static void key_turn(lua_State *L, struct session_machine *d)
{
	d->config.quantum_ps = time_of(L, "turn", 100 * PS_PER_NS, PS_PER_MS,
				       "ns(100) to ms(1)", "us(10)");
}

/* Where one line leads, of the value on top. */
static void serial_to(lua_State *L, struct session_line_to *to)
{
	const char *s =
		lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";

	if (strcmp(s, "file") == 0)
		to->kind = SESSION_TO_FILE;
	else if (strcmp(s, "terminal") == 0)
		to->kind = SESSION_TO_TERMINAL;
	else if (strncmp(s, "socket:", 7) == 0 && s[7])
		to->kind = SESSION_TO_SOCKET;
	else
		luaL_error(L, "machine{}: serial is \"file\", \"terminal\" or "
			      "\"socket:PATH\", or a list of two of them");
	if (to->kind == SESSION_TO_SOCKET)
		snprintf(to->path, sizeof(to->path), "%s", s + 7);
}

static void key_serial(lua_State *L, struct session_machine *d)
{
	lua_Integer n;

	if (lua_type(L, -1) != LUA_TTABLE) {
		serial_to(L, &d->serial[0]);
		return;
	}
	n = luaL_len(L, -1);
	if (n < 1 || n > MACHINE_SERIALS)
		luaL_error(L,
			   "machine{}: serial has %I lines: give one to %d, as "
			   "many as a machine has",
			   (LUAI_UACINT)n, MACHINE_SERIALS);
	for (lua_Integer i = 0; i < n; i++, lua_pop(L, 1)) {
		lua_geti(L, -1, i + 1);
		serial_to(L, &d->serial[i]);
	}
}

static void key_rtc(lua_State *L, struct session_machine *d)
{
	char date[32];
	struct error err;

	text(L, "rtc", date, sizeof(date));
	if (!date_parse(date, &d->config.rtc_seconds, &err))
		luaL_error(L, "machine{}: rtc: %s", err.text);
}

static void key_video(lua_State *L, struct session_machine *d)
{
	struct machine_video v = {0};
	char mode[32], rest;

	text(L, "video", mode, sizeof(mode));
	if (strcmp(mode, "text") != 0 &&
	    (sscanf(mode, "%5ux%5ux%2u%c", &v.width, &v.height, &v.depth,
		    &rest) != 3 ||
	     !vga_mode_fits(v.width, v.height, v.depth)))
		luaL_error(L,
			   "machine{}: video is \"text\" or "
			   "\"WIDTHxHEIGHTxDEPTH\" of at most %dx%d, the "
			   "width a multiple of 8, the depth 8, 15, 16, 24 or "
			   "32, in 16 MiB; not \"%s\"",
			   VGA_WIDTH_MAX, VGA_HEIGHT_MAX, mode);
	d->config.video = v;
}

static void key_seed(lua_State *L, struct session_machine *d)
{
	d->config.seed = number(L, "seed", 0, INT64_MAX);
}

/* A name is an image of the images' folder, with its usual modules; a path is
 * any kernel, and has none unless they are given. */
static void key_kernel(lua_State *L, struct session_machine *d)
{
	text(L, "kernel", d->kernel, sizeof(d->kernel));
	d->kernel_given = true;
	d->kernel_is_path = strpbrk(d->kernel, "/.");
	if (d->kernel_is_path)
		path(L, "kernel", d->kernel);
}

/* It boots by itself: no image is given to it. */
static void key_firmware(lua_State *L, struct session_machine *d)
{
	path(L, "firmware", d->firmware);
}

/* For what names places of the kernel; nothing else knows of it. */
static void key_symbols(lua_State *L, struct session_machine *d)
{
	path(L, "symbols", d->symbols);
}

static void key_boot(lua_State *L, struct session_machine *d)
{
	text(L, "boot", d->boot, sizeof(d->boot));
}

static void key_initrd(lua_State *L, struct session_machine *d)
{
	path(L, "initrd", d->initrd);
}

static void key_load_address(lua_State *L, struct session_machine *d)
{
	d->config.load_address = number(L, "load_address", 0, UINT32_MAX);
}

static void key_cmdline(lua_State *L, struct session_machine *d)
{
	text(L, "cmdline", d->cmdline, sizeof(d->cmdline));
}

static void key_policy(lua_State *L, struct session_machine *d)
{
	path(L, "policy", d->policy);
}

/* Nothing of it runs, so it needs no disk. */
static void key_memory(lua_State *L, struct session_machine *d)
{
	path(L, "memory", d->memory);
}

static void key_controllers(lua_State *L, struct session_machine *d)
{
	d->config.controllers =
		(unsigned)number(L, "controllers", 0, MACHINE_CONTROLLERS_MAX);
}

static void key_modules(lua_State *L, struct session_machine *d)
{
	lua_Integer n;

	if (!lua_istable(L, -1))
		luaL_error(L, "machine{}: modules has to be a list of image "
			      "names");
	n = luaL_len(L, -1);
	/* The policy is one more. */
	if (n >= MACHINE_MODULES_MAX)
		luaL_error(L, "machine{}: modules: at most %d",
			   MACHINE_MODULES_MAX - 1);
	for (lua_Integer i = 0; i < n; i++) {
		lua_geti(L, -1, i + 1);
		text(L, "modules", d->module[i], sizeof(d->module[i]));
		lua_pop(L, 1);
	}
	d->module_count = (size_t)n;
	d->modules_given = true;
}

static void key_on_reset(lua_State *L, struct session_machine *d)
{
	char what[8];

	text(L, "on_reset", what, sizeof(what));
	if (!strcmp(what, "reset"))
		d->config.on_reset = MACHINE_RESET_BOOTS;
	else if (!strcmp(what, "stop"))
		d->config.on_reset = MACHINE_RESET_ENDS;
	else
		luaL_error(L,
			   "machine{}: on_reset is \"reset\" or \"stop\", not "
			   "\"%s\"",
			   what);
}

static void key_disk(lua_State *L, struct session_machine *d)
{
	if (lua_isboolean(L, -1) && !lua_toboolean(L, -1)) {
		d->disk_bytes = 0;
		return;
	}
	d->disk_bytes = disk_size(L, "disk");
}

static void key_snapshot_memory(lua_State *L, struct session_machine *d)
{
	d->snapshot_bytes = size(L, "snapshot_memory", UINT64_C(1) << 20,
				 UINT64_C(1) << 40);
}

static void key_more_disks(lua_State *L, struct session_machine *d)
{
	lua_Integer n = lua_istable(L, -1) ? luaL_len(L, -1) : 0;

	if (n < 1 || n > (lua_Integer)ARRAY_LEN(d->more_disk_bytes))
		luaL_error(L,
			   "machine{}: more_disks has to be a list of one to "
			   "%d sizes",
			   (int)ARRAY_LEN(d->more_disk_bytes));
	for (lua_Integer i = 0; i < n; i++) {
		lua_geti(L, -1, i + 1);
		d->more_disk_bytes[i] = disk_size(L, "more_disks");
		lua_pop(L, 1);
	}
}

static void key_nics(lua_State *L, struct session_machine *d)
{
	d->config.nics = (unsigned)number(L, "nics", 0, MACHINE_NICS);
}

static void key_conformance(lua_State *L, struct session_machine *d)
{
	if (!lua_isboolean(L, -1))
		luaL_error(L, "machine{}: conformance has to be true or false");
	d->any_code = !lua_toboolean(L, -1);
}

static void key_rng(lua_State *L, struct session_machine *d)
{
	if (!lua_isboolean(L, -1))
		luaL_error(L, "machine{}: rng has to be true or false");
	d->config.rng = lua_toboolean(L, -1);
}

static void key_iommu(lua_State *L, struct session_machine *d)
{
	if (!lua_isboolean(L, -1))
		luaL_error(L, "machine{}: iommu has to be true or false");
	d->config.iommu = lua_toboolean(L, -1);
}

static void key_trace(lua_State *L, struct session_machine *d)
{
	d->traces = true;
	if (lua_type(L, -1) != LUA_TSTRING ||
	    !session_classes(lua_tostring(L, -1), &d->classes))
		luaL_error(L, "machine{}: trace has to be \"none\", "
			      "\"partition\", \"machine\", \"flow\" or "
			      "\"full\"");
}

static void key_virtio_disk(lua_State *L, struct session_machine *d)
{
	d->virtio_disk_bytes = disk_size(L, "virtio_disk");
}

static void key_disk_image(lua_State *L, struct session_machine *d)
{
	path(L, "disk_image", d->disk_image);
}

static void key_name(lua_State *L, struct session_machine *d)
{
	text(L, "name", d->name, sizeof(d->name));
}

static const struct key {
	const char *name;
	void (*take)(lua_State *L, struct session_machine *d);
} keys[] = {
	{"boot", key_boot},
	{"cmdline", key_cmdline},
	{"conformance", key_conformance},
	{"controllers", key_controllers},
	{"cpus", key_cpus},
	{"disk", key_disk},
	{"disk_flush", key_disk_flush},
	{"disk_image", key_disk_image},
	{"disk_read", key_disk_read},
	{"disk_write", key_disk_write},
	{"firmware", key_firmware},
	{"hz", key_hz},
	{"initrd", key_initrd},
	{"iommu", key_iommu},
	{"kernel", key_kernel},
	{"load_address", key_load_address},
	{"memory", key_memory},
	{"modules", key_modules},
	{"more_disks", key_more_disks},
	{"name", key_name},
	{"nics", key_nics},
	{"on_reset", key_on_reset},
	{"policy", key_policy},
	{"profile", key_profile},
	{"ram", key_ram},
	{"rng", key_rng},
	{"rtc", key_rtc},
	{"seed", key_seed},
	{"serial", key_serial},
	{"serial_hz", key_serial_hz},
	{"snapshot_memory", key_snapshot_memory},
	{"symbols", key_symbols},
	{"timing", key_timing},
	{"trace", key_trace},
	{"turn", key_turn},
	{"video", key_video},
	{"virtio_disk", key_virtio_disk},
};

static int unknown_key(lua_State *L, const char *name)
{
	luaL_Buffer b;

	luaL_buffinit(L, &b);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		luaL_addstring(&b, i ? ", " : "");
		luaL_addstring(&b, keys[i].name);
	}
	luaL_pushresult(&b);
	return luaL_error(L, "machine{} has no key '%s'; it knows %s", name,
			  lua_tostring(L, -1));
}

/* All keys of the table at 1. */
static void take_keys(lua_State *L, struct session_machine *d)
{
	lua_pushnil(L);
	while (lua_next(L, 1)) {
		const struct key *k = NULL;

		if (lua_type(L, -2) != LUA_TSTRING)
			luaL_error(L, "machine{}: a value without a key");
		for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
			if (strcmp(keys[i].name, lua_tostring(L, -2)) == 0)
				k = &keys[i];
		}
		if (!k)
			unknown_key(L, lua_tostring(L, -2));
		else
			k->take(L, d);
		lua_pop(L, 1);
	}
}

/* machine{...}: a handle.  The first machine is the run's own. */
static int lua_machine(lua_State *L)
{
	struct session *s = script_of(L)->first;
	struct session_machine *d;
	struct error err;

	luaL_checktype(L, 1, LUA_TTABLE);
	d = lua_newuserdatauv(L, sizeof(*d), 0);
	memset(d, 0, sizeof(*d));
	machine_config_defaults(&d->config);
	strcpy(d->kernel, "ultravisor");
	memcpy(d->module, modules_default, sizeof(modules_default));
	d->module_count = ARRAY_LEN(modules_default);
	d->disk_bytes = UINT64_C(64) << 20;
	take_keys(L, d);
	if (d->memory[0])
		d->disk_bytes = 0;
	if (s->options.firmware && !s->machine) {
		snprintf(d->firmware, sizeof(d->firmware), "%s",
			 s->options.firmware);
		d->kernel_given = false;
		d->initrd[0] = '\0';
		d->modules_given = false;
	}
	if (s->options.timing_given)
		d->config.timing = s->options.timing;
	if (s->options.profile)
		snprintf(d->profile, sizeof(d->profile), "%s",
			 s->options.profile);
	if (d->firmware[0] && d->kernel_given)
		return luaL_error(L, "machine{}: firmware boots by itself: "
				     "give no kernel with it");
	if ((d->kernel_is_path || d->firmware[0]) && !d->modules_given)
		d->module_count = 0;
	if (s->machine)
		s = session_add(s, d->name, &err);
	if (!s || !session_machine(s, d, &err))
		return script_fail_with(L, &err);
	machines_push(L, s);
	return 1;
}

static uint64_t net_number(lua_State *L, const char *key, uint64_t least,
			   uint64_t most)
{
	int is_number;
	lua_Integer value = lua_tointegerx(L, -1, &is_number);

	if (!is_number || value < (lua_Integer)least ||
	    value > (lua_Integer)most)
		luaL_error(L, "network{}: %s has to be a number from %I to %I",
			   key, (LUAI_UACINT)least, (LUAI_UACINT)most);
	return (uint64_t)value;
}

/* network{...}: what the switch is like to which all cards are connected. */
static int lua_network(lua_State *L)
{
	struct session *s = script_of(L)->first;
	struct error err = {0};

	luaL_checktype(L, 1, LUA_TTABLE);
	if (s->net)
		return luaL_error(L, "network{} comes too late: describe it "
				     "before the first machine with a card");
	for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
		const char *key = lua_type(L, -2) == LUA_TSTRING
					  ? lua_tostring(L, -2)
					  : "?";

		if (strcmp(key, "latency") == 0)
			s->net_config.latency_ps = net_number(
				L, key, SESSION_LATENCY_PS_MIN, PS_PER_S);
		else if (strcmp(key, "rate") == 0)
			s->net_config.bits_per_s = net_number(
				L, key, 1000000, UINT64_C(1000000000000));
		else if (strcmp(key, "capture") != 0)
			return luaL_error(L,
					  "network{} has no key '%s'; it knows "
					  "capture, latency, rate",
					  key);
		else if (lua_toboolean(L, -1) && !session_capture(s, &err))
			return script_fail_with(L, &err);
	}
	return 0;
}

/* The value of the command line as text; NULL: none was given. */
static const char *parameter(struct script *c, const char *name)
{
	const struct session_options *o = &c->first->options;
	size_t n = strlen(name);

	for (size_t i = 0; i < o->parameter_count; i++) {
		if (strncmp(o->parameter[i], name, n) != 0 ||
		    o->parameter[i][n] != '=')
			continue;
		c->parameters_used |= UINT32_C(1) << i;
		return o->parameter[i] + n + 1;
	}
	return NULL;
}

/* param(name, default): the default's type is what is taken. */
static int lua_param(lua_State *L)
{
	const char *name = luaL_checkstring(L, 1);
	const char *given = parameter(script_of(L), name);
	int type = lua_type(L, 2);

	lua_settop(L, 2);
	luaL_argcheck(L,
		      type == LUA_TSTRING || type == LUA_TNUMBER ||
			      type == LUA_TBOOLEAN,
		      2, "the default is a string, a number or a boolean");
	if (!given)
		return 1;
	if (type == LUA_TSTRING) {
		lua_pushstring(L, given);
	} else if (type == LUA_TBOOLEAN) {
		if (strcmp(given, "true") != 0 && strcmp(given, "false") != 0)
			return luaL_error(L, "--set %s=%s: give true or false",
					  name, given);
		lua_pushboolean(L, given[0] == 't');
	} else if (lua_stringtonumber(L, given) != strlen(given) + 1) {
		return luaL_error(L, "--set %s=%s: give a number", name, given);
	}
	return 1;
}

const luaL_Reg describe_functions[] = {
	{"param", lua_param},
	{"machine", lua_machine},
	{"network", lua_network},
	{NULL, NULL},
};
