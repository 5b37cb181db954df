-- SPDX-License-Identifier: GPL-2.0-or-later
-- Machine c of machines.lua, by itself.
machine{kernel = "smp", modules = {}, disk = false, controllers = 0,
        ram = "16M", cpus = 2}
wait_off{within = s(1)}
