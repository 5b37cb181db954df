/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/abi/channel.h - memory channels: header, queues, types.
 *
 *   page 0   struct channel_header (128 bytes), then struct queue_header
 *            number 0.. (128 bytes each), at header.queue_offset
 *   page 1.. the queues' slots, each at its queue's base_offset
 *   then     data pages, at header.data_offset
 *
 * Queues have one producer and one consumer and fixed-size signals; one slot
 * is always empty: empty if head == tail, full if (head + 1) % slots == tail.
 * The producer writes slot (head + 1) % slots, fences, then publishes head;
 * the consumer reads slot (tail + 1) % slots, fences, then publishes tail.
 * `head`/`tail` are 32-bit, `sent`/`received` count since initialisation.
 * The producer signals (SYS_SIGNAL) only when the queue went from empty to
 * non-empty and the consumer's `want_event` is set.
 *
 * The server initialises; each state has one writer:
 *   server_state is the server's: UNINIT -> READY (-> DRAINED when it let go)
 *   client_state is the client's: DETACHED -> ATTACHING -> ATTACHED
 * The ultravisor alone wipes the header, while both ends are stopped or have
 * let go: server_state UNINIT, client_state DETACHED, generation + 1.
 *
 * Whoever reads the other side's words copies them once and checks them
 * against its own constants; nothing there is trusted.
 */
#ifndef PARTERRE_ABI_CHANNEL_H
#define PARTERRE_ABI_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

#define CHANNEL_SIGNATURE 0x4c4e4345u /* "ECNL" */
#define CHANNEL_VERSION 1

/* Types (db_chan.type, view_channel.type); the GUID stands in the header. */
#define CHANNEL_CONTROL 1   /* client: any partition; server: ultravisor */
#define CHANNEL_BLOCK 2     /* client: guest; server: I/O partition */
#define CHANNEL_HEARTBEAT 3 /* client: command; server: I/O partition */
#define CHANNEL_DIAG 4      /* client: any partition; server: diagnostics */
#define CHANNEL_POLICY 5    /* client: command; server: operations */
#define CHANNEL_CONSOLE 6   /* client: guest; server: operations */
#define CHANNEL_NETWORK 7   /* client: guest, or an I/O partition's trunk;
                               server: I/O partition */
#define CHANNEL_LOG 16      /* client: operations; server: diagnostics */

#define CHANNEL_SERVER_UNINIT 0
#define CHANNEL_SERVER_READY 1
#define CHANNEL_SERVER_DRAINED 2

#define CHANNEL_CLIENT_DETACHED 0
#define CHANNEL_CLIENT_DISABLED 1
#define CHANNEL_CLIENT_ATTACHING 2
#define CHANNEL_CLIENT_ATTACHED 3
#define CHANNEL_CLIENT_BUSY 4
#define CHANNEL_CLIENT_OWNED 5

struct channel_header { /* 128 bytes */
	uint32_t signature;
	uint32_t header_bytes;
	uint64_t total_bytes;
	uint64_t features; /* of the type; what an end doesn't know, it refuses */
	uint8_t type_guid[16];
	uint64_t client; /* partition numbers */
	uint64_t server;
	uint32_t id; /* db_chan.id */
	uint32_t version;
	uint32_t type; /* CHANNEL_* */
	uint32_t generation;
	uint32_t queue_offset; /* of queue_header[0] */
	uint32_t queue_count;
	uint32_t data_offset; /* 0: no data pages */
	uint32_t data_pages;
	uint32_t client_state; /* written by the client */
	uint32_t server_state; /* written by the server */
	uint64_t server_beat;  /* written by the server: +1 each heartbeat */
	uint32_t client_error; /* counters of refused messages */
	uint32_t server_error;
	uint64_t server_beat_ns; /* the host's time of that heartbeat, */
	uint64_t server_ran_ns;  /* and what CPU time the server had had */
};

struct queue_header { /* 128 bytes: one line for each writer */
	/* Written by the producer (constants at initialisation, by the server). */
	uint32_t version;
	uint32_t signal_bytes;
	uint32_t slots;
	uint32_t base_offset; /* from the channel's start */
	uint64_t sent;
	uint64_t overflow;
	uint32_t head;
	uint8_t reserved0[28];
	/* Written by the consumer. */
	uint64_t received;
	uint32_t tail;
	uint32_t want_event;
	uint64_t empties;
	uint8_t reserved1[40];
};

