-- SPDX-License-Identifier: GPL-2.0-or-later
-- One I/O request of a guest, from its submission to its completion, marked for
-- `parterre sweep`: what if io.a dies at any instant in between?
--   parterre sweep --fault 'crash io.a' --over submit..done --while io.a
--                  --set op=flush scenarios/sweep-io.lua
-- op: read, write, fua (a write through the disk's cache), flush.
local op = param("op", "write")
local requests = {
  read = {op = 1}, write = {op = 2, flags = 0}, fua = {op = 2, flags = 1},
  flush = {op = 3},
}
expect(requests[op], "op is one of read, write, fua, flush")

machine{
  cpus = param("cpus", 1),
  policy = op == "fua" and "policy/sweep-fua.policy" or "policy/sweep.policy",
  serial_hz = 18432000, -- no waiting for the console
  disk = "1M",
}

-- Far enough in that each kind of request is under way now and then.
wait_event("committed", {stream = 1, record = 20}, {within = ms(200)})
local request = wait_event("block_request", requests[op], {within = ms(20)})
mark("submit")
wait_event("block_response", {channel = request.channel,
                              sequence = request.sequence}, {within = ms(20)})
mark("done")

-- The work goes on behind it, through the other path if need be.
wait_event("committed", {stream = 1, record = 31}, {within = ms(20)})
