/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/command/rules.c - the policy in force: fetched from operations at the
 * start, changed by the operator at run time, kept while operations is away.
 *
 * A text that is wrong changes nothing; at the start, with none in force, it
 * ends the machine.  A new one is taken while no transaction is unanswered, so
 * that answers belong to the policy that asked.
 */
#include "command/command.h"

#include "lib/crc.h"
#include "lib/format.h"
#include "lib/log.h"
#include "lib/string.h"
#include "lib/view.h"

#define ASK_NS     (5 * MS)
#define TEXT_BYTES (POLICY_TEXT_PAGES * ABI_PAGE_BYTES)
#define WISH_BYTES 64

#define OFF_BAD_POLICY 2 /* the machine's exit code */

struct policy policy;
bool have_policy;
unsigned policy_version;

static struct channel channel;
static unsigned channel_handle; /* 0: no such channel */
static bool paused;
static uint64_t ask_ns;
static char text[TEXT_BYTES]; /* of the policy in force */
static uint32_t text_bytes;

/* A text that waits to be taken. */
static struct policy_message load;
static bool load_waits;
static char load_text[TEXT_BYTES];

/* ---- the channel -------------------------------------------------------- */

void rules_found(unsigned handle)
{
	channel_handle = handle;
}

static bool tell(uint32_t type, uint64_t version, uint64_t status,
		 const char *bytes, uint32_t count)
{
	struct policy_message m = {.type = type,
				   .bytes = count,
				   .version = version,
				   .status = status};

	if (channel.header == NULL)
		return false;
	if (count > 0)
		memcpy(channel_data(&channel, POLICY_TEXT_PAGES), bytes, count);
	return queue_insert(&channel.queue[0], &m);
}

bool rules_attach(void)
{
	const struct view *view = view_now();
	const struct view_channel *vc = &view->channel[channel_handle];
	struct channel_identity who = {
		.id = vc->id,
		.generation = vc->generation,
		.client = view->number,
		.server = vc->peer,
		.pages = vc->pages,
	};
	int64_t va;

	if (channel_handle == 0 || paused || channel.header != NULL)
		return true;
	va = sys_channel_map(channel_handle);
	if (va < 0 ||
	    channel_attach(&channel, (void *)(uintptr_t)va, channel_handle,
			   CHANNEL_POLICY, &who) != CHANNEL_OPEN)
		return false;
	if (have_policy)
		(void)tell(POLICY_HELD, crc32c(0, text, text_bytes), 0, text,
			   text_bytes);
	return true;
}

bool rules_pause(uint64_t handle, bool pause)
{
	if (handle == 0 || handle != channel_handle)
		return false;
	paused = pause;
	channel_close(&channel);
	return true;
}

bool rules_sleep(void)
{
	return channel.header == NULL || queue_sleep(&channel.queue[1]);
}

void rules_awake(void)
{
	if (channel.header != NULL)
		queue_awake(&channel.queue[1]);
}

/* ---- a text ------------------------------------------------------------- */

static void answer(const char *format_text, const char *detail, unsigned line,
		   uint64_t status)
{
	char sentence[180];
	int bytes;

	if (line != 0)
		bytes = format(sentence, sizeof(sentence), "policy line %u: %s",
			       line, detail);
	else
		bytes = format(sentence, sizeof(sentence), format_text, detail);
	if (bytes >= (int)sizeof(sentence))
		bytes = sizeof(sentence) - 1;
	logf_("command: %s", sentence);
	if (load.type != POLICY_TEXT)
		(void)tell(POLICY_DONE, load.version, status, sentence,
			   (uint32_t)bytes);
}

static void take(void)
{
	static struct policy fresh, old;
	struct policy_error error;

	load_waits = false;
	if (!policy_parse(load_text, load.bytes, &fresh, &error) ||
	    !policy_fits(&fresh, view_now()->cpus, &error)) {
		answer("policy: %s", error.text, error.line, 1);
		if (!have_policy)
			off(OFF_BAD_POLICY);
		return;
	}
	old = policy;
	policy = fresh;
	memcpy(text, load_text, load.bytes);
	text_bytes = load.bytes;
	policy_version++;
	learn_due = true; /* operations came after this partition did */
	if (have_policy)
		guests_compare(&old);
	have_policy = true;
	logf_("command: policy of %u bytes, %u guests", text_bytes,
	      policy.guests);
	if (load.type == POLICY_LOAD)
		answer("the policy is %s", "in force", 0, 0);
}

/* ---- the operator's wishes ---------------------------------------------- */

static bool word(const char **at, char *to, size_t bytes)
{
	size_t n = 0;

	while (**at == ' ')
		++*at;
	while (**at != ' ' && **at != '\0' && n + 1 < bytes)
		to[n++] = *(*at)++;
	to[n] = '\0';
	return n > 0;
}

static const char *start(struct part *p, const char *name)
{
	for (unsigned i = 0; p == NULL && i < policy.guests; i++) {
		if (strcmp(policy.guest[i].name, name) == 0)
			return guest_hopeless(name); /* else it is made as soon
							as it can be */
	}
	if (p == NULL)
		return "no such partition, and the policy has no such guest";
	if (running(p))
		return "it runs already";
	if (p->state == PART_STATE_SAVED)
		return "it is saved: restore it";
	if (p->asked)
		return "it is being worked on: try again";
	ask_part(p, JOB_RESTART, TXN_PARTITION_RESTART, 0);
	return NULL;
}

static void wish(const struct policy_message *m)
{
	char words[WISH_BYTES + 1], verb[16], name[16];
	const char *at = words, *wrong = "write: start|failover|failback NAME";
	size_t bytes = m->bytes < WISH_BYTES ? m->bytes : WISH_BYTES;
	struct part *p;

	memcpy(words, channel_data(&channel, 0), bytes);
	words[bytes] = '\0';
	if (word(&at, verb, sizeof(verb)) && word(&at, name, sizeof(name))) {
		p = find_name(name);
		if (!have_policy)
			wrong = "there is no policy yet";
		else if (strcmp(verb, "start") == 0)
			wrong = start(p, name);
		else if (strcmp(verb, "failover") == 0)
			wrong = failover_wish(p);
		else if (strcmp(verb, "failback") == 0)
			wrong = failback_wish(p);
	}
	if (wrong == NULL)
		(void)tell(POLICY_DONE, m->version, 0, NULL, 0);
	else
		(void)tell(POLICY_DONE, m->version, 1, wrong,
			   (uint32_t)strlen(wrong));
}

static void on_message(const struct policy_message *m)
{
	switch (m->type) {
	case POLICY_TEXT:
	case POLICY_LOAD:
		if (m->bytes > TEXT_BYTES ||
		    (m->type == POLICY_TEXT && have_policy))
			break;
		load = *m;
		load_waits = true;
		if (m->bytes > 0)
			memcpy(load_text, channel_data(&channel, 0), m->bytes);
		break;
	case POLICY_DO:
		wish(m);
		break;
	case POLICY_PING:
		(void)tell(POLICY_PONG, m->version, 0, NULL, 0);
		break;
	default:
		break;
	}
}

bool rules_serve(uint64_t now)
{
	struct policy_message m;
	bool any = false;

	while (channel.header != NULL && !load_waits &&
	       queue_remove(&channel.queue[1], &m)) {
		any = true;
		on_message(&m);
	}
	if (load_waits && !unanswered())
		take();
	if (channel.header != NULL && !have_policy && now >= ask_ns) {
		(void)tell(POLICY_GET, 0, 0, NULL, 0);
		ask_ns = now + ASK_NS;
	}
	return any;
}
