/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/parterre/trace_ctf.c - parterre trace export --ctf: what is packed in
 * `.deep` and what is not, as one CTF 1.8 trace for other programs.
 */
#include "tools/parterre/trace_tool.h"

int export_ctf(struct source *s, const char *dir, struct error *err)
{
	struct trace *to = trace_create_plain(dir, err);
	struct trace_record r;
	struct error end;
	int state;

	if (!to)
		return (int)err->code;
	while ((state = source_next(s, &r, err)) == 1)
		trace_emit(to, &r);
	if (!trace_close(to, &end) && state == 0) {
		*err = end;
		return (int)end.code;
	}
	return state < 0 ? (int)err->code : EXIT_HELD;
}
