-- SPDX-License-Identifier: GPL-2.0-or-later
-- One segment of a TCP transfer, from the sender's handing it to its channel until
-- the acknowledgement of its last byte is there, marked for `parterre sweep`: what
-- if an I/O partition dies at any instant in between?  Whatever dies, every byte
-- arrives as it was sent, on the same connection, and without waiting for long:
-- who hears that its link is back sends at once.
--   --set nics=0: guest2 sends by io.b to guest1 at io.a, over the trunk
--   nics=2: the same over the wire of two network cards
--   --set peer=outside (tests/outside alone): guest1 sends by io.a to a host that
--     is no machine and whose stack is lwIP
local outside = param("peer", "guest") == "outside"
local nics = param("nics", outside and 2 or 0)
local bytes = 60000
local sender = outside and "guest1" or "guest2"

machine{
  cpus = param("cpus", 1),
  nics = nics,
  policy = outside and "tcp-outside.policy" or "tcp.policy",
  serial_hz = 184320000, -- no waiting for the console
  disk = "1M",
}

local QUEUE_OUT, QUEUE_IN, TRANSMIT, RECEIVE = 0, 1, 1, 4 -- hv/abi/channel.h

local function network_of(name)
  for _, c in ipairs(channels()) do
    if c.type == "network" and c.client == name then return c end
  end
end

-- Where the channel's data lies.
local function data_of(name, id)
  for _, e in ipairs(extents(name)) do
    if e.what == "channel" and string.unpack("<I4", ram(e.address + 56, 4)) == id then
      return e.address + string.unpack("<I4", ram(e.address + 80, 4))
    end
  end
end

wait_event("channel", {client = sender, type = 7, client_state = 3}, {within = ms(200)})
local id = network_of(sender).id
local data = data_of(sender, id)
expect(data, "no channel of " .. sender .. "'s is number " .. id)

-- The next TCP segment of a queue: the number of its first byte and the one behind
-- its last, or what it acknowledges.
local function segment(queue, kind)
  while true do
    local m = wait_event("message", {channel = id, queue = queue}, {within = ms(50)})
    local buffer, type = m.w0 >> 16 & 0xffff, m.w0 & 0xffff
    if type == kind and m.w2 >> 32 & 0xffff == 0x0008 then
      local p = ram(data + buffer * 2048, 64)
      local ip = (p:byte(1) & 15) * 4
      if p:byte(10) == 6 then
        local first, ack, words = string.unpack(">I4I4B", p, ip + 5)
        local behind = first + string.unpack(">I2", p, 3) - ip - (words >> 4) * 4
        return first, behind, ack
      end
    end
  end
end

-- In mid-stream: so much has gone.
local start = segment(QUEUE_OUT, TRANSMIT) + 1
local first, behind
repeat
  first, behind = segment(QUEUE_OUT, TRANSMIT)
until first - start >= bytes // 2 and behind - first > 1000
mark("segment")
repeat
  local _, _, ack = segment(QUEUE_IN, RECEIVE)
until ack >= behind
mark("acknowledged")

local limit = ms(param("limit", outside and 5000 or 60))
if not outside then
  wait_console("guest1", bytes .. " bytes received, each as it should be",
               {within = limit})
end
wait_console(sender, bytes .. " bytes sent, .*the other side has the same",
             {within = limit})
expect_eq(wait_off{within = ms(20)}, 0, "the code at the end")
