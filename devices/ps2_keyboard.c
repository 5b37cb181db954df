/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/ps2_keyboard.c - commands, names of keys, scan codes; see ps2.h. */
#include <stdio.h>
#include <string.h>

#include "devices/ps2.h"

enum {
	SET_LEDS = 0xED,
	ECHO = 0xEE,
	SCAN_CODE_SET = 0xF0,
	IDENTIFY = 0xF2,
	SET_RATE = 0xF3,
	ENABLE = 0xF4,
	DISABLE = 0xF5, /* and defaults */
	DEFAULTS = 0xF6,
	ALL_KEYS_FIRST = 0xF7, /* typematic, make, break: for set 3 */
	ALL_KEYS_LAST = 0xFA,
	RESEND = 0xFE,
	RESET = 0xFF
};

#define ACK          0xFA
#define SELF_TEST_OK 0xAA
#define RATE_DEFAULT 0x2B /* 10.9 a second after 500 ms */

/* ---- commands ---- */

static void defaults(struct ps2_keyboard *k)
{
	k->leds = 0;
	k->rate = RATE_DEFAULT;
}

void ps2_keyboard_reset(struct ps2_keyboard *k)
{
	memset(k, 0, sizeof(*k));
	defaults(k);
	k->scanning = 1;
}

static void argument(struct ps2_keyboard *k, uint8_t byte)
{
	uint8_t command = k->command;

	k->command = 0;
	if (command == SCAN_CODE_SET) {
		if (byte != 0 && byte != 2) {
			ps2_answer(&k->answers, RESEND);
			return;
		}
		ps2_answer(&k->answers, ACK);
		if (!byte)
			ps2_answer(&k->answers, 2);
		return;
	}
	if (command == SET_LEDS)
		k->leds = byte & 7;
	else
		k->rate = byte & 0x7F;
	ps2_answer(&k->answers, ACK);
}

static void reset_command(struct ps2_keyboard *k, ps_t now)
{
	defaults(k);
	k->scanning = 1;
	k->answers = (struct ps2_answers){.count = 0};
	ps2_answer(&k->answers, ACK);
	ps2_hold(&k->answers, now + PS2_SELF_TEST_PS);
	ps2_answer(&k->answers, SELF_TEST_OK);
}

void ps2_keyboard_write(struct ps2_keyboard *k, uint8_t byte, ps_t now)
{
	struct ps2_answers *a = &k->answers;

	if (k->command && byte < SET_LEDS) {
		argument(k, byte);
		return;
	}
	/* A command ends one that waits for its argument. */
	k->command = 0;
	switch (byte) {
	case SET_LEDS:
	case SCAN_CODE_SET:
	case SET_RATE:
		k->command = byte;
		ps2_answer(a, ACK);
		break;
	case ECHO:
		ps2_answer(a, ECHO);
		break;
	case IDENTIFY:
		ps2_answer(a, ACK);
		ps2_answer(a, 0xAB);
		ps2_answer(a, 0x83);
		break;
	case ENABLE:
		k->scanning = 1;
		ps2_answer(a, ACK);
		break;
	case DISABLE:
	case DEFAULTS:
		defaults(k);
		k->scanning = byte == DEFAULTS;
		ps2_answer(a, ACK);
		break;
	case ALL_KEYS_FIRST ... ALL_KEYS_LAST:
		ps2_answer(a, ACK);
		break;
	case RESEND:
		ps2_answer(a, k->last);
		break;
	case RESET:
		reset_command(k, now);
		break;
	default:
		ps2_answer(a, RESEND);
		break;
	}
}

ps_t ps2_keyboard_when(const struct ps2_keyboard *k)
{
	ps_t when = ps2_answer_when(&k->answers);

	return when == PS_NEVER && k->scanning && k->typed_count ? 0 : when;
}

uint8_t ps2_keyboard_take(struct ps2_keyboard *k)
{
	if (k->answers.count) {
		k->last = ps2_answer_take(&k->answers);
	} else {
		k->last = k->typed[k->typed_first];
		k->typed_first = (k->typed_first + 1) % PS2_TYPED;
		k->typed_count--;
	}
	return k->last;
}

/* ---- keys ---- */

#define EXTENDED 0x100 /* E0 before the code */

static const struct key {
	const char *name;
	uint16_t code; /* set 2 */
} keys[] = {
	{"a", 0x1C},
	{"b", 0x32},
	{"c", 0x21},
	{"d", 0x23},
	{"e", 0x24},
	{"f", 0x2B},
	{"g", 0x34},
	{"h", 0x33},
	{"i", 0x43},
	{"j", 0x3B},
	{"k", 0x42},
	{"l", 0x4B},
	{"m", 0x3A},
	{"n", 0x31},
	{"o", 0x44},
	{"p", 0x4D},
	{"q", 0x15},
	{"r", 0x2D},
	{"s", 0x1B},
	{"t", 0x2C},
	{"u", 0x3C},
	{"v", 0x2A},
	{"w", 0x1D},
	{"x", 0x22},
	{"y", 0x35},
	{"z", 0x1A},
	{"0", 0x45},
	{"1", 0x16},
	{"2", 0x1E},
	{"3", 0x26},
	{"4", 0x25},
	{"5", 0x2E},
	{"6", 0x36},
	{"7", 0x3D},
	{"8", 0x3E},
	{"9", 0x46},
	{"grave", 0x0E},
	{"minus", 0x4E},
	{"equal", 0x55},
	{"backslash", 0x5D},
	{"bracketleft", 0x54},
	{"bracketright", 0x5B},
	{"semicolon", 0x4C},
	{"apostrophe", 0x52},
	{"comma", 0x41},
	{"period", 0x49},
	{"slash", 0x4A},
	{"space", 0x29},
	{"tab", 0x0D},
	{"enter", 0x5A},
	{"backspace", 0x66},
	{"esc", 0x76},
	{"capslock", 0x58},
	{"numlock", 0x77},
	{"scrolllock", 0x7E},
	{"shift", 0x12},
	{"rshift", 0x59},
	{"ctrl", 0x14},
	{"rctrl", 0x14 | EXTENDED},
	{"alt", 0x11},
	{"altgr", 0x11 | EXTENDED},
	{"meta", 0x1F | EXTENDED},
	{"menu", 0x2F | EXTENDED},
	{"f1", 0x05},
	{"f2", 0x06},
	{"f3", 0x04},
	{"f4", 0x0C},
	{"f5", 0x03},
	{"f6", 0x0B},
	{"f7", 0x83},
	{"f8", 0x0A},
	{"f9", 0x01},
	{"f10", 0x09},
	{"f11", 0x78},
	{"f12", 0x07},
	{"insert", 0x70 | EXTENDED},
	{"delete", 0x71 | EXTENDED},
	{"home", 0x6C | EXTENDED},
	{"end", 0x69 | EXTENDED},
	{"pageup", 0x7D | EXTENDED},
	{"pagedown", 0x7A | EXTENDED},
	{"up", 0x75 | EXTENDED},
	{"down", 0x72 | EXTENDED},
	{"left", 0x6B | EXTENDED},
	{"right", 0x74 | EXTENDED},
};

