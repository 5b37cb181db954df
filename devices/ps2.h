/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/ps2.h - a PS/2 keyboard and a PS/2 mouse, as the controller (i8042.h)
 * has them at its ends (IBM PS/2 Hardware Interface Technical Reference,
 * "Keyboard" and "Mouse"; Microsoft's IntelliMouse for the wheel).
 *
 * A device takes command bytes by _write() and has bytes to send while
 * _ready(); _take() takes the next one.  When they travel is the controller's
 * business. Answers go before keys and movements.
 *
 * Keyboard: scan code set 2 (the controller translates it).  Keys wait at the
 * finger: they are neither lost nor sent while scanning is off.
 *
 * Mouse: stream and remote mode, 2:1 scaling, wheel after the knock of sample
 * rates 200, 100, 80.  Movement adds up until it can be sent.
 *
 * Not modelled: scan code sets 1 and 3 (refused by FE), typematic repeat, the
 * sample rate as a rate, the mouse's resolution as a factor (both are kept and
 * told), overrun of the keyboard's own buffer.
 */
#ifndef PARTERRE_DEVICES_PS2_H
#define PARTERRE_DEVICES_PS2_H

#include "sim/base.h"
#include "sim/status.h"

#define PS2_ANSWERS 16
#define PS2_TYPED   4096
/* From the reset command's acknowledgement to its result. */
#define PS2_SELF_TEST_PS (100 * PS_PER_MS)

/* Answers to commands, in order. */
struct ps2_answers {
	uint8_t byte[PS2_ANSWERS];
	uint8_t count;
	uint64_t
		held_until; /* ps: what is behind the first `free` ones waits */
	uint8_t free;
};

struct ps2_keyboard {
	struct ps2_answers answers;
	uint8_t command; /* that waits for its argument; 0: none */
	uint8_t scanning, leds, rate, last;
	/* Bytes of keys at the finger: a ring. */
	uint8_t typed[PS2_TYPED];
	uint16_t typed_first, typed_count;
};

struct ps2_mouse {
	struct ps2_answers answers;
	uint8_t command, last;
	uint8_t reporting, remote, wrap, twice; /* 2:1 scaling */
	uint8_t rate, resolution, wheel, buttons;
	uint8_t knock;    /* how many of the wheel's sample rates came */
	uint8_t reported; /* buttons of the last packet */
	uint8_t packet[4], packet_at, packet_bytes; /* under way */
	int32_t dx, dy, dz;                         /* since the last packet */
};

#define PS2_ANSWER_FIELDS(type, m)                                             \
	DEVICE_ARRAY(type, m.answers.byte),                                    \
		DEVICE_FIELD(type, m.answers.count),                           \
		DEVICE_FIELD(type, m.answers.held_until),                      \
		DEVICE_FIELD(type, m.answers.free)
#define PS2_KEYBOARD_FIELDS(type, m)                                           \
	PS2_ANSWER_FIELDS(type, m), DEVICE_FIELD(type, m.command),             \
		DEVICE_FIELD(type, m.scanning), DEVICE_FIELD(type, m.leds),    \
		DEVICE_FIELD(type, m.rate), DEVICE_FIELD(type, m.last),        \
		DEVICE_ARRAY(type, m.typed),                                   \
		DEVICE_FIELD(type, m.typed_first),                             \
		DEVICE_FIELD(type, m.typed_count)
#define PS2_MOUSE_FIELDS(type, m)                                              \
	PS2_ANSWER_FIELDS(type, m), DEVICE_FIELD(type, m.command),             \
		DEVICE_FIELD(type, m.last), DEVICE_FIELD(type, m.reporting),   \
		DEVICE_FIELD(type, m.remote), DEVICE_FIELD(type, m.wrap),      \
		DEVICE_FIELD(type, m.twice), DEVICE_FIELD(type, m.rate),       \
		DEVICE_FIELD(type, m.resolution), DEVICE_FIELD(type, m.wheel), \
		DEVICE_FIELD(type, m.buttons), DEVICE_FIELD(type, m.knock),    \
		DEVICE_FIELD(type, m.reported), DEVICE_ARRAY(type, m.packet),  \
		DEVICE_FIELD(type, m.packet_at),                               \
		DEVICE_FIELD(type, m.packet_bytes), DEVICE_FIELD(type, m.dx),  \
		DEVICE_FIELD(type, m.dy), DEVICE_FIELD(type, m.dz)

/* Answers: used by both devices. */
void ps2_answer(struct ps2_answers *a, uint8_t byte);
/* What is answered from here on comes at `when` at the earliest. */
void ps2_hold(struct ps2_answers *a, ps_t when);
/* When the first answer can go; PS_NEVER: there is none. */
ps_t ps2_answer_when(const struct ps2_answers *a);
uint8_t ps2_answer_take(struct ps2_answers *a);

/* The power comes on. */
void ps2_keyboard_reset(struct ps2_keyboard *k);
void ps2_keyboard_write(struct ps2_keyboard *k, uint8_t byte, ps_t now);
/* When it can send a byte (not before now is meant); PS_NEVER: it has none. */
ps_t ps2_keyboard_when(const struct ps2_keyboard *k);
uint8_t ps2_keyboard_take(struct ps2_keyboard *k);
/* Keys by name, pressed in order and let go in reverse: "ctrl-alt-delete". */
bool ps2_keyboard_press(struct ps2_keyboard *k, const char *keys,
			struct error *err);
/* Bytes of keys that go down or up, set 2.  False: no room, none was taken. */
bool ps2_keyboard_scan(struct ps2_keyboard *k, const uint8_t *bytes,
		       size_t count);
/* The keys of a US keyboard that make this text. */
bool ps2_keyboard_type(struct ps2_keyboard *k, const char *text,
		       struct error *err);

void ps2_mouse_reset(struct ps2_mouse *m);
void ps2_mouse_write(struct ps2_mouse *m, uint8_t byte, ps_t now);
ps_t ps2_mouse_when(const struct ps2_mouse *m);
uint8_t ps2_mouse_take(struct ps2_mouse *m);
/* dy: up; dz: the wheel, towards the user.  Buttons: 1 left, 2 right, 4 middle.
 */
void ps2_mouse_move(struct ps2_mouse *m, int32_t dx, int32_t dy, int32_t dz,
		    uint8_t buttons);

#endif
