/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/screenshot.h"

#include <stdlib.h>

#include "devices/vga.h"
#include "sim/machine.h"
#include "sim/picture.h"

bool machine_screenshot(struct machine *m, const char *path, struct error *err)
{
	struct device *vga = machine_device(m, "vga0");
	struct vga_picture p;
	bool ok;

	if (!vga)
		return error_set(err, EXIT_USAGE,
				 "%s: this machine has no screen; give it a "
				 "vga0",
				 path);
	vga_picture(vga, &p);
	ok = picture_write(path, p.width, p.height, p.rgb, err);
	free(p.rgb);
	return ok;
}