_Static_assert(sizeof(struct channel_header) == 128 &&
		       offsetof(struct channel_header, type_guid) == 24 &&
		       offsetof(struct channel_header, client) == 40 &&
		       offsetof(struct channel_header, id) == 56 &&
		       offsetof(struct channel_header, generation) == 68 &&
		       offsetof(struct channel_header, queue_offset) == 72 &&
		       offsetof(struct channel_header, client_state) == 88 &&
		       offsetof(struct channel_header, server_state) == 92 &&
		       offsetof(struct channel_header, server_beat) == 96 &&
		       offsetof(struct channel_header, client_error) == 104 &&
		       offsetof(struct channel_header, server_beat_ns) == 112,
	       "channel header layout");
/* Producer's and consumer's words are in lines of their own. */
_Static_assert(sizeof(struct queue_header) == 128 &&
		       offsetof(struct queue_header, sent) == 16 &&
		       offsetof(struct queue_header, head) == 32 &&
		       offsetof(struct queue_header, received) == 64 &&
		       offsetof(struct queue_header, tail) == 72 &&
		       offsetof(struct queue_header, want_event) == 76,
	       "queue header layout");

/* Pages of a channel with so many bytes of slots and so many pages of data. */
#define CHANNEL_PAGES(slot_bytes, data_pages)                                  \
	(1 + ((slot_bytes) + 4095) / 4096 + (data_pages))

/* Block channel: 256 pages, as many as a channel may have.
 *
 * Data pages are of two kinds.  Into the first BLOCK_READ_PAGES goes what is
 * read.  The others, BLOCK_WRITE_PAGES of them, are the client's alone to write:
 * the server's program does not see them, and its devices may only read them.
 * What a client wrote there is what it finds there when it has to write it again
 * by another path, whatever the server did; so no copy is made of it. */
#define BLOCK_QUEUE_REQUEST 0  /* client -> server, struct block_request */
#define BLOCK_QUEUE_RESPONSE 1 /* server -> client, struct block_response */
#define BLOCK_SLOTS 32
#define BLOCK_READ_PAGES 30   /* data pages 0.. */
#define BLOCK_WRITE_PAGES 224 /* data pages BLOCK_READ_PAGES.. */
#define BLOCK_DATA_PAGES (BLOCK_READ_PAGES + BLOCK_WRITE_PAGES)
#define BLOCK_BYTES 4096 /* a block of the disk, as channels count */
#define BLOCK_CHANNEL_PAGES 256

#define BLOCK_READ 1
#define BLOCK_WRITE 2
#define BLOCK_FLUSH 3
#define BLOCK_FLAG_FUA 1

#define BLOCK_OK 0
#define BLOCK_EIO 1    /* the medium or the controller said no: final */
#define BLOCK_ERANGE 2 /* beyond the end */
#define BLOCK_EINVAL 3 /* the request is not well formed */

struct block_request { /* 64 bytes */
	uint64_t sequence; /* the client's; +1 each new request, kept on replay */
	uint64_t block;    /* in units of BLOCK_BYTES, of the client's extent */
	uint16_t op;       /* BLOCK_READ.. */
	uint16_t flags;
	uint16_t data_page; /* 0..BLOCK_DATA_PAGES-1, of the op's kind */
	uint16_t reserved0;
	uint32_t replay; /* how many times it was sent before */
	uint32_t reserved1;
	uint64_t tag[4]; /* opaque to the server: the client's identity of what it
	                    writes, for whoever observes: [0] stream, [1] record */
};

struct block_response { /* 32 bytes */
	uint64_t sequence;
	uint32_t status; /* BLOCK_OK.. */
	uint32_t reserved0;
	uint64_t done_ns;
	uint64_t reserved1;
};
_Static_assert(sizeof(struct block_request) == 64, "block request layout");
_Static_assert(sizeof(struct block_response) == 32, "block response layout");
_Static_assert(CHANNEL_PAGES(BLOCK_SLOTS * (sizeof(struct block_request) +
					    sizeof(struct block_response)),
			     BLOCK_DATA_PAGES) <= BLOCK_CHANNEL_PAGES,
	       "block channel");

