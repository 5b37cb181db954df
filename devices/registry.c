/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "devices/registry.h"

#include <string.h>

#define DEVICE_CLASS(id) extern const struct device_class id;
#include "devices/devices.list"
#undef DEVICE_CLASS

const struct device_class *const device_classes[] = {
#define DEVICE_CLASS(id) &id,
#include "devices/devices.list"
#undef DEVICE_CLASS
	NULL,
};

const struct device_class *device_class_find(const char *name)
{
	for (size_t i = 0; device_classes[i]; i++) {
		if (!strcmp(device_classes[i]->name, name))
			return device_classes[i];
	}
	return NULL;
}
