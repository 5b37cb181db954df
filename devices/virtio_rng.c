/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/virtio_rng.c - entropy device (VIRTIO 1.2, 5.4).
 *
 * Its bytes are a function of the property "seed" and of how many were given
 * before: a run that is repeated gets the same ones.  xoshiro256** (Blackman
 * and Vigna), seeded through splitmix64.
 *
 * A request is answered RNG_PS after its notification, at most RNG_BYTES of it.
 */
#include <string.h>

#include "devices/virtio.h"

#define RNG_PS    (5 * PS_PER_US)
#define RNG_BYTES 256u

struct virtio_rng {
	struct virtio virtio;
	uint64_t state[4];
	uint32_t dry; /* fault: so many requests get no byte */
	/* Wiring. */
	uint64_t seed;
	struct event answer;
	char answer_name[24];
};

static const struct device_field virtio_rng_fields[] = {
	VIRTIO_FIELDS(struct virtio_rng),
	DEVICE_ARRAY(struct virtio_rng, state),
	DEVICE_FIELD(struct virtio_rng, dry),
	{NULL, 0, 0, 0},
};

static uint64_t rotate(uint64_t x, unsigned by)
{
	return x << by | x >> (64 - by);
}

static uint64_t draw(uint64_t s[4])
{
	uint64_t result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

static void seed(struct virtio_rng *r)
{
	uint64_t x = r->seed;

	for (unsigned i = 0; i < 4; i++) {
		uint64_t z = x += UINT64_C(0x9E3779B97F4A7C15);

		z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
		z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
		r->state[i] = z ^ z >> 31;
	}
}

static void answer(void *owner, ps_t when)
{
	struct virtio_rng *r = owner;
	struct virtio_chain chain;
	unsigned count = 0;

	(void)when;
	while (virtio_take(&r->virtio, 0, &chain)) {
		uint64_t words[RNG_BYTES / 8];
		uint64_t bytes = chain.write_bytes < RNG_BYTES
					 ? chain.write_bytes
					 : RNG_BYTES;

		if (r->dry) {
			r->dry--;
			bytes = 0;
		}
		for (unsigned i = 0; bytes && i < ARRAY_LEN(words); i++)
			words[i] = draw(r->state);
		if (bytes && !virtio_write(&r->virtio, &chain, 0, words, bytes))
			return;
		virtio_give(&r->virtio, 0, &chain, (uint32_t)bytes, count++);
	}
	virtio_publish(&r->virtio, 0, count);
}

static void notified(struct virtio *v, unsigned queue)
{
	struct virtio_rng *r = (struct virtio_rng *)v;
	struct evq *q = machine_evq(v->pci.device.machine);

	(void)queue;
	if (!evq_pending(&r->answer))
		evq_schedule(q, &r->answer, evq_now(q) + RNG_PS);
}

static void stopped(struct virtio *v)
{
	evq_cancel(machine_evq(v->pci.device.machine),
		   &((struct virtio_rng *)v)->answer);
}

static void virtio_rng_reset(struct device *d)
{
	struct virtio_rng *r = (struct virtio_rng *)d;

	pci_function_reset(&r->virtio.pci);
	virtio_reset(&r->virtio);
	seed(r);
}

static bool virtio_rng_init(struct device *d, const struct device_prop *props,
			    size_t prop_count, struct error *err)
{
	static const struct virtio_kind kind = {
		.id = 4,
		.class_code = 0x00FF00,
		.queues = 1,
		.notified = notified,
		.stopped = stopped,
	};
	const struct device_prop *given =
		device_prop_find(props, prop_count, "seed");
	struct virtio_rng *r = (struct virtio_rng *)d;

	r->seed = given ? given->value : 0;
	strcat(strcpy(r->answer_name, d->name), ".answer");
	r->answer = (struct event){.name = r->answer_name,
				   .fire = answer,
				   .owner = r,
				   .rank = EVQ_DEVICE};
	evq_register(machine_evq(d->machine), &r->answer);
	return virtio_init(&r->virtio, &kind, 0, props, prop_count, err);
}

static void virtio_rng_fini(struct device *d)
{
	struct virtio_rng *r = (struct virtio_rng *)d;

	stopped(&r->virtio);
	virtio_fini(&r->virtio);
}

static const struct device_register virtio_rng_registers[] = {
	{"DEVICE_STATUS", VIRTIO_DEVICE_STATUS, 1},
	{NULL, 0, 0},
};

static const char *const virtio_rng_faults[] = {"dry", PCI_FAULTS, NULL};

static bool virtio_rng_fault(struct device *d, const char *name,
			     uint64_t argument, struct error *err)
{
	(void)err;
	if (pci_fault(&((struct virtio_rng *)d)->virtio.pci, name, argument))
		return true;
	((struct virtio_rng *)d)->dry = (uint32_t)argument;
	return true;
}

const struct device_class virtio_rng_class = {
	.name = "virtio_rng",
	.summary = "virtio entropy device: bytes from a seed",
	.object_bytes = sizeof(struct virtio_rng),
	.fields = virtio_rng_fields,
	.registers = virtio_rng_registers,
	.faults = virtio_rng_faults,
	.init = virtio_rng_init,
	.reset = virtio_rng_reset,
	.fault = virtio_rng_fault,
	.fini = virtio_rng_fini,
};