/* Network channel: 27 pages.  Data: NET_BUFFERS buffers for what the client
 * sends (numbers 0..), then as many for what it receives (NET_BUFFERS..).
 *
 * A frame's Ethernet header is in the message and nowhere else: the switch goes
 * by a copy that nobody can change any more.  The buffer holds what follows it,
 * without FCS.
 *
 *   client                       server
 *   ENABLE, RECEIVE_POST... ->
 *                             <- ENABLE_ACK (link, mac, features)
 *   TRANSMIT (buffer)       ->
 *                             <- TRANSMIT_DONE (buffer)   given back, once
 *                             <- RECEIVE (buffer)         given back, filled
 *   RECEIVE_POST (buffer)   ->
 *                             <- LINK (link)              when it changes
 *   DISABLE                 ->
 *                             <- RECEIVE (bytes 0)...     those posted, empty
 *                             <- DISABLE_ACK
 *
 * Nothing is received before ENABLE_ACK.  A frame for a client without a posted
 * buffer is lost, and counted.  A client stops its upper layers with NET_HIGH
 * frames under way and lets them go on at NET_LOW.
 *
 * The client's address is the ultravisor's to say: view_channel.extent_block of
 * both ends holds it (NET_MAC_*).  A frame that a guest sends from another one is
 * lost, and counted.  In a trunk between two I/O partitions (address 0) any may
 * come, and LINK goes both ways: whether the end's own external port is up. */
#define NET_QUEUE_OUT 0 /* client -> server, struct net_message */
#define NET_QUEUE_IN 1  /* server -> client, struct net_message */
#define NET_SLOTS 64    /* more than all buffers and answers together */
#define NET_BUFFERS 24  /* of each direction */
#define NET_BUFFER_BYTES 2048
#define NET_DATA_PAGES 24
#define NET_CHANNEL_PAGES 27
#define NET_PAYLOAD_MAX 1500 /* after the header */
#define NET_HEADER_BYTES 14  /* destination, source, type */
#define NET_HIGH (NET_BUFFERS - 1)
#define NET_LOW (NET_BUFFERS / 2)

#define NET_FEATURE_HEADER 1 /* the Ethernet header is in the message */
#define NET_FEATURE_LINK 2   /* LINK is told */
#define NET_FEATURES (NET_FEATURE_HEADER | NET_FEATURE_LINK)

#define NET_TRANSMIT 1
#define NET_TRANSMIT_DONE 2
#define NET_RECEIVE_POST 3
#define NET_RECEIVE 4
#define NET_ENABLE 5
#define NET_ENABLE_ACK 6
#define NET_DISABLE 7
#define NET_DISABLE_ACK 8
#define NET_LINK 9

#define NET_OK 0
#define NET_EINVAL 1 /* of TRANSMIT_DONE: not well formed, or not its address */

struct net_message { /* 64 bytes */
	uint16_t type;   /* NET_TRANSMIT.. */
	uint16_t buffer; /* 0..NET_BUFFERS-1 sends, from there on receives */
	uint16_t bytes;  /* in the buffer; 0..NET_PAYLOAD_MAX */
	uint16_t status; /* NET_OK.. */
	uint8_t header[NET_HEADER_BYTES];
	uint8_t mac[6];    /* of ENABLE_ACK */
	uint32_t link;     /* of ENABLE_ACK, LINK: 1 up, 0 down */
	uint64_t features; /* of ENABLE, ENABLE_ACK */
	uint64_t reserved[3];
};
_Static_assert(sizeof(struct net_message) == 64, "net message layout");
_Static_assert(2 * NET_BUFFERS * NET_BUFFER_BYTES == NET_DATA_PAGES * 4096,
	       "net buffers fill their pages");
_Static_assert(2 * NET_BUFFERS + 8 < NET_SLOTS, "all buffers and answers fit");

/* A hardware address in a view: bits 47..0, the first byte on top. */
#define NET_MAC_BYTE(mac, n) ((uint8_t)((mac) >> 8 * (5 - (n))))

/* Heartbeat channel: 1 page, no queue.  The server counts server_beat up, at
 * least once in HEARTBEAT_NS; first it notes when, and the CPU time that it had. */
#define HEARTBEAT_NS 125000
#define HEARTBEAT_CHANNEL_PAGES 1

/* Diagnostics channel: 3 pages, one queue, client -> server. */
#define DIAG_SLOTS 128
#define DIAG_CHANNEL_PAGES 3
#define DIAG_NOTE 1       /* text[0..3] as characters */
#define DIAG_ISSUED 2     /* stream, record: a process asked its kernel to write */
#define DIAG_COMMITTED 3  /* stream, record, block: the process was told that the
                             record is durable, and relies on it */
