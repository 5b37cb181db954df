/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/fuzz/fuzz_policy.c - any text is either refused with a place and a
 * whole sentence, or what it becomes has no string without an end, no count
 * beyond its table, no CPU that is dedicated twice, and no I/O partition that
 * is both started anew and left stopped.
 *
 * By libFuzzer; tools/fuzz runs it.
 */
#include <string.h>

#include "sim/check.h"

#include "command/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void check_name(const char *name, bool may_be_empty)
{
	size_t n = strnlen(name, POLICY_NAME_BYTES);

	CHECK(n < POLICY_NAME_BYTES && (n || may_be_empty));
}

static void check_rule(const struct policy_rule *rule)
{
	CHECK(!rule->restart || !rule->stop);
}

static void check(const struct policy *p)
{
	struct policy_error error;

	CHECK(p->guests <= POLICY_GUESTS_MAX && p->nameds <= POLICY_NAMED_MAX);
	CHECK(p->channels <= POLICY_CHANNELS_MAX);
	CHECK(p->devices <= POLICY_DEVICES_MAX);
	check_rule(&p->on_failure);
	check_rule(&p->on_complaint);
	check_rule(&p->on_dma_fault);
	CHECK(p->complaint_us && p->complaints && p->complainers &&
	      p->complainers <= POLICY_GUESTS_MAX);
	for (unsigned i = 0; i < p->guests; i++) {
		check_name(p->guest[i].name, false);
		check_name(p->guest[i].image, false);
		check_name(p->guest[i].preferred, !p->guest[i].disk);
		check_name(p->guest[i].fallback, true);
		CHECK(strnlen(p->guest[i].args, 128) < 128);
	}
	for (unsigned i = 0; i < p->nameds; i++) {
		const struct policy_named *n = &p->named[i];

		check_name(n->name, false);
		CHECK(n->cpu <= POLICY_CPUS_MAX &&
		      n->afters <= POLICY_AFTER_MAX);
		for (unsigned k = 0; k < i; k++)
			CHECK(!n->cpu || n->cpu != p->named[k].cpu ||
			      (!n->dedicated && !p->named[k].dedicated));
	}
	for (unsigned c = 0; c < POLICY_CPUS_MAX; c++)
		CHECK(p->frame[c].windows <= POLICY_WINDOWS_MAX);
	for (unsigned cpus = 1; cpus <= POLICY_CPUS_MAX; cpus++) {
		if (!policy_fits(p, cpus, &error))
			continue;
		for (unsigned i = 0; i < p->nameds; i++)
			CHECK(policy_cpu(p, p->named[i].name, i, cpus) < cpus);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	static struct policy policy;
	struct policy_error error;
	size_t n;

	if (policy_parse((const char *)data, bytes, &policy, &error)) {
		check(&policy);
		return 0;
	}
	n = strnlen(error.text, sizeof(error.text));
	CHECK(n && n < sizeof(error.text));
	return 0;
}
