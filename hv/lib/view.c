/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/lib/view.c - see view.h. */
#include "lib/view.h"

#include "lib/string.h"

uint64_t view_frame(uintptr_t va)
{
	const struct view *view = view_now();
	uint64_t frame = (va - PART_MEMORY_VA) >> ABI_PAGE_SHIFT;

	if (va < PART_MEMORY_VA)
		return 0;
	for (unsigned i = 0; i < view->extents && i < VIEW_EXTENTS; i++) {
		if (frame < view->extent[i].frames)
			return view->extent[i].pfn + frame;
		frame -= view->extent[i].frames;
	}
	return 0;
}

uint64_t view_frames(void)
{
	const struct view *view = view_now();
	uint64_t frames = 0;

	for (unsigned i = 0; i < view->extents && i < VIEW_EXTENTS; i++)
		frames += view->extent[i].frames;
	return frames;
}

/* Where `word` stands as the start of a word of the arguments, or NULL. */
static const char *find(const char *args, const char *word, size_t length)
{
	while (*args != '\0') {
		while (*args == ' ')
			args++;
		if (strncmp(args, word, length) == 0)
			return args;
		while (*args != ' ' && *args != '\0')
			args++;
	}
	return NULL;
}

uint64_t view_arg(const char *name, uint64_t otherwise)
{
	size_t length = strlen(name);
	const char *at = find(view_now()->args, name, length);
	uint64_t value = 0;

	if (at == NULL || at[length] != '=')
		return otherwise;
	at += length + 1;
	if (*at < '0' || *at > '9')
		return otherwise;
	for (; *at >= '0' && *at <= '9'; at++)
		value = value * 10 + (uint64_t)(*at - '0');
	return value;
}

const char *view_arg_text(const char *name)
{
	size_t length = strlen(name);
	const char *at = find(view_now()->args, name, length);

	return at != NULL && at[length] == '=' ? at + length + 1 : NULL;
}

int view_arg_word(const char *word)
{
	size_t length = strlen(word);
	const char *at = find(view_now()->args, word, length);

	return at != NULL && (at[length] == ' ' || at[length] == '\0');
}
