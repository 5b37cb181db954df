-- SPDX-License-Identifier: GPL-2.0-or-later
-- What a machine of another host looks like while it stands, a line each:
--   partition NAME STATE incarnation N vector N address 0xN ran N stolen N number 0xN
--     cr3 0xN
--   cpu N window N     the one in force of its cyclic frame
--   at 0xN of va 0xN   the physical address of what was asked for, and its own
--   digest N           of all bytes of a partition's memory
-- --set digest=guest1
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
                     "ran %d stolen %d number 0x%x cr3 0x%x", p.name,
                     p.state, p.incarnation, p.vector, p.address, p.run_ns,
                     p.stolen_ns, p.number, p.cr3))
end
-- The lead monitor's area (hv/abi/lead.h): behind its 128 bytes, 64 for each CPU.
local function cpu_lines(lead)
  for c = 0, param("cpus", 1) - 1 do
    note(string.format("cpu %d window %d", c,
                       string.unpack("<I4", ram(lead + 128 + 64 * c + 28, 4))))
  end
end
for _, e in ipairs(extents("monitor")) do
  for a = e.address, e.address + e.bytes - 1, 4096 do
    if ram(a, 8) == string.pack("<I8", 0x31444145544c5548) then cpu_lines(a) end
  end
end
if param("digest", "") ~= "" then
  local h, pages = 0, 0
  for _, e in ipairs(extents(param("digest", ""))) do
    for a = e.address, e.what == "memory" and e.address + e.bytes - 1 or 0, 4096 do
      local page = ram(a, 4096)
      for i = 1, 4096, 8 do
        h = (h ~ string.unpack("<I8", page, i)) * 0x100000001b3
        h = h ~ h >> 29
      end
      pages = pages + 1
    end
  end
  expect(pages >= 512, "it has memory")
  note(string.format("digest 0x%016x", h))
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
  note(string.format("at 0x%x of va 0x%x", physical(who, va), va))
end
