/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/uart16550.c - see uart16550.h. */
#include "devices/uart16550.h"

#include <string.h>

#include "devices/isa.h"
#include "devices/rate.h"
#include "sim/machine.h"

/* Table I: the registers; DLL and DLM stand at 0 and 1 while LCR_DLAB is set.
 */
enum {
	RBR_THR = 0,
	IER = 1,
	IIR_FCR = 2,
	LCR = 3,
	MCR = 4,
	LSR = 5,
	MSR = 6,
	SCR = 7
};

#define IER_RECEIVED 0x01
#define IER_THRE     0x02
#define IER_LINE     0x04
#define IER_MODEM    0x08

/* Table III, in order of priority. */
#define IIR_LINE     0x06
#define IIR_RECEIVED 0x04
#define IIR_TIMEOUT  0x0C
#define IIR_THRE     0x02
#define IIR_MODEM    0x00
#define IIR_NONE     0x01
#define IIR_FIFO     0xC0

#define FCR_ENABLE   0x01
#define FCR_RX_RESET 0x02
#define FCR_TX_RESET 0x04

#define LCR_STOP   0x04
#define LCR_PARITY 0x08
#define LCR_DLAB   0x80

#define MCR_OUT2 0x08
#define MCR_LOOP 0x10

#define LSR_DR     0x01
#define LSR_OE     0x02
#define LSR_ERRORS 0x1E
#define LSR_THRE   0x20
#define LSR_TEMT   0x40

#define MSR_INPUTS_ON 0xB0 /* CTS, DSR, DCD */

#define FIFO_BYTES    16
#define LINE_BYTES    4096 /* of input that waits at the far end */
#define DIVISOR_RESET 12   /* 9600 baud */

struct uart {
	struct device device;
	/* Silicon. */
	uint8_t ier, fcr, lcr, mcr, lsr, msr, scr;
	uint8_t tx[FIFO_BYTES], rx[FIFO_BYTES];
	uint8_t tx_count, rx_count;
	uint8_t shift;        /* what is being sent */
	uint8_t shifting;     /* 0 or 1 */
	uint8_t thre_pending; /* not yet read from IIR */
	uint8_t rx_timeout;   /* character timeout is indicated */
	uint16_t divisor;
	uint64_t
		burst_start; /* ps: back-to-back frames are counted from here */
	uint64_t burst_units; /* half bit times times divisor since then */
	/* The far end: a ring of what it has to send. */
	uint8_t line[LINE_BYTES];
	uint16_t line_first, line_count;
	uint32_t lost; /* fault: so many characters get lost on the way */
	/* Wiring. */
	unsigned serial;
	uint64_t hz; /* of the crystal */
	struct irq_line irq;
	struct event sent, idle, arrive;
	char sent_name[24], idle_name[24], arrive_name[24];
};

static const struct device_field uart_fields[] = {
	DEVICE_FIELD(struct uart, ier),
	DEVICE_FIELD(struct uart, fcr),
	DEVICE_FIELD(struct uart, lcr),
	DEVICE_FIELD(struct uart, mcr),
	DEVICE_FIELD(struct uart, lsr),
	DEVICE_FIELD(struct uart, msr),
	DEVICE_FIELD(struct uart, scr),
	DEVICE_ARRAY(struct uart, tx),
	DEVICE_ARRAY(struct uart, rx),
	DEVICE_FIELD(struct uart, tx_count),
	DEVICE_FIELD(struct uart, rx_count),
	DEVICE_FIELD(struct uart, shift),
	DEVICE_FIELD(struct uart, shifting),
	DEVICE_FIELD(struct uart, thre_pending),
	DEVICE_FIELD(struct uart, rx_timeout),
	DEVICE_FIELD(struct uart, divisor),
	DEVICE_FIELD(struct uart, burst_start),
	DEVICE_FIELD(struct uart, burst_units),
	DEVICE_ARRAY(struct uart, line),
	DEVICE_FIELD(struct uart, line_first),
	DEVICE_FIELD(struct uart, line_count),
	DEVICE_FIELD(struct uart, lost),
	{NULL, 0, 0, 0},
};