#define DIAG_DONE 4       /* stream, records: a workload ended */
#define DIAG_TEXT 5       /* from `stream` on DIAG_TEXT_BYTES of a console line,
                             of which `left` bytes follow in the next ones */
#define DIAG_STATE 6      /* only in the log: a partition's end */
#define DIAG_DMA_FAULT 7  /* only in the log: the IOMMU refused something */
#define DIAG_TEXT_BYTES 48
struct diag_record { /* 64 bytes */
	uint64_t time_ns;
	uint32_t type; /* DIAG_* */
	uint32_t left;
	uint64_t stream, record, block, check; /* check: the record's checksum */
	uint64_t text[2];
};
_Static_assert(sizeof(struct diag_record) == 64, "diag record layout");
_Static_assert(CHANNEL_PAGES(DIAG_SLOTS * sizeof(struct diag_record), 0) ==
		       DIAG_CHANNEL_PAGES,
	       "diagnostics channel");

/* Log channel: 3 pages; a request, and as many entries as match, oldest first,
 * then one of LOG_END. */
#define LOG_CHANNEL_PAGES 3
#define LOG_REQUEST_SLOTS 8
#define LOG_ENTRY_SLOTS 32
#define LOG_END 0
struct log_request { /* 32 bytes */
	char name[16];  /* of the partition; "": all */
	uint64_t count; /* the last so many */
	uint64_t reserved;
};
#define LOG_TEXT_BYTES 88
struct log_entry { /* 128 bytes */
	uint64_t time_ns;
	uint64_t who; /* number */
	char name[16];
	uint32_t type; /* DIAG_* */
	uint32_t reserved;
	char text[LOG_TEXT_BYTES];
};
_Static_assert(sizeof(struct log_request) == 32, "log request layout");
_Static_assert(sizeof(struct log_entry) == 128, "log entry layout");
_Static_assert(CHANNEL_PAGES(LOG_REQUEST_SLOTS * sizeof(struct log_request) +
				     LOG_ENTRY_SLOTS * sizeof(struct log_entry),
			     0) == LOG_CHANNEL_PAGES,
	       "log channel");

/* Console channel: 2 pages; queue 0 server -> client: the lines that are typed
 * for the guest.  What a guest prints goes out by SYS_LOG, tagged, whether anybody
 * listens or not. */
#define CONSOLE_CHANNEL_PAGES 2
#define CONSOLE_SLOTS 16
#define CONSOLE_TEXT_BYTES 120
struct console_line { /* 128 bytes */
	uint32_t bytes; /* of text, at most CONSOLE_TEXT_BYTES; no newline */
	uint32_t reserved;
	char text[CONSOLE_TEXT_BYTES];
};
_Static_assert(sizeof(struct console_line) == 128, "console line layout");
_Static_assert(CHANNEL_PAGES(CONSOLE_SLOTS * sizeof(struct console_line), 0) ==
		       CONSOLE_CHANNEL_PAGES,
	       "console channel");

/* Policy channel: 10 pages; queue 0 command -> operations (requests), queue 1
 * back; the text lies in the data pages. */
#define POLICY_CHANNEL_PAGES 10
#define POLICY_SLOTS 8
#define POLICY_DATA_PAGES 8
#define POLICY_TEXT_PAGES 4 /* of each direction: to command, then back */
#define POLICY_GET 1  /* command asks */
#define POLICY_TEXT 2 /* operations answers: `bytes` of text in the data pages */
#define POLICY_HELD 3 /* command goes by this text already (operations is new) */
#define POLICY_LOAD 4 /* operations: check this text and go by it */
#define POLICY_DO 5   /* operations: words of the operator's, in the data pages:
                         start NAME, failover NAME, failback NAME */
#define POLICY_DONE 6 /* command answers either: status, and a sentence of `bytes`
                         in the data pages; version is the request's */
#define POLICY_PING 7 /* operations: are you there? */
#define POLICY_PONG 8
struct policy_message { /* 32 bytes */
	uint32_t type;
	uint32_t bytes;
	uint64_t version; /* of a text: its CRC-32C; of a wish: a running number */
	uint64_t status;  /* 0: done */
	uint64_t reserved;
};
_Static_assert(sizeof(struct policy_message) == 32, "policy message layout");
_Static_assert(CHANNEL_PAGES(2 * POLICY_SLOTS * sizeof(struct policy_message),
			     POLICY_DATA_PAGES) == POLICY_CHANNEL_PAGES,
	       "policy channel");

#endif