/* What a shifted or unnamed character of the US layout is made with. */
static const struct {
	char character;
	const char *key;
} characters[] = {
	{'\n', "enter"},
	{'\t', "tab"},
	{' ', "space"},
	{'`', "grave"},
	{'-', "minus"},
	{'=', "equal"},
	{'\\', "backslash"},
	{'[', "bracketleft"},
	{']', "bracketright"},
	{';', "semicolon"},
	{'\'', "apostrophe"},
	{',', "comma"},
	{'.', "period"},
	{'/', "slash"},
	{'~', "shift-grave"},
	{'_', "shift-minus"},
	{'+', "shift-equal"},
	{'|', "shift-backslash"},
	{'{', "shift-bracketleft"},
	{'}', "shift-bracketright"},
	{':', "shift-semicolon"},
	{'"', "shift-apostrophe"},
	{'<', "shift-comma"},
	{'>', "shift-period"},
	{'?', "shift-slash"},
	{'!', "shift-1"},
	{'@', "shift-2"},
	{'#', "shift-3"},
	{'$', "shift-4"},
	{'%', "shift-5"},
	{'^', "shift-6"},
	{'&', "shift-7"},
	{'*', "shift-8"},
	{'(', "shift-9"},
	{')', "shift-0"},
};

static const struct key *key_find(const char *name, size_t length)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (strlen(keys[i].name) == length &&
		    memcmp(keys[i].name, name, length) == 0)
			return &keys[i];
	}
	return NULL;
}

static void put(struct ps2_keyboard *k, uint8_t byte)
{
	k->typed[(k->typed_first + k->typed_count++) % PS2_TYPED] = byte;
}

static void put_key(struct ps2_keyboard *k, const struct key *key, bool down)
{
	if (key->code & EXTENDED)
		put(k, 0xE0);
	if (!down)
		put(k, 0xF0);
	put(k, (uint8_t)key->code);
}

#define CHORD_KEYS  8
#define CHORD_BYTES (CHORD_KEYS * 5) /* make and break of extended keys */

bool ps2_keyboard_press(struct ps2_keyboard *k, const char *chord,
			struct error *err)
{
	const struct key *held[CHORD_KEYS];
	unsigned count = 0;
	const char *at = chord;

	for (;;) {
		size_t length = strcspn(at, "-");
		const struct key *key = key_find(at, length);

		if (!key || count == CHORD_KEYS)
			return error_set(err, EXIT_USAGE,
					 "\"%s\": %s; keys are named as in "
					 "\"ctrl-alt-delete\" (the list is in "
					 "docs/scenario-author.md)",
					 chord,
					 key ? "too many keys at once"
					     : "no such key");
		held[count++] = key;
		if (!at[length])
			break;
		at += length + 1;
	}
	if (k->typed_count + CHORD_BYTES > PS2_TYPED)
		return error_set(err, EXIT_LIVENESS,
				 "\"%s\": the guest has not read what was "
				 "typed before; let it run",
				 chord);
	for (unsigned i = 0; i < count; i++)
		put_key(k, held[i], true);
	while (count--)
		put_key(k, held[count], false);
	return true;
}

bool ps2_keyboard_scan(struct ps2_keyboard *k, const uint8_t *bytes,
		       size_t count)
{
	if (k->typed_count + count > PS2_TYPED)
		return false;
	for (size_t i = 0; i < count; i++)
		put(k, bytes[i]);
	return true;
}

static bool press_character(struct ps2_keyboard *k, char c, struct error *err)
{
	char chord[16];

	for (size_t i = 0; i < ARRAY_LEN(characters); i++) {
		if (characters[i].character == c)
			return ps2_keyboard_press(k, characters[i].key, err);
	}
	if (c >= 'A' && c <= 'Z')
		snprintf(chord, sizeof(chord), "shift-%c", c - 'A' + 'a');
	else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
		snprintf(chord, sizeof(chord), "%c", c);
	else
		return error_set(err, EXIT_USAGE,
				 "no key of a US keyboard makes the byte %02Xh",
				 (unsigned char)c);
	return ps2_keyboard_press(k, chord, err);
}

bool ps2_keyboard_type(struct ps2_keyboard *k, const char *text,
		       struct error *err)
{
	for (; *text; text++) {
		if (!press_character(k, *text, err))
			return false;
	}
	return true;
}
