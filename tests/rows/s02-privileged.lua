-- SPDX-License-Identifier: GPL-2.0-or-later
-- The resource manager runs in ring 3: a privileged instruction in it, and in
-- any other system partition, faults and is caught by its monitor.
--   --set who=command --set code=lidt
local code = {
  hlt = "\xf4",
  cli = "\xfa",
  lidt = "\x0f\x01\x1c\x25\0\0\0\0",
  mov_cr3 = "\x0f\x22\xd8",
  wrmsr = "\x0f\x30",
  out = "\xe6\x80",
}
local who = param("who", "command")
local name = param("code", "hlt")

machine{
  cpus = param("cpus", 1),
  policy = "../../scenarios/policy/quickstart.policy",
}
wait_event("issued", {record = 3}, {within = ms(200)})
-- It comes there in each of its passes.
inject.memory(who, symbol(who, "log_flush"), code[name])
local death = wait_event("state", {of = who}, {within = ms(20)})
expect_eq(death.vector, 13, "the exception that ended " .. who)
expect_eq(partition(who).error, 0, "its error code")
