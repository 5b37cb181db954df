/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/window/hand.c - keys and the mouse: for the panel, or, when the guest's
 * screen was clicked at, for the guest. */
#include <string.h>

#include "tools/window/window.h"

#define EXTENDED 0x100 /* E0 before the code */

/* USB keys to PS/2 scan code set 2 (Microsoft, "USB HID to PS/2 Scan Code
 * Translation Table"). */
static const uint16_t set2[SDL_NUM_SCANCODES] = {
	[SDL_SCANCODE_A] = 0x1C,
	[SDL_SCANCODE_B] = 0x32,
	[SDL_SCANCODE_C] = 0x21,
	[SDL_SCANCODE_D] = 0x23,
	[SDL_SCANCODE_E] = 0x24,
	[SDL_SCANCODE_F] = 0x2B,
	[SDL_SCANCODE_G] = 0x34,
	[SDL_SCANCODE_H] = 0x33,
	[SDL_SCANCODE_I] = 0x43,
	[SDL_SCANCODE_J] = 0x3B,
	[SDL_SCANCODE_K] = 0x42,
	[SDL_SCANCODE_L] = 0x4B,
	[SDL_SCANCODE_M] = 0x3A,
	[SDL_SCANCODE_N] = 0x31,
	[SDL_SCANCODE_O] = 0x44,
	[SDL_SCANCODE_P] = 0x4D,
	[SDL_SCANCODE_Q] = 0x15,
	[SDL_SCANCODE_R] = 0x2D,
	[SDL_SCANCODE_S] = 0x1B,
	[SDL_SCANCODE_T] = 0x2C,
	[SDL_SCANCODE_U] = 0x3C,
	[SDL_SCANCODE_V] = 0x2A,
	[SDL_SCANCODE_W] = 0x1D,
	[SDL_SCANCODE_X] = 0x22,
	[SDL_SCANCODE_Y] = 0x35,
	[SDL_SCANCODE_Z] = 0x1A,
	[SDL_SCANCODE_0] = 0x45,
	[SDL_SCANCODE_1] = 0x16,
	[SDL_SCANCODE_2] = 0x1E,
	[SDL_SCANCODE_3] = 0x26,
	[SDL_SCANCODE_4] = 0x25,
	[SDL_SCANCODE_5] = 0x2E,
	[SDL_SCANCODE_6] = 0x36,
	[SDL_SCANCODE_7] = 0x3D,
	[SDL_SCANCODE_8] = 0x3E,
	[SDL_SCANCODE_9] = 0x46,
	[SDL_SCANCODE_GRAVE] = 0x0E,
	[SDL_SCANCODE_MINUS] = 0x4E,
	[SDL_SCANCODE_EQUALS] = 0x55,
	[SDL_SCANCODE_BACKSLASH] = 0x5D,
	[SDL_SCANCODE_LEFTBRACKET] = 0x54,
	[SDL_SCANCODE_RIGHTBRACKET] = 0x5B,
	[SDL_SCANCODE_SEMICOLON] = 0x4C,
	[SDL_SCANCODE_APOSTROPHE] = 0x52,
	[SDL_SCANCODE_COMMA] = 0x41,
	[SDL_SCANCODE_PERIOD] = 0x49,
	[SDL_SCANCODE_SLASH] = 0x4A,
	[SDL_SCANCODE_NONUSBACKSLASH] = 0x61,
	[SDL_SCANCODE_SPACE] = 0x29,
	[SDL_SCANCODE_TAB] = 0x0D,
	[SDL_SCANCODE_RETURN] = 0x5A,
	[SDL_SCANCODE_BACKSPACE] = 0x66,
	[SDL_SCANCODE_ESCAPE] = 0x76,
	[SDL_SCANCODE_CAPSLOCK] = 0x58,
	[SDL_SCANCODE_NUMLOCKCLEAR] = 0x77,
	[SDL_SCANCODE_SCROLLLOCK] = 0x7E,
	[SDL_SCANCODE_LSHIFT] = 0x12,
	[SDL_SCANCODE_RSHIFT] = 0x59,
	[SDL_SCANCODE_LCTRL] = 0x14,
	[SDL_SCANCODE_RCTRL] = 0x14 | EXTENDED,
	[SDL_SCANCODE_LALT] = 0x11,
	[SDL_SCANCODE_RALT] = 0x11 | EXTENDED,
	[SDL_SCANCODE_LGUI] = 0x1F | EXTENDED,
	[SDL_SCANCODE_APPLICATION] = 0x2F | EXTENDED,
	[SDL_SCANCODE_F1] = 0x05,
	[SDL_SCANCODE_F2] = 0x06,
	[SDL_SCANCODE_F3] = 0x04,
	[SDL_SCANCODE_F4] = 0x0C,
	[SDL_SCANCODE_F5] = 0x03,
	[SDL_SCANCODE_F6] = 0x0B,
	[SDL_SCANCODE_F7] = 0x83,
	[SDL_SCANCODE_F8] = 0x0A,
	[SDL_SCANCODE_F9] = 0x01,
	[SDL_SCANCODE_F10] = 0x09,
	[SDL_SCANCODE_F11] = 0x78,
	[SDL_SCANCODE_F12] = 0x07,
	[SDL_SCANCODE_INSERT] = 0x70 | EXTENDED,
	[SDL_SCANCODE_DELETE] = 0x71 | EXTENDED,
	[SDL_SCANCODE_HOME] = 0x6C | EXTENDED,
	[SDL_SCANCODE_END] = 0x69 | EXTENDED,
	[SDL_SCANCODE_PAGEUP] = 0x7D | EXTENDED,
	[SDL_SCANCODE_PAGEDOWN] = 0x7A | EXTENDED,
	[SDL_SCANCODE_UP] = 0x75 | EXTENDED,
	[SDL_SCANCODE_DOWN] = 0x72 | EXTENDED,
	[SDL_SCANCODE_LEFT] = 0x6B | EXTENDED,
	[SDL_SCANCODE_RIGHT] = 0x74 | EXTENDED,
};

