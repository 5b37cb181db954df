-- SPDX-License-Identifier: GPL-2.0-or-later
-- Looking at partitions by their symbols and memory, and changing memory.
machine{
  policy = "../../scenarios/policy/failover.policy",
}

wait_event("committed", {stream = 2, record = 3}, {within = ms(200)})

-- One image, run twice: the same text at the same address.
local main, bytes = symbol("io.a", "partition_main")
expect(bytes > 16, "a function has a size")
local text = read("io.a", main, 16)
expect_eq(#text, 16, "bytes read")
expect(text ~= string.rep("\0", 16), "text is not zeroes")
expect(text == read("io.b", main, 16), "io.a and io.b run one image")

-- What is written there is read there, and nowhere else.
inject.memory("io.b", main, string.rep("\x90", 16))
expect(read("io.b", main, 16) == string.rep("\x90", 16), "io.b's text changed")
expect(read("io.a", main, 16) == text, "io.a's did not")

expect_eq(partition("guest2").kind, "guest", "guest2's kind")
expect(partition("idle").ran > 0, "idle had the CPU")
local block = 0
for _, channel in ipairs(channels()) do
  if channel.type == "block" then
    block = block + 1
    expect(channel.server == "io.a" or channel.server == "io.b", "its server")
  end
end
expect_eq(block, 2, "the number of block channels")

-- An event's fields, and partitions in it by name.
local beat = wait_event("heartbeat", {partition = "io.b"}, {within = ms(1)})
expect_eq(beat.event, "heartbeat", "the event's name")
expect_eq(beat.partition, "io.b", "who did it")
expect(beat.time <= now(), "its instant")
