/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/ps2_mouse.c - commands and packets of a mouse; see ps2.h. */
#include <stdlib.h>
#include <string.h>

#include "devices/ps2.h"

enum {
	SCALE_1 = 0xE6,
	SCALE_2 = 0xE7,
	SET_RESOLUTION = 0xE8,
	STATUS = 0xE9,
	STREAM = 0xEA,
	READ_DATA = 0xEB,
	UNWRAP = 0xEC,
	WRAP = 0xEE,
	REMOTE = 0xF0,
	IDENTIFY = 0xF2,
	SET_RATE = 0xF3,
	ENABLE = 0xF4,
	DISABLE = 0xF5,
	DEFAULTS = 0xF6,
	RESEND = 0xFE,
	RESET = 0xFF
};

#define ACK          0xFA
#define SELF_TEST_OK 0xAA

/* First byte of a packet. */
#define ALWAYS     0x08
#define X_NEGATIVE 0x10
#define Y_NEGATIVE 0x20

static void defaults(struct ps2_mouse *m)
{
	m->reporting = m->remote = m->wrap = m->twice = 0;
	m->rate = 100;
	m->resolution = 2;
}

void ps2_mouse_reset(struct ps2_mouse *m)
{
	memset(m, 0, sizeof(*m));
	defaults(m);
}

static int32_t clamp(int32_t value, int32_t limit)
{
	if (value > limit)
		return limit;
	return value < -limit ? -limit : value;
}

/* 2:1 scaling, of stream mode only: small counts are damped. */
static int32_t scaled(const struct ps2_mouse *m, int32_t count)
{
	static const uint8_t few[] = {0, 1, 1, 3, 6, 9};
	int32_t size = count < 0 ? -count : count;

	if (!m->twice || m->remote)
		return count;
	size = size < (int32_t)ARRAY_LEN(few) ? few[size] : 2 * size;
	return clamp(count < 0 ? -size : size, 255);
}

/* Takes what has added up, as far as a packet can tell. */
static void packet_make(struct ps2_mouse *m)
{
	int32_t dx = clamp(m->dx, 255), dy = clamp(m->dy, 255);
	int32_t dz = clamp(m->dz, 7);
	int32_t x = scaled(m, dx), y = scaled(m, dy);

	m->dx -= dx;
	m->dy -= dy;
	m->dz -= dz;
	m->reported = m->buttons;
	m->packet[0] =
		(uint8_t)(m->buttons | ALWAYS | (x < 0 ? X_NEGATIVE : 0) |
			  (y < 0 ? Y_NEGATIVE : 0));
	m->packet[1] = (uint8_t)x;
	m->packet[2] = (uint8_t)y;
	m->packet[3] = (uint8_t)dz;
	m->packet_bytes = m->wheel ? 4 : 3;
	m->packet_at = 0;
}

static void answer_packet(struct ps2_mouse *m)
{
	packet_make(m);
	for (unsigned i = 0; i < m->packet_bytes; i++)
		ps2_answer(&m->answers, m->packet[i]);
	m->packet_at = m->packet_bytes = 0;
}

static void answer_status(struct ps2_mouse *m)
{
	/* Right, middle and left button from bit 0 on. */
	uint8_t buttons =
		(uint8_t)((m->buttons & 1) << 2 | (m->buttons & 4) >> 1 |
			  (m->buttons & 2) >> 1);

	ps2_answer(&m->answers, (uint8_t)(buttons | m->twice << 4 |
					  m->reporting << 5 | m->remote << 6));
	ps2_answer(&m->answers, m->resolution);
	ps2_answer(&m->answers, m->rate);
}

static void set_rate(struct ps2_mouse *m, uint8_t rate)
{
	static const uint8_t knock[] = {200, 100, 80};

	m->rate = rate;
	if (rate != knock[m->knock])
		m->knock = rate == knock[0];
	else if (++m->knock == ARRAY_LEN(knock))
		m->wheel = 1;
	if (m->knock == ARRAY_LEN(knock))
		m->knock = 0;
}

