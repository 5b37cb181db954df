-- SPDX-License-Identifier: GPL-2.0-or-later
-- A guest executes an instruction that does not virtualize.  The conformance lens
-- sees it; nobody else does.
--   --set code=smsw --set conformance=false
local code = {
  sgdt = "\x0f\x01\x44\x24\xe0", -- [rsp-32]
  sidt = "\x0f\x01\x4c\x24\xe0",
  sldt = "\x0f\x00\xc0",
  str = "\x0f\x00\xc8",
  smsw = "\x0f\x01\xe0",
  pushf_popf = "\x9c\x9d",
  lar = "\x0f\x02\xc0",
  lsl = "\x0f\x03\xc0",
  verr = "\x0f\x00\xe0",
  verw = "\x0f\x00\xe8",
  mov_from_cs = "\x8c\xc8",
  push_pop_fs = "\x0f\xa0\x0f\xa1",
  int = "\xcd\x80",
  far_ret = "\xcb",
  iret = "\x48\xcf",
  prefixed = "\x66\x2e\x3e\x36\x67\x9c\x66\x9d",
}
local name = param("code", "smsw")

machine{
  cpus = param("cpus", 1),
  conformance = param("conformance", true),
  policy = "policy/s51.policy",
}
wait_event("issued", {stream = 2, record = 3}, {within = ms(200)})
-- Its loop comes there in each of its passes; "true" is the answer.
inject.memory("guest2", symbol("guest2", "log_flush"),
              code[name] .. "\x31\xc0\xff\xc0\xc3")
local found = wait_event("violation", {of = "guest2"}, {within = ms(50)})
expect_eq(found.lens, "conformance", "the lens")
expect_eq(found.address, symbol("guest2", "log_flush"), "the address")
wait_console("guest1", "40 verified, 0 replayed, 0 errors",
             {within = ms(500)})
for _, p in ipairs(partitions()) do
  if p.name ~= "guest2" then
    expect(p.state ~= "crashed" and p.state ~= "dead" and p.incarnation < 2,
           p.name .. " is as it was")
  end
end
