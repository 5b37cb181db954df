/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/whole_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool cannot(const struct whole_file *w, struct error *err)
{
	return error_set(err, EXIT_HOST, "%s: cannot be written: %s", w->path,
			 strerror(errno));
}

bool whole_file_open(struct whole_file *w, const char *path, struct error *err)
{
	char real[PATH_MAX];
	struct stat there;
	bool is = stat(path, &there) == 0;

	memset(w, 0, sizeof(*w));
	snprintf(w->path, sizeof(w->path), "%s",
		 is && realpath(path, real) ? real : path);
	if (is && !S_ISREG(there.st_mode)) {
		w->to = fopen(path, "w");
		return w->to || cannot(w, err);
	}
	if (snprintf(w->part, sizeof(w->part), "%s.part", w->path) >=
	    (int)sizeof(w->part)) {
		errno = ENAMETOOLONG;
		return cannot(w, err);
	}
	/* Who may not write it may not replace it, though the folder is his. */
	if (is && access(w->path, W_OK) < 0)
		return cannot(w, err);
	w->to = fopen(w->part, "we");
	return w->to || cannot(w, err);
}

bool whole_file_is_file(const struct whole_file *w)
{
	return w->part[0] != '\0';
}

bool whole_file_close(struct whole_file *w, struct error *err)
{
	bool good = !ferror(w->to);

	/* The close's own reason is the better one. */
	good = fclose(w->to) == 0 && good;
	w->to = NULL;
	if (good && w->part[0])
		good = rename(w->part, w->path) == 0;
	if (good)
		return true;
	cannot(w, err);
	if (w->part[0])
		unlink(w->part);
	return false;
}

void whole_file_drop(struct whole_file *w)
{
	if (!w->to)
		return;
	fclose(w->to);
	w->to = NULL;
	if (w->part[0])
		unlink(w->part);
}