static void argument(struct ps2_mouse *m, uint8_t byte)
{
	if (m->command == SET_RATE)
		set_rate(m, byte);
	else
		m->resolution = byte & 3;
	m->command = 0;
	ps2_answer(&m->answers, ACK);
}

static void reset_command(struct ps2_mouse *m, ps_t now)
{
	defaults(m);
	m->wheel = m->knock = 0;
	m->packet_at = m->packet_bytes = 0;
	m->answers = (struct ps2_answers){.count = 0};
	ps2_answer(&m->answers, ACK);
	ps2_hold(&m->answers, now + PS2_SELF_TEST_PS);
	ps2_answer(&m->answers, SELF_TEST_OK);
	ps2_answer(&m->answers, 0);
}

static bool acknowledged(struct ps2_mouse *m, uint8_t byte)
{
	switch (byte) {
	case SCALE_1:
	case SCALE_2:
		m->twice = byte == SCALE_2;
		break;
	case SET_RESOLUTION:
	case SET_RATE:
		m->command = byte;
		break;
	case STREAM:
	case REMOTE:
		m->remote = byte == REMOTE;
		break;
	case WRAP:
	case UNWRAP:
		m->wrap = byte == WRAP;
		break;
	case ENABLE:
	case DISABLE:
		m->reporting = byte == ENABLE;
		break;
	case DEFAULTS:
		defaults(m);
		break;
	case STATUS:
	case READ_DATA:
	case IDENTIFY:
		break;
	default:
		return false;
	}
	return true;
}

void ps2_mouse_write(struct ps2_mouse *m, uint8_t byte, ps_t now)
{
	/* A command ends the packet under way. */
	m->packet_at = m->packet_bytes = 0;
	if (m->wrap && byte != RESET && byte != UNWRAP) {
		ps2_answer(&m->answers, byte);
		return;
	}
	if (m->command) {
		argument(m, byte);
		return;
	}
	if (byte == RESET) {
		reset_command(m, now);
		return;
	}
	if (byte == RESEND) {
		ps2_answer(&m->answers, m->last);
		return;
	}
	if (!acknowledged(m, byte)) {
		ps2_answer(&m->answers, RESEND);
		return;
	}
	ps2_answer(&m->answers, ACK);
	if (byte == STATUS)
		answer_status(m);
	else if (byte == READ_DATA)
		answer_packet(m);
	else if (byte == IDENTIFY)
		ps2_answer(&m->answers, m->wheel ? 3 : 0);
}

ps_t ps2_mouse_when(const struct ps2_mouse *m)
{
	ps_t when = ps2_answer_when(&m->answers);
	bool moved = m->dx || m->dy || (m->wheel && m->dz) ||
		     m->buttons != m->reported;

	if (when != PS_NEVER)
		return when;
	return m->packet_at < m->packet_bytes ||
			       (m->reporting && !m->remote && moved)
		       ? 0
		       : PS_NEVER;
}

uint8_t ps2_mouse_take(struct ps2_mouse *m)
{
	if (m->answers.count) {
		m->last = ps2_answer_take(&m->answers);
	} else {
		if (m->packet_at == m->packet_bytes)
			packet_make(m);
		m->last = m->packet[m->packet_at++];
	}
	return m->last;
}

void ps2_mouse_move(struct ps2_mouse *m, int32_t dx, int32_t dy, int32_t dz,
		    uint8_t buttons)
{
	m->dx = clamp(m->dx + clamp(dx, 1 << 16), 1 << 16);
	m->dy = clamp(m->dy + clamp(dy, 1 << 16), 1 << 16);
	m->dz = clamp(m->dz + clamp(dz, 1 << 10), 1 << 10);
	m->buttons = buttons & 7;
}
