-- SPDX-License-Identifier: GPL-2.0-or-later
-- Guests that never sleep and system partitions share the CPUs, and all make
-- progress, in each 10 ms.
machine{
  cpus = param("cpus", 1),
  serial_hz = 184320000,
  policy = "policy/s07.policy",
}
wait_event("issued", {stream = 2, record = 1}, {within = ms(300)})
local names = {"io.a", "io.b", "command", "guest1", "guest2"}
for _ = 1, 2 do
  local ran = {}
  for _, name in ipairs(names) do ran[name] = partition(name).ran end
  run_for(ms(10))
  for _, name in ipairs(names) do
    expect(partition(name).ran > ran[name], name .. " ran in these 10 ms")
  end
end
expect_eq(wait_off{within = ms(500)}, 0, "the code at the end")
