-- SPDX-License-Identifier: GPL-2.0-or-later
-- What goes over the wire in 40 ms, sent by a guest through its channel, or by
-- the I/O partition itself (--set own=1).
local own = param("own", 0) > 0

network{rate = param("rate", 1000000000)}
machine{
  cpus = param("cpus", 4),
  serial_hz = 184320000,
  nics = 2,
  trace = "machine",
  modules = own and {"uv", "boot", "idle", "bench-net/io", "command", "operations",
                     "diagnostics"} or nil,
  policy = param("policy", "network.policy"),
}
for _ = 1, 200 do
  wait_event("frame", {device = "net0", sent = 1}, {within = ms(200)})
end
mark("from")
run_for(ms(param("ms", 40)))
