-- SPDX-License-Identifier: GPL-2.0-or-later
-- Files on a FAT32 volume that the host made; io.a dies in the middle of the work,
-- comes back and hangs.  What is left in disk.img is for fsck.vfat and mtools:
--   mkfs.vfat -F 32 -C volume.img 34816
--   parterre run --set image=$PWD/volume.img scenarios/files.lua
--   fsck.vfat -n parterre.out/files/disk.img; mdir -i parterre.out/files/disk.img ::
-- With cut=1 the power is cut in the middle of the second half of the work.
local image = param("image", "")
expect(image ~= "", "image is missing: mkfs.vfat -F 32 -C volume.img 34816, then " ..
       "--set image=$PWD/volume.img")
machine{
  policy = "policy/files.policy",
  cpus = param("cpus", 1),
  serial_hz = 184320000, -- no waiting for the console
  disk = "34M",
  disk_image = image,
}
wait_console("guest1", "shell: help lists the commands", {within = ms(300)})
send("console guest1\r")
wait_console("operations", "lines go to guest1", {within = ms(100)})

local function type_in(line, pattern) -- without a pattern: it says nothing
  send(line .. "\r")
  return wait_console(pattern and "guest1" or "operations", pattern or "> " .. string.gsub(line, "%p", "%%%0"),
                      {within = ms(2000)})
end

-- By hand.
type_in("df", "^%d+ KiB, %d+ free, in clusters of %d+ bytes$")
type_in("cat /README.TXT", "^written by the host$")
type_in("mkdir /notes")
type_in("write /notes/first-note.txt the first note")
type_in("append /notes/first-note.txt and one more line")
type_in("cat /notes/FIRST-NOTE.TXT", "^and one more line$")
type_in("cp /notes/first-note.txt /second", "^cp: 33 bytes$")
type_in("cp /notes/first-note.txt /second", "^cp: /notes/.*: there is one already$")
type_in("rm /notes", "^rm: /notes: there is something in it$")
type_in("mv /second /notes/second")
type_in("ls /notes", "33 2024%-01%-31 00:00 second$")
type_in("cat /none", "^cat: /none: there is no such file or directory$")
type_in("write /notes/?", "^usage: write")
type_in("write /notes/? x", "^write: /notes/%?: that can't be its name$")
type_in("rm /notes/second")
type_in("sync")

-- A workload, in which io.a dies, comes back, and hangs.
local seed = param("seed", 1)
send("files 40 9000\r")
for i = 1, 20 + seed * 7 % 60 do
  wait_event("block_request", {}, {within = ms(50)})
end
inject.crash("io.a")
wait_event("channel", {client = "guest1", server = "io.b"}, {within = ms(5)})
wait_event("channel", {client = "guest1", server = "io.a"}, {within = ms(20)}) -- back
for i = 1, 150 do
  wait_event("block_request", {}, {within = ms(50)})
end
inject.hang("io.a")
wait_console("guest1", "^files: 40 made, copied, compared$", {within = ms(5000)})

if param("cut", 0) > 0 then
  -- What was synced is there, whatever becomes of this.
  send("files 80 12000 /again\r")
  for i = 1, param("cut", 0) do
    wait_event("block_request", {}, {within = ms(50)})
  end
  return
end

-- A directory that nobody synced: the orderly stop does.
type_in("mkdir /late")
type_in("ls /", "late/$")
send(".\rstop guest1\r")
wait_console("command", "guest1 stopped", {within = ms(500)})
