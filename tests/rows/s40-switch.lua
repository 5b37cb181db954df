-- SPDX-License-Identifier: GPL-2.0-or-later
-- What a switch keeps, in what order: by its call the partition's registers come to
-- its virtual processor's structure, in its monitor's private frames; before the
-- target's page-table root is loaded its FPU's are there too, beside its own root;
-- then the root is the target's, and that goes on where its structure says.
-- Descriptor tables are the CPU's, the same for all; a partition has none to keep.
-- Of another host that stands in a switch of the probe's, before the root is loaded:
--   --set memory=/tmp/qemu/ram
local memory = param("memory", "")
local MODULES <const> = {"uv", "boot", "idle", "io", "command", "operations", "guest",
                         "probe"}
if memory ~= "" then
  machine{ cpus = param("cpus", 1), ram = "128M", memory = memory,
           modules = MODULES }
else
  machine{
    cpus = param("cpus", 1),
    serial_hz = 184320000,
    modules = MODULES,
    policy = "policy/s40.policy",
  }
end
local VCPU <const> = -0x80000000 + 0x206000 -- struct vcpu (hv/monitor/monitor.h)
local CR3 <const>, FX <const> = 200, 464
-- Offsets in struct regs, in the order of the probe's contents.
local GPR <const> = {rbx = 40, rdx = 96, rsi = 104, rdi = 112, rbp = 32, r8 = 72,
                     r9 = 64, r10 = 56, r12 = 24, r13 = 16, r14 = 8, r15 = 0}
local WANTED <const> = {rbx = 0, rdx = 2, rsi = 3, rdi = 4, rbp = 5, r8 = 6, r9 = 7,
                        r10 = 8, r12 = 10, r13 = 11, r14 = 12, r15 = 13}

local function word(text, at)
  return (string.unpack("<I8", text, at + 1))
end

-- Where a partition's structure lies, by its page tables.
local function structure(name)
  local at = partition(name).cr3
  for shift = 39, 12, -9 do
    local i = VCPU >> shift & 511
    at = string.unpack("<I8", ram((at & 0x000ffffffffff000) + i * 8, 8))
    expect(at & 1 ~= 0, "the structure is mapped")
  end
  return at & 0x000ffffffffff000
end

if memory == "" then
  wait_event("syscall", {number = 2, partition = "probe"}, {within = ms(200)})
end
local wanted = symbol("probe", "wanted")
local vcpu = structure("probe")
local where = false
for _, e in ipairs(extents("probe")) do
  where = where or e.what == "monitor" and vcpu >= e.address and
          vcpu < e.address + e.bytes
end
expect(where, "the structure is in the instance's private frames")

-- What the probe had in its registers, and its root.
local function kept()
  local v = ram(vcpu, FX + 512)
  local contents = read("probe", wanted, 14 * 8 + 512)
  for name, at in pairs(GPR) do
    expect_eq(word(v, at), word(contents, WANTED[name] * 8), name)
  end
  expect_eq(string.sub(v, FX + 161, FX + 416), string.sub(contents, 112 + 161,
            112 + 416), "SSE registers")
  expect_eq(word(v, CR3), partition("probe").cr3, "its page-table root")
end

-- Where a partition goes on.
local function goes_on_at(name)
  return word(ram(structure(name), 176), 136)
end

if memory ~= "" then
  kept()
  for _, p in ipairs(partitions()) do
    if p.cr3 ~= 0 and p.state == "running" and p.kind ~= "idle" then
      note(string.format("root 0x%x goes on at 0x%x", p.cr3, goes_on_at(p.name)))
    end
  end
  return
end

for turn = 1, 40 do
  local call = wait_event("syscall", {number = 2, partition = "probe", rdi = 0},
                          {within = ms(5)})
  -- The registers are the CPU's still.
  expect(word(ram(vcpu, 176), GPR.rsi) ~= call.rsi, "nothing is saved yet")
  local switch = wait_event("switch", {from = "probe"}, {within = ms(2)})
  kept()
  -- The root in force is the target's; its registers are in its own structure.
  local to
  for _, p in ipairs(partitions()) do
    if p.index == switch.to then to = p end
  end
  if to.kind ~= "idle" then
    local rip = goes_on_at(to.name)
    local ring = wait_event("ring", {cpl = 3, partition = to.name}, {within = ms(1)})
    expect_eq(ring.rip, rip, to.name .. " goes on where it was")
  end
end
wait_console("probe", "^PASS", {within = ms(50)})
