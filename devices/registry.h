/* SPDX-License-Identifier: GPL-2.0-or-later */
/* devices/registry.h - every device class, by name.
 *
 * The list is devices/devices.list, one line per class.
 */
#ifndef PARTERRE_DEVICES_REGISTRY_H
#define PARTERRE_DEVICES_REGISTRY_H

#include "sim/device.h"

/* NULL when there is no such class. */
const struct device_class *device_class_find(const char *name);

/* All classes in the order of the list; NULL-terminated. */
extern const struct device_class *const device_classes[];

#endif