static const struct device_register uart_registers[] = {
	{"RBR/THR/DLL", RBR_THR, 1},
	{"IER/DLM", IER, 1},
	{"IIR/FCR", IIR_FCR, 1},
	{"LCR", LCR, 1},
	{"MCR", MCR, 1},
	{"LSR", LSR, 1},
	{"MSR", MSR, 1},
	{"SCR", SCR, 1},
	{NULL, 0, 0},
};

static unsigned fifo_depth(const struct uart *u)
{
	return u->fcr & FCR_ENABLE ? FIFO_BYTES : 1;
}

/* One frame in half bits times divisor: the unit in which stop bits of 1.5 and
 * any divisor are whole. */
static uint64_t frame_units(const struct uart *u)
{
	unsigned data = 5 + (u->lcr & 3);
	unsigned halves = 2 * (1 + data) + 2;

	if (u->lcr & LCR_STOP)
		halves += data == 5 ? 1 : 2;
	if (u->lcr & LCR_PARITY)
		halves += 2;
	return (uint64_t)halves * u->divisor;
}

/* ---- interrupts (8.6) ---- */

static unsigned rx_trigger(const struct uart *u)
{
	static const uint8_t level[] = {1, 4, 8, 14};

	return u->fcr & FCR_ENABLE ? level[u->fcr >> 6] : 1;
}

static uint8_t iir(const struct uart *u)
{
	if ((u->ier & IER_LINE) && (u->lsr & LSR_ERRORS))
		return IIR_LINE;
	if (u->ier & IER_RECEIVED) {
		if (u->rx_count >= rx_trigger(u))
			return IIR_RECEIVED;
		if (u->rx_timeout)
			return IIR_TIMEOUT;
	}
	if ((u->ier & IER_THRE) && u->thre_pending)
		return IIR_THRE;
	if ((u->ier & IER_MODEM) && (u->msr & 0x0F))
		return IIR_MODEM;
	return IIR_NONE;
}

