-- SPDX-License-Identifier: GPL-2.0-or-later
-- Both I/O partitions mean harm (tests/rows/image/dma.c): what they have their
-- controllers write to frames of others is not there, and each try is told.
-- Without the IOMMU it is there.
machine{
  cpus = param("cpus", 1),
  serial_hz = 184320000,
  iommu = param("iommu", true),
  modules = {"uv", "boot", "idle", "rows/io", "command", "operations",
             "diagnostics", "guest"},
  policy = "policy/s81.policy",
  cmdline = "row=81",
}

local tries, out = {}, {}
for _, name in ipairs{"io.a", "io.b"} do
  local line
  repeat
    line = wait_console(name, "", {within = ms(500)})
    local what, address = string.match(line, "^(%a+) (%x+)$")
    if what == "own" then
      out[name] = tonumber(address, 16)
    elseif what == "tried" then
      tries[#tries + 1] = {name = name, address = tonumber(address, 16)}
    end
  until string.find(line, "^PASS row 81")
end
expect(#tries >= 10, "both tried several times")

local told = {}
for _, t in ipairs(tries) do
  expect(ram(t.address, 4096) ~= ram(out[t.name], 4096),
         string.format("%s at 0x%x: written", t.name, t.address))
end
for _ = 1, #tries do
  local line = wait_console("diagnostics", "DMA fault", {within = ms(20)})
  local name, address = string.match(line, "DMA fault: (io%..): device %d+ " ..
                                     "%(%x+%) writes (%x+): refused")
  expect(name, line)
  told[name .. tonumber(address, 16)] = true
end
for _, t in ipairs(tries) do
  expect(told[t.name .. t.address],
         string.format("%s at 0x%x: not told", t.name, t.address))
end
