-- SPDX-License-Identifier: GPL-2.0-or-later
-- What a machine of another host looks like while it stands, a line each:
--   partition NAME STATE incarnation N vector N address 0xN ran N
--   at 0xN          the physical address of what was asked for
-- --set who=io.a --set symbol=log_flush      of its program
-- --set who=io.a --set va=0x400000           an address of its own
-- --set who=guest2 --set frame=6             of its monitor instance's
machine{
  cpus = param("cpus", 1),
  ram = "128M",
  memory = param("memory", ""),
}
local who, name = param("who", ""), param("symbol", "")
local va, frame = param("va", 0), param("frame", -1)

for _, p in ipairs(partitions()) do
  note(string.format("partition %s %s incarnation %d vector %d address 0x%x " ..
                     "ran %d", p.name, p.state, p.incarnation, p.vector,
                     p.address, p.run_ns))
end
local free = 0
for a = 0, (128 << 20) - 1, 4096 do
  if owner(a) == "available" then free = free + 1 end
end
note("free " .. free)
if name ~= "" then va = symbol(who, name) end
if frame >= 0 then
  for _, e in ipairs(extents(who)) do
    if e.what == "monitor" then
      note(string.format("at 0x%x", e.address + frame * 4096))
      break
    end
  end
elseif va ~= 0 then
  note(string.format("at 0x%x", physical(who, va)))
end
