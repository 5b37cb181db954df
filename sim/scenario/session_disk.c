/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim/scenario/session_disk.c - folders, files, and the run's own copy of
 * the disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/scenario/session_internal.h"

bool session_join(char *to, const char *dir, const char *name,
		  struct error *err)
{
	int n = snprintf(to, PATH_MAX, "%s/%s", dir, name);

	return (n > 0 && n < PATH_MAX) ||
	       error_set(err, EXIT_USAGE, "%s/%s: the path is too long", dir,
			 name);
}

bool session_make_dir(const char *path, struct error *err)
{
	char part[PATH_MAX];

	snprintf(part, sizeof(part), "%s", path);
	for (char *p = part + 1;; p++) {
		bool end = !*p;

		if (!end && *p != '/')
			continue;
		*p = '\0';
		if (mkdir(part, 0777) < 0 && errno != EEXIST)
			return error_set(err, EXIT_HOST,
					 "%s: cannot make the directory: %s; "
					 "give another by --out DIR",
					 part, strerror(errno));
		if (end)
			return true;
		*p = '/';
	}
}

bool session_copy_file(const char *from, const char *to, struct error *err)
{
	static char buf[1 << 16];
	FILE *in = fopen(from, "rb");
	struct stat is;
	FILE *out;
	size_t n;
	bool ok;

	if (in && fstat(fileno(in), &is) == 0 && S_ISDIR(is.st_mode)) {
		fclose(in);
		in = NULL;
		errno = EISDIR;
	}
	if (!in)
		return error_set(err, EXIT_USAGE, "%s: cannot be read: %s",
				 from, strerror(errno));
	out = fopen(to, "wb");
	if (!out) {
		fclose(in);
		return error_set(err, EXIT_HOST, "%s: cannot be written: %s",
				 to, strerror(errno));
	}
	errno = 0;
	while ((n = fread(buf, 1, sizeof(buf), in)) > 0 &&
	       fwrite(buf, 1, n, out) == n)
		;
	ok = !ferror(in) && !ferror(out);
	fclose(in);
	ok = fclose(out) == 0 && ok;
	return ok || error_set(err, EXIT_HOST, "%s: cannot be copied to %s: %s",
			       from, to, strerror(errno));
}

bool session_same_file(const char *a, const char *b)
{
	struct stat sa, sb;

	return stat(a, &sa) == 0 && stat(b, &sb) == 0 &&
	       sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

static bool make_empty(const char *path, uint64_t bytes, struct error *err)
{
	int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0666);
	bool done = fd >= 0 && ftruncate(fd, (off_t)bytes) == 0;

	if (!done)
		error_set(err, EXIT_HOST,
			  "%s: cannot make a disk of %" PRIu64 " bytes: %s",
			  path, bytes, strerror(errno));
	if (fd >= 0)
		close(fd);
	return done;
}

bool session_make_disk(struct session *s, const struct session_machine *d,
		       char *path, struct error *err)
{
	struct stat st;

	if (!session_join(path, s->out, "disk.img", err))
		return false;
	if (d->disk_image[0] && session_same_file(d->disk_image, path))
		return error_set(err, EXIT_USAGE,
				 "%s: the run leaves its own disk there; copy "
				 "it elsewhere, or give another folder by "
				 "--out DIR",
				 d->disk_image);
	unlink(path);
	if (d->disk_image[0]) {
		snprintf(s->disk_image, sizeof(s->disk_image), "%s",
			 d->disk_image);
		if (!session_copy_file(d->disk_image, path, err))
			return false;
		if (stat(path, &st) == 0 &&
		    (uint64_t)st.st_size != d->disk_bytes)
			return error_set(err, EXIT_USAGE,
					 "%s: the disk image has %" PRIu64
					 " bytes, disk says %" PRIu64
					 "; give the size that it has",
					 d->disk_image, (uint64_t)st.st_size,
					 d->disk_bytes);
		return true;
	}
	return make_empty(path, d->disk_bytes, err);
}

bool session_media(struct session *s, bool in_memory, struct error *err)
{
	const struct device_class *class;
	struct device *d;

	for (size_t i = 0; (d = machine_device_at(s->machine, i)); i++) {
		class = d->class;
		if (class->media && !class->media(d, in_memory, err))
			return false;
	}
	return true;
}

bool session_detach_disks(struct session *first, struct error *err)
{
	struct session *m = first;

	do {
		if (m->machine && !session_media(m, true, err))
			return false;
	} while ((m = m->next));
	first->disks_apart = true;
	return true;
}

bool session_make_more_disk(struct session *s, const char *name, uint64_t bytes,
			    char *path, struct error *err)
{
	if (!session_join(path, s->out, name, err))
		return false;
	unlink(path);
	return make_empty(path, bytes, err);
}
