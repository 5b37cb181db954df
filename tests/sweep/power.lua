-- SPDX-License-Identifier: GPL-2.0-or-later
-- A guest that flushes much, for power cuts at each command of the controllers:
--   parterre sweep --fault power --over begin..finish --every disk power.lua
-- What was flushed has to be on the medium.  twice: io.a dies half-way, so that
-- both controllers have been at work.
machine{
  cpus = param("cpus", 1),
  policy = "power.policy",
  serial_hz = 184320000,
  disk = "1M",
}
wait_event("issued", {stream = 1, record = 0}, {within = ms(200)})
mark("begin")
wait_event("committed", {stream = 1, record = 21}, {within = ms(20)})
if param("twice", true) then
  inject.fault("crash io.a")
end
wait_event("committed", {stream = 1, record = 43}, {within = ms(40)})
mark("finish")
