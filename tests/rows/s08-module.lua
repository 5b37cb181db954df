-- SPDX-License-Identifier: GPL-2.0-or-later
-- A policy names a module that the machine does not have, and one that is no image:
-- each is said, once, and what comes after it is given up; the rest goes on.
--   --set again=1     another policy begins afresh
machine{
  cpus = param("cpus", 1),
  serial_hz = 184320000,
  policy = "policy/s08-module.policy",
}
wait_console("command", "guest2 cannot be made: the machine has no module of its " ..
             "image's name; the others can$", {within = ms(200)})
wait_console("command", "guest4 cannot be made: its image is none", {within = ms(20)})
wait_console("command", "guest3 cannot be made: it starts after one that cannot be made",
             {within = ms(20)})
wait_event("committed", {stream = 1, record = 23}, {within = ms(300)})
send("start guest2\r")
wait_console("operations", "error: start guest2: .*no module", {within = ms(20)})

if param("again", 0) == 0 then
  expect_eq(wait_off{within = ms(900)}, 3, "the code: not all of it was done")
  return
end
send("policy load\r")
wait_console("operations", "^type the policy", {within = ms(20)})
for _, line in ipairs{"guest guest2 image guest blocks 1", "args guest2 records=0",
                      "disk guest2 prefer io.b extent 8 8",
                      "guest guest3 image guest blocks 1", "args guest3 records=0",
                      "disk guest3 prefer io.b extent 16 8", "after guest3 guest2",
                      "off when-guests-stop", "."} do
  send(line .. "\r")
end
wait_console("command", "guest2 started", {within = ms(300)})
wait_console("command", "guest3 started", {within = ms(300)})
expect_eq(wait_off{within = ms(900)}, 0, "the code: all of it was done")