/* --- for the guest --- */

static void tell(struct window *w, struct wire_order *o)
{
	w->on &= wire_put(w->fd, o, sizeof(*o));
}

static void tell_key(struct window *w, SDL_Scancode key, bool down)
{
	struct wire_order o = {.what = WIRE_KEYS, .arg = w->seen.machine};
	uint16_t code = key < SDL_NUM_SCANCODES ? set2[key] : 0;

	if (!code)
		return;
	w->down[key] = down;
	if (code & EXTENDED)
		o.data[o.bytes++] = 0xE0;
	if (!down)
		o.data[o.bytes++] = 0xF0;
	o.data[o.bytes++] = (uint8_t)code;
	tell(w, &o);
}

/* The guest never hears of what is let go after it lost the keyboard: it is
 * told now. */
static void grab(struct window *w, bool on)
{
	for (int key = 0; key < SDL_NUM_SCANCODES && !on; key++) {
		if (w->down[key])
			tell_key(w, (SDL_Scancode)key, false);
	}
	w->buttons = 0;
	w->panel.grabbed = on;
	w->dirty = true;
	SDL_SetRelativeMouseMode(on ? SDL_TRUE : SDL_FALSE);
}

static void guest_key(struct window *w, const SDL_KeyboardEvent *e)
{
	if (e->type == SDL_KEYDOWN && (e->keysym.mod & KMOD_CTRL) &&
	    (e->keysym.mod & KMOD_ALT))
		grab(w, false);
	else
		tell_key(w, e->keysym.scancode, e->type == SDL_KEYDOWN);
}

static int8_t clamped(int n)
{
	return (int8_t)(n < -127 ? -127 : n > 127 ? 127 : n);
}

static void guest_mouse(struct window *w, int x, int y, int z)
{
	struct wire_order o = {
		.what = WIRE_MOUSE, .arg = w->seen.machine, .bytes = 4};

	o.data[0] = (uint8_t)clamped(x);
	o.data[1] = (uint8_t)clamped(-y);
	o.data[2] = (uint8_t)clamped(-z);
	o.data[3] = w->buttons;
	tell(w, &o);
}

/* By its events: a button may be up again before the first of them is seen. */
static void guest_button(struct window *w, const SDL_MouseButtonEvent *e)
{
	uint8_t bit = e->button == SDL_BUTTON_LEFT     ? 1
		      : e->button == SDL_BUTTON_RIGHT  ? 2
		      : e->button == SDL_BUTTON_MIDDLE ? 4
						       : 0;

	if (e->type == SDL_MOUSEBUTTONDOWN)
		w->buttons |= bit;
	else
		w->buttons &= (uint8_t)~bit;
	guest_mouse(w, 0, 0, 0);
}

