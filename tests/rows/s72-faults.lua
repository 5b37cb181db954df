-- SPDX-License-Identifier: GPL-2.0-or-later
-- One fault of io.a, of its controller, or of a CPU, while two guests write and
-- read: both finish their work.
--   --set fault="livelock io.a" --set load=back
--   --set fault="flip io.a nvme 62" --set load=back --set by=report
-- load: "stays" with io.a, goes "over" to io.b for good, comes "back", or may be
-- "anywhere".  by: how it is found out, a "report" or "silence"; not looked at if
-- nothing is said.
local fault = param("fault", "crash io.a")

machine{
  cpus = param("cpus", 1),
  serial_hz = 184320000,
  policy = "policy/s72.policy",
}
wait_event("committed", {stream = 1, record = 20}, {within = ms(200)})
run_for(us(137))
if fault == "stray" then
  -- What the controller writes next lands in the code of the driver's loop.
  fault = "device nvme0 stray " ..
          physical("io.a", symbol("io.a", "io_main_loop"))
end
inject.fault(fault)
local load = param("load", "back")
if load == "over" or load == "back" then
  local moved = wait_event("channel", {server = "io.b", client = "guest1"},
                           {within = ms(5)})
  wait_event("block_response", {channel = moved.id}, {within = ms(1)})
  if load == "back" then
    wait_event("channel", {id = moved.id, server = "io.a"}, {within = ms(40)})
  end
end
local by = param("by", "")
if by ~= "" then
  wait_console("command", "io%.a failed: " ..
               (by == "report" and "exception" or "no heartbeat"),
               {within = ms(5)})
end
for _, name in ipairs{"guest1", "guest2"} do
  wait_console(name, "150 verified, %d+ replayed, 0 errors",
               {within = ms(500)})
end
if load == "stays" then
  expect_eq(partition("io.a").incarnation, 1, "io.a's incarnation")
end
