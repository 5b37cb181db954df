-- SPDX-License-Identifier: GPL-2.0-or-later
-- io.a dies while frames keep coming to its network card; s75-card.awk looks at
-- what the card did meanwhile.
--   --set cpus=2 --set fault=hang
machine{
  cpus = param("cpus", 1),
  serial_hz = 184320000,
  nics = 2,
  policy = "policy/s75-card.policy",
}

for _ = 1, 20 do
  wait_event("frame", {device = "net1", sent = 1}, {within = ms(200)})
end
for _ = 1, 2 do
  inject[param("fault", "crash")]("io.a")
  wait_console("ultravisor", "io%.a: device 3 fenced", {within = ms(2)})
  wait_console("io.a", "net: card 52:54:00:00:00:01, link up", {within = ms(20)})
  wait_event("dma_write", {device = "net0"}, {within = ms(20)})
  run_for(ms(1))
end
