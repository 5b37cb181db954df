-- SPDX-License-Identifier: GPL-2.0-or-later
-- Screenshots of a screen in text and of one in a linear mode, and what cannot
-- be asked for.
local a = machine{kernel = "hello", modules = {}, disk = false,
                  controllers = 0, ram = "16M"}
local b = machine{name = "b", kernel = "hello", modules = {}, disk = false,
                  controllers = 0, ram = "16M", video = "640x400x16"}

run_for(us(15))
screenshot("text.png")
b:screenshot("linear.png")
for _, name in ipairs{"", ".png", "a.jpg", "../a.png", "a/b.png", "a.png\0"} do
  expect(not pcall(screenshot, name), name)
end
for _, video in ipairs{"", "text ", "640x400", "641x400x8", "640x400x12",
                       "2560x1600x320", "2568x16x8", "0x0x8"} do
  local held, why = pcall(machine, {name = "c", video = video})
  expect(not held and why:find("not \"" .. video .. "\"", 1, true), video)
end
a:wait_off{within = ms(500)}