static void guest_event(struct window *w, const SDL_Event *e)
{
	switch (e->type) {
	case SDL_KEYDOWN:
	case SDL_KEYUP:
		guest_key(w, &e->key);
		break;
	case SDL_MOUSEMOTION:
		guest_mouse(w, e->motion.xrel, e->motion.yrel, 0);
		break;
	case SDL_MOUSEBUTTONDOWN:
	case SDL_MOUSEBUTTONUP:
		guest_button(w, &e->button);
		break;
	case SDL_MOUSEWHEEL:
		guest_mouse(w, 0, 0, e->wheel.y);
		break;
	default:
		break;
	}
}

/* --- for the panel --- */

/* As fast as it can, ten times as slow, and so on, and as fast as it can. */
static uint32_t slower(uint32_t percent)
{
	return percent ? percent / 10 : 1000;
}

static void order(struct window *w, enum wire_what what, uint64_t arg)
{
	bool stands = w->seen.state == SEEN_STANDS;
	bool back = what == WIRE_BACK_STEP || what == WIRE_BACK_SWITCH ||
		    what == WIRE_BACK_TIME;
	bool on = what == WIRE_GO || what == WIRE_STEP ||
		  what == WIRE_STEP_SWITCH;

	/* What cannot be done now is not asked for. */
	if ((on && !stands) ||
	    (back && (w->seen.state == SEEN_RUNS || !w->seen.can_go_back)) ||
	    (what == WIRE_PAUSE && w->seen.state != SEEN_RUNS))
		return;
	if (what == WIRE_SPEED) {
		w->seen.speed = slower(w->seen.speed);
		arg = w->seen.speed;
		w->dirty = true;
	}
	w->asked += wire_is_answered(what);
	w->on &= wire_tell(w->fd, what, arg);
}

/* What was chosen is another machine's. */
static void show_machine(struct window *w, uint64_t machine)
{
	if (machine == w->seen.machine)
		return;
	w->panel.chosen = (struct panel_thing){PANEL_NOTHING, 0};
	order(w, WIRE_MACHINE, machine);
}

static void panel_key(struct window *w, const SDL_KeyboardEvent *e)
{
	bool shift = e->keysym.mod & KMOD_SHIFT;

	switch (e->keysym.sym) {
	case SDLK_SPACE:
		order(w, w->seen.state == SEEN_RUNS ? WIRE_PAUSE : WIRE_GO, 0);
		break;
	case SDLK_s:
		order(w, shift ? WIRE_BACK_STEP : WIRE_STEP, 0);
		break;
	case SDLK_n:
		order(w, shift ? WIRE_BACK_SWITCH : WIRE_STEP_SWITCH, 0);
		break;
	case SDLK_b:
		order(w, WIRE_BACK_TIME, shift ? 10 * PS_PER_MS : PS_PER_MS);
		break;
	case SDLK_v:
		order(w, WIRE_SPEED, 0);
		break;
	case SDLK_m:
		show_machine(w, (w->seen.machine + 1) % w->seen.machines);
		break;
	case SDLK_ESCAPE:
		w->panel.chosen = (struct panel_thing){PANEL_NOTHING, 0};
		w->dirty = true;
		break;
	case SDLK_q:
		order(w, WIRE_QUIT, 0);
		break;
	default:
		break;
	}
}

static void panel_click(struct window *w, int x, int y)
{
	struct panel_thing thing = panel_at(&w->panel, x, y);

	switch (thing.kind) {
	case PANEL_BUTTON:
		order(w, (enum wire_what)thing.number,
		      thing.number == WIRE_BACK_TIME ? 10 * PS_PER_MS : 0);
		break;
	case PANEL_SCREEN:
		grab(w, true);
		break;
	case PANEL_MACHINE:
		show_machine(w, thing.number);
		break;
	default:
		w->panel.chosen = thing;
		w->dirty = true;
		break;
	}
}

void hand_event(struct window *w, const SDL_Event *e)
{
	if (e->type == SDL_QUIT) {
		w->on = wire_tell(w->fd, WIRE_QUIT, 0);
	} else if (e->type == SDL_WINDOWEVENT) {
		w->dirty = true;
	} else if (!w->any) {
		return; /* nothing is shown yet */
	} else if (w->panel.grabbed) {
		guest_event(w, e);
	} else if (e->type == SDL_KEYDOWN && !e->key.repeat) {
		panel_key(w, &e->key);
	} else if (e->type == SDL_MOUSEBUTTONDOWN &&
		   e->button.button == SDL_BUTTON_LEFT) {
		panel_click(w, e->button.x, e->button.y);
	}
}
