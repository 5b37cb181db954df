/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a scenario's screenshots show, as netpbm reads them. */
#include <string.h>

#include "shell.h"

#define RUN     PARTERRE " run --quiet --trace none "
#define GUESTS  "--images " BUILD_DIR "/tests/guest "
#define KERNELS SOURCE_DIR "/build/linux/"

Test(screen, screenshots_are_equal_in_equal_runs)
{
	struct output *o;

	for (int i = 0; i < 2; i++)
		wants(shell(RUN "--out %s/%d " GUESTS CASES "screen.lua",
			    scratch(), i),
		      0);
	o = shell("cd %s/0 && pngtopnm text.png | pamfile && "
		  "pngtopnm b/linear.png | pamfile",
		  scratch());
	wants(o, 0);
	says(o, "720 by 400");
	says(o, "640 by 400");
	wants(shell("cd %s && cmp 0/text.png 1/text.png && "
		    "cmp 0/b/linear.png 1/b/linear.png",
		    scratch()),
	      0);
}

/* Debian's kernel on its consoles: white on black, and a good part of it. */
static void shows(const char *flavour, const char *size)
{
	struct output *o;

	wants(shell("test -e " KERNELS "made-amd64 || "
		    "{ echo 'tools/fetch-linux first'; false; }"),
	      0);
	wants(shell(RUN "--out %s/out --set flavour=%s " CASES
			"linux-screen.lua",
		    scratch(), flavour),
	      0);
	o = shell("cd %s/out && pngtopnm screen.png | pamfile && "
		  "pngtopnm screen.png | ppmhist -noheader | "
		  "awk '$1 + $2 + $3 && $1 == $2 && $2 == $3 { lit += $5 } "
		  "{ all += $5 } "
		  "END { print (lit > all / 100 && lit < all / 5) ? "
		  "\"text is seen\" : \"lit: \" lit \" of \" all }'",
		  scratch());
	wants(o, 0);
	says(o, size);
	says(o, "text is seen");
}

Test(debian, text_console_is_seen)
{
	shows("cloud-amd64", "720 by 400");
}

Test(debian, framebuffer_console_is_seen)
{
	shows("amd64", "1024 by 768");
}
