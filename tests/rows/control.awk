# SPDX-License-Identifier: GPL-2.0-or-later
# From `parterre trace`: on every control channel each request is answered once and
# each event acknowledged once, by handle; an answer or acknowledgement without is
# counted too.  What was asked in the last millisecond, or of a partition that
# ended, may be open.  And of a channel's states each is written by its one writer,
# or wiped by the ultravisor, and takes only edges that there are (row S64).
BEGIN {
	OFF = "0x641" # TXN_MACHINE_OFF
}
function value(field) {
	return substr(field, index(field, "=") + 1)
}
function bad(text) {
	print text ": " $0
	wrong++
}
{
	now = $1
}
$5 == "state" && value($8) != "1" {
	ended["p" value($6)] = 1
}
$5 == "control" {
	queue = value($7)
	key = value($6) SUBSEP value($11)
	flags = value($10)
	if (queue == 0) {
		if (flags !~ /[2367abef]$/ && value($8) != OFF) {
			asked[key]++
			when[key, 0] = now
			requests++
		}
	} else if (queue == 1) {
		if (++answered[key] > asked[key])
			bad("an answer too many")
	} else if (queue == 2) {
		told[key]++
		when[key, 2] = now
		events++
	} else if (++acked[key] > told[key]) {
		bad("an acknowledgement too many")
	}
}
$5 == "channel" {
	id = value($6)
	c = value($11)
	s = value($12)
	renewed = identity[id] != value($8) SUBSEP value($9) SUBSEP value($10)
	identity[id] = value($8) SUBSEP value($9) SUBSEP value($10)
	client[id] = "p" value($8)
	if (renewed)
		born[id] = now
	# Until it is wiped, what its frames held before.
	renewed = now == born[id]
	if (!renewed && s != server_state[id]) {
		edges++
		if (s != 0 && $3 != "p" value($9))
			bad("a server's state by another")
		if (s == 0 && $3 != "p1")
			bad("wiped by another")
		if (s == 2 && server_state[id] != 1)
			bad("an edge that there is not")
	}
	if (!renewed && c != client_state[id]) {
		edges++
		if (c != 0 && $3 != "p" value($8))
			bad("a client's state by another")
		if (c == 0 && $3 != "p1")
			bad("wiped by another")
	}
	if (c != 0 && c != 2 && c != 3)
		bad("no state of a client's")
	server_state[id] = s
	client_state[id] = c
}
END {
	for (key in asked) {
		split(key, part, SUBSEP)
		if (asked[key] != answered[key] && when[key, 0] < now - 0.001 &&
		    !ended[client[part[1]]])
			bad("request " key " was answered " answered[key] + 0 " times")
	}
	for (key in told) {
		split(key, part, SUBSEP)
		if (told[key] != acked[key] && when[key, 2] < now - 0.001 &&
		    !ended[client[part[1]]])
			bad("event " key " was acknowledged " acked[key] + 0 " times")
	}
	print requests " requests, " events " events, " edges " edges"
	print "control channels: " (wrong || requests < 20 || events < 10 || \
				    edges < 10 ? "not in order" : "in order")
}