static void uart_update(struct uart *u)
{
	/* A PC gates INTR by OUT2, which loop mode holds inactive (8.7). */
	bool gate = (u->mcr & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2;

	irq_set(&u->irq, gate && iir(u) != IIR_NONE);
}

/* ---- receiver ---- */

static void rx_idle_arm(struct uart *u)
{
	struct evq *q = machine_evq(u->device.machine);
	uint64_t clocks = 4 * frame_units(u) * 8;

	/* 8.12 A: FIFO timeout: four character times without a move. */
	u->rx_timeout = 0;
	if ((u->fcr & FCR_ENABLE) && u->rx_count)
		evq_schedule(q, &u->idle,
			     evq_now(q) + rate_instant(clocks, u->hz));
	else
		evq_cancel(q, &u->idle);
}

static void rx_idle(void *owner, ps_t when)
{
	struct uart *u = owner;

	(void)when;
	u->rx_timeout = 1;
	uart_update(u);
}

static bool rx_push(struct uart *u, uint8_t c)
{
	bool room = u->rx_count < fifo_depth(u);

	if (room) {
		u->rx[u->rx_count++] = c;
	} else {
		/* 8.4: a full FIFO keeps its bytes, a lone RBR is overwritten.
		 */
		u->lsr |= LSR_OE;
		if (!(u->fcr & FCR_ENABLE))
			u->rx[0] = c;
	}
	u->lsr |= LSR_DR;
	rx_idle_arm(u);
	uart_update(u);
	return room;
}

bool uart16550_receive(struct device *d, uint8_t c)
{
	struct uart *u = (struct uart *)d;

	/* 8.7: in loop mode SIN is disconnected. */
	return !(u->mcr & MCR_LOOP) && rx_push(u, c);
}

/* ---- the far end ---- */

static bool rx_ready(const struct uart *u)
{
	/* 8.7: in loop mode SIN is disconnected. */
	return u->rx_count < fifo_depth(u) && !(u->mcr & MCR_LOOP) &&
	       u->divisor;
}

/* Whatever makes rx_ready() true calls this; a frame under way goes on. */
static void line_arm(struct uart *u)
{
	struct machine *m = u->device.machine;
	uint64_t clocks = frame_units(u) * 8;

	if (u->line_count && rx_ready(u) && !evq_pending(&u->arrive))
		evq_schedule(machine_evq(m), &u->arrive,
			     machine_now(m) + rate_instant(clocks, u->hz));
}

static void line_arrive(void *owner, ps_t when)
{
	struct uart *u = owner;
	uint8_t c = u->line[u->line_first];

	(void)when;
	if (!rx_ready(u)) /* it was taken away meanwhile: sent again */
		return;
	u->line[u->line_first] = 0;
	u->line_first = (uint16_t)((u->line_first + 1) % LINE_BYTES);
	u->line_count--;
	if (u->lost)
		u->lost--;
	else
		rx_push(u, c);
	line_arm(u);
}

static size_t uart_input(struct device *d, const uint8_t *p, size_t bytes)
{
	struct uart *u = (struct uart *)d;
	size_t taken = 0;

	for (; taken < bytes && u->line_count < LINE_BYTES; taken++) {
		u->line[(u->line_first + u->line_count) % LINE_BYTES] =
			p[taken];
		u->line_count++;
	}
	line_arm(u);
	return taken;
}

static uint8_t rx_pop(struct uart *u)
{
	uint8_t c = u->rx[0];

	if (u->rx_count) {
		u->rx_count--;
		memmove(u->rx, u->rx + 1, FIFO_BYTES - 1);
		u->rx[FIFO_BYTES - 1] = 0;
	}
	if (!u->rx_count)
		u->lsr &= (uint8_t)~LSR_DR;
	rx_idle_arm(u);
	uart_update(u);
	line_arm(u);
	return c;
}

/* ---- transmitter ---- */

static void tx_start(struct uart *u, bool back_to_back)
{
	struct evq *q = machine_evq(u->device.machine);

	if (u->shifting || !u->tx_count)
		return;
	if (!u->divisor) {
		machine_odd(&u->device, "transmit with divisor 0", RBR_THR,
			    u->tx[0]);
		return;
	}
	u->shift = u->tx[0];
	u->tx_count--;
	memmove(u->tx, u->tx + 1, FIFO_BYTES - 1);
	u->shifting = 1;
	if (!back_to_back) {
		u->burst_start = evq_now(q);
		u->burst_units = 0;
	}
	u->burst_units += frame_units(u);
	/* 16 clocks per bit, 8 per half bit. */
	evq_schedule(q, &u->sent,
		     u->burst_start + rate_instant(u->burst_units * 8, u->hz));
	if (!u->tx_count) {
		u->lsr |= LSR_THRE;
		u->thre_pending = 1;
	}
}

static void tx_sent(void *owner, ps_t when)
{
	struct uart *u = owner;

	(void)when;
	u->shifting = 0;
	if (u->mcr & MCR_LOOP)
		rx_push(u, u->shift);
	else
		machine_console_byte(u->device.machine, u->serial, u->shift);
	tx_start(u, true);
	if (!u->shifting)
		u->lsr |= LSR_TEMT;
	uart_update(u);
}

static void thr_write(struct uart *u, uint8_t c)
{
	if (u->tx_count >= fifo_depth(u)) {
		machine_odd(&u->device, "THR written while full", RBR_THR, c);
		if (u->fcr & FCR_ENABLE)
			return;
		u->tx_count = 0; /* 16450 mode: the byte is overwritten */
	}
	u->tx[u->tx_count++] = c;
	u->lsr &= (uint8_t) ~(LSR_THRE | LSR_TEMT);
	u->thre_pending = 0;
	tx_start(u, false);
	uart_update(u);
}

/* ---- registers ---- */

static void fcr_write(struct uart *u, uint8_t value)
{
	bool toggled = (value ^ u->fcr) & FCR_ENABLE;

	/* 8.5: the other bits count only with FCR0; changing FCR0 clears both
	 * FIFOs. */
	u->fcr = value & FCR_ENABLE ? value & 0xC9 : 0;
	if (toggled || ((value & FCR_ENABLE) && (value & FCR_RX_RESET))) {
		u->rx_count = 0;
		memset(u->rx, 0, sizeof(u->rx));
		u->lsr &= (uint8_t)~LSR_DR;
		rx_idle_arm(u);
	}
	if (toggled || ((value & FCR_ENABLE) && (value & FCR_TX_RESET))) {
		/* The shift register goes on. */
		u->tx_count = 0;
		memset(u->tx, 0, sizeof(u->tx));
		if (!(u->lsr & LSR_THRE))
			u->thre_pending = 1;
		u->lsr |= LSR_THRE | (u->shifting ? 0 : LSR_TEMT);
	}
	line_arm(u);
}

/* 8.7, 8.8: in loop mode the four outputs are the four inputs. */
static void msr_follow(struct uart *u)
{
	uint8_t in = MSR_INPUTS_ON, changed;

	if (u->mcr & MCR_LOOP)
		in = (uint8_t)((u->mcr & 2) << 3 | (u->mcr & 1) << 5 |
			       (u->mcr & 4) << 4 | (u->mcr & 8) << 4);
	changed = (uint8_t)(in ^ (u->msr & 0xF0)) >> 4;
	if ((changed & 4) && (in & 0x40)) /* TERI: trailing edge alone */
		changed &= (uint8_t)~4;
	u->msr = (uint8_t)(in | (u->msr & 0x0F) | changed);
}

static uint64_t uart_read(struct device *d, uint64_t off, unsigned size)
{
	struct uart *u = (struct uart *)d;
	uint8_t value;

	(void)size;
	switch (off) {
	case RBR_THR:
		if (u->lcr & LCR_DLAB)
			return u->divisor & 0xFF;
		return rx_pop(u);
	case IER:
		return u->lcr & LCR_DLAB ? u->divisor >> 8 : u->ier;
	case IIR_FCR:
		value = iir(u);
		if (value == IIR_THRE) /* table III: reading resets it */
			u->thre_pending = 0;
		if (u->fcr & FCR_ENABLE)
			value |= IIR_FIFO;
		break;
	case LCR:
		return u->lcr;
	case MCR:
		return u->mcr;
	case LSR:
		value = u->lsr;
		u->lsr &= (uint8_t)~LSR_ERRORS;
		break;
	case MSR:
		value = u->msr;
		u->msr &= 0xF0;
		break;
	default:
		return u->scr;
	}
	uart_update(u);
	return value;
}

static void divisor_write(struct uart *u, uint16_t divisor)
{
	u->divisor = divisor;
	tx_start(u, false); /* what waited for a baud rate */
	line_arm(u);
}

static void uart_write(struct device *d, uint64_t off, unsigned size,
		       uint64_t v)
{
	struct uart *u = (struct uart *)d;
	uint8_t value = (uint8_t)v;

	(void)size;
	switch (off) {
	case RBR_THR:
		if (!(u->lcr & LCR_DLAB))
			thr_write(u, value);
		else
			divisor_write(u, (u->divisor & 0xFF00) | value);
		break;
	case IER:
		if (u->lcr & LCR_DLAB) {
			divisor_write(u, (uint16_t)((u->divisor & 0xFF) |
						    value << 8));
			break;
		}
		/* Enabled while THR is empty: indicated at once. */
		if ((value & ~u->ier & IER_THRE) && (u->lsr & LSR_THRE))
			u->thre_pending = 1;
		u->ier = value & 0x0F;
		break;
	case IIR_FCR:
		fcr_write(u, value);
		break;
	case LCR:
		u->lcr = value;
		break;
	case MCR:
		u->mcr = value & 0x1F;
		msr_follow(u);
		line_arm(u);
		break;
	case LSR:
	case MSR: /* 8.4: meant for factory testing */
		machine_odd(d, "write to a read-only register", off, value);
		break;
	default:
		u->scr = value;
		break;
	}
	uart_update(u);
}

/* Table II: after master reset. */
static void uart_reset(struct device *d)
{
	struct uart *u = (struct uart *)d;
	struct evq *q = machine_evq(d->machine);

	evq_cancel(q, &u->sent);
	evq_cancel(q, &u->idle);
	evq_cancel(q, &u->arrive);
	u->ier = u->fcr = u->lcr = u->mcr = u->scr = 0;
	u->lsr = LSR_THRE | LSR_TEMT;
	u->msr = MSR_INPUTS_ON;
	memset(u->tx, 0, sizeof(u->tx));
	memset(u->rx, 0, sizeof(u->rx));
	u->tx_count = u->rx_count = 0;
	u->shift = u->shifting = u->thre_pending = u->rx_timeout = 0;
	u->divisor = DIVISOR_RESET;
	u->burst_start = u->burst_units = 0;
	uart_update(u);
	line_arm(u); /* the far end isn't reset */
}

static bool uart_init(struct device *d, const struct device_prop *props,
		      size_t prop_count, struct error *err)
{
	static const struct bus_ops ops = {uart_read, uart_write, 1, 1};
	const struct device_prop *port =
		device_prop_find(props, prop_count, "port");
	const struct device_prop *irq =
		device_prop_find(props, prop_count, "irq");
	const struct device_prop *serial =
		device_prop_find(props, prop_count, "serial");
	const struct device_prop *hz =
		device_prop_find(props, prop_count, "hz");
	struct uart *u = (struct uart *)d;
	struct bus_range range = {port ? port->value : 0x3F8, 8, &ops, d,
				  d->name};

	if (!isa_irq_line(d->machine, irq ? irq->value : 4, d->name, &u->irq,
			  err))
		return false;
	strcat(strcpy(u->sent_name, d->name), ".sent");
	strcat(strcpy(u->idle_name, d->name), ".idle");
	strcat(strcpy(u->arrive_name, d->name), ".arrive");
	u->sent = (struct event){.name = u->sent_name,
				 .fire = tx_sent,
				 .owner = u,
				 .rank = EVQ_DEVICE};
	u->idle = (struct event){.name = u->idle_name,
				 .fire = rx_idle,
				 .owner = u,
				 .rank = EVQ_DEVICE};
	evq_register(machine_evq(d->machine), &u->sent);
	u->arrive = (struct event){.name = u->arrive_name,
				   .fire = line_arrive,
				   .owner = u,
				   .rank = EVQ_INPUT};
	evq_register(machine_evq(d->machine), &u->idle);
	evq_register(machine_evq(d->machine), &u->arrive);
	u->hz = hz ? hz->value : UART16550_HZ;
	u->serial = serial ? (unsigned)serial->value : 0;
	return machine_add_serial(d->machine, u->serial, d, uart_input, err) &&
	       bus_map_ports(machine_bus(d->machine), &range, err);
}

static void uart_fini(struct device *d)
{
	struct uart *u = (struct uart *)d;

	evq_cancel(machine_evq(d->machine), &u->sent);
	evq_cancel(machine_evq(d->machine), &u->idle);
	evq_cancel(machine_evq(d->machine), &u->arrive);
}

static const char *const uart_faults[] = {"lost", NULL};

static bool uart_fault(struct device *d, const char *name, uint64_t argument,
		       struct error *err)
{
	(void)name;
	(void)err;
	((struct uart *)d)->lost = (uint32_t)argument;
	return true;
}

const struct device_class uart16550_class = {
	.name = "uart16550",
	.summary = "UART PC16550D as a COM port",
	.object_bytes = sizeof(struct uart),
	.fields = uart_fields,
	.registers = uart_registers,
	.faults = uart_faults,
	.init = uart_init,
	.reset = uart_reset,
	.fault = uart_fault,
	.fini = uart_fini,
};
