-- SPDX-License-Identifier: GPL-2.0-or-later
-- What a scenario finds and does not find; the kernel is another one, without
-- partitions, on a machine without a disk.
for _, name in ipairs{"io", "os", "require", "load", "loadfile", "dofile",
                      "package", "debug", "collectgarbage"} do
  expect(not pcall(function() return _ENV[name] end), name .. " is not there")
end

local order = {}
for key in pairs{zebra = 1, ant = 2, [3] = 3, [1] = 1, bee = 3} do
  order[#order + 1] = tostring(key)
end
expect_eq(table.concat(order, " "), "1 3 ant bee zebra", "the order of keys")
expect_eq(tostring({}), "table", "a table's text")

expect_eq(string.format("%d%% %s", 3, {}), "3% table", "a format")
expect(not pcall(string.format, "%p", {}), "addresses are not shown")
expect(not pcall(pairs, {[{}] = 1}), "tables as keys have no order")
expect(not pcall(ms, math.maxinteger), "time has an end")
expect(not pcall(us, 1e300), "time has an end for fractions, too")

local first, second = math.random(1000000), math.random(1000000)
expect(first ~= second, "math.random goes on")
expect(math.random() < 1, "a fraction")
expect_eq(math.random(7, 7), 7, "an interval of one")

expect_eq(us(2.5), 2500000, "fractions of a microsecond")
expect_eq(s(1), 1000 * ms(1), "a second")

machine{
  kernel = "hello",
  modules = {},
  disk = false,
  controllers = 0,
  ram = "16M",
}
expect_eq(now(), 0, "the instant of power-on")
run_for(us(100))
expect_eq(now(), us(100), "the instant after 100 us")
expect(retired() > 100, "instructions were retired")
expect_eq(#partitions(), 0, "the number of partitions")
local line, at = wait_console("*", "^hello$", {within = ms(50)})
expect_eq(line, "hello", "the line")
expect(at > us(100) and at <= now(), "its instant")
expect_eq(wait_off{within = ms(100)}, 42, "the code at the end")
