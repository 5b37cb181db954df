/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows S72, S78 and S81: how it is noticed that an I/O partition is not well,
 * and what a policy makes of that: it is moved from, started anew, both, or
 * stopped. */
#include <stdio.h>

#include "rows.h"

#define POLICY ROWS "policy/s72-outcomes.policy"

/* The policy, with lines of its own. */
static void outcome(const char *cause, const char *rules, const char *outcome)
{
	char options[512];

	wants(shell("cat %s >%s/p && printf '%s\\n' >>%s/p", POLICY, scratch(),
		    rules, scratch()),
	      0);
	snprintf(options, sizeof(options),
		 "--set policy=%s/p --set cause=%s --set outcome=%s", scratch(),
		 cause, outcome);
	row_scenario("s72-outcomes", options);
}

/* Beside a rule for all else that says otherwise. */
#define ELSE "on io-failure failover restart\\n"
/* One that beats again would have its channels back. */
#define BACK "on io-failure failover restart failback\\n"

Test(rows, s72_a_report_has_the_outcome_that_the_policy_says)
{
	outcome("crash", "on io-failure failover", "failover");
	outcome("crash", "on io-failure restart", "restart");
	outcome("crash", "on io-failure stop", "stop");
	outcome("crash", "on io-failure failover stop", "aside");
}

Test(rows, s78_one_that_is_silent_is_stopped)
{
	outcome("hang", "on io-failure stop", "stop");
}

Test(rows, s72_s78_guests_complain_of_one_that_beats_and_does_not_serve)
{
	outcome("stuck", BACK "on guest-complaint failover", "failover");
	outcome("stuck", ELSE "on guest-complaint restart", "restart");
	outcome("stuck", ELSE "on guest-complaint failover restart", "both");
	outcome("stuck", ELSE "on guest-complaint stop", "stop");
	outcome("forgotten", ELSE "on guest-complaint restart", "restart");
}

Test(rows, s72_s78_one_that_does_not_let_go_is_fenced)
{
	outcome("lost", BACK "on guest-complaint failover", "anew");
}

Test(rows, s72_a_guest_that_lies_moves_its_own_channel_alone)
{
	row_scenario("s72-liar", "");
}

Test(rows, s81_a_stray_dma_has_the_outcome_that_the_policy_says)
{
	outcome("dma", BACK "on dma-fault failover", "failover");
	outcome("dma", ELSE "on dma-fault restart", "restart");
	outcome("dma", ELSE "on dma-fault failover restart", "both");
	outcome("dma", ELSE "on dma-fault stop", "stop");
}
