-- SPDX-License-Identifier: GPL-2.0-or-later
-- Three machines beside each other: of one CPU, of one at another clock, and of
-- two.  They advance together; each call says whose it is.
local a = machine{kernel = "hello", modules = {}, disk = false,
                  controllers = 0, ram = "16M"}
local b = machine{name = "b", kernel = "hello", modules = {}, disk = false,
                  controllers = 0, ram = "16M", hz = 100000000}
local c = machine{name = "c", kernel = "smp", modules = {}, disk = false,
                  controllers = 0, ram = "16M", cpus = 2}

expect_eq(b.name, "b", "its name")
expect_eq(tostring(b), "machine b", "its text")
expect(not pcall(function() return b.nothing end), "no such method")

run_for(us(15))
expect_eq(now(), us(15), "the instant")
expect_eq(b:now(), us(15), "b's instant")
expect(retired() > b:retired(), "the faster clock retires more")
expect_eq(a:retired(), retired(), "globals are of the first machine")

-- A wait ends for all at the same instant, a multiple of the step.
local line, at = b:wait_console("*", "^hello$", {within = ms(50)})
expect_eq(line, "hello", "b's line")
expect(at <= now() and now() - at <= us(10), "its instant")
expect_eq(now() % us(10), 0, "the step")
expect_eq(a:now(), b:now(), "all stand there")

expect_eq(b:wait_off{within = ms(500)}, 42, "b's code")
expect_eq(b:wait_off{within = ms(1)}, 42, "b is off, and stays so")
local before = b:retired()
run_for(ms(1))
expect_eq(b:retired(), before, "what b retires switched off")
expect_eq(a:wait_off{within = ms(500)}, 42, "a's code")
c:wait_off{within = s(1)}
