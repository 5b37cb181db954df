/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/net/wire.h - numbers of the protocols, and bytes as they stand on the wire
 * (most significant first, at any alignment). */
#ifndef PARTERRE_NET_WIRE_H
#define PARTERRE_NET_WIRE_H

#include <stdint.h>

#define ETHER_HEADER_BYTES 14 /* destination, source, type */
#define ETHER_MAC_BYTES    6
#define ETHER_MTU          1500
#define ETHER_IPV4         0x0800
#define ETHER_ARP          0x0806

/* RFC 826, for IPv4 over Ethernet. */
#define ARP_BYTES      28
#define ARP_HARDWARE   0 /* 1: Ethernet */
#define ARP_PROTOCOL   2
#define ARP_LENGTHS    4 /* 6, 4 */
#define ARP_OPERATION  6
#define ARP_SENDER_MAC 8
#define ARP_SENDER     14
#define ARP_TARGET_MAC 18
#define ARP_TARGET     24
#define ARP_ASKS       1
#define ARP_ANSWERS    2

/* RFC 791. */
#define IP_HEADER_BYTES  20 /* without options */
#define IP_VERSION       0  /* and length of the header, in words */
#define IP_TOTAL         2
#define IP_ID            4
#define IP_FRAGMENT      6
#define IP_DONT_FRAGMENT 0x4000
#define IP_TTL           8
#define IP_PROTOCOL      9
#define IP_CHECKSUM      10
#define IP_SOURCE        12
#define IP_TARGET        16
#define IP_ICMP          1
#define IP_TCP           6
#define IP_UDP           17
#define IP_BROADCAST     0xffffffffu

/* RFC 792. */
#define ICMP_HEADER_BYTES     8
#define ICMP_TYPE             0
#define ICMP_CODE             1
#define ICMP_CHECKSUM         2
#define ICMP_ID               4
#define ICMP_SEQUENCE         6
#define ICMP_ECHO_REPLY       0
#define ICMP_UNREACHABLE      3
#define ICMP_UNREACHABLE_PORT 3
#define ICMP_ECHO             8

/* RFC 768. */
#define UDP_HEADER_BYTES 8
#define UDP_SOURCE       0
#define UDP_TARGET       2
#define UDP_LENGTH       4
#define UDP_CHECKSUM     6

/* RFC 9293, 3.1. */
#define TCP_HEADER_BYTES 20 /* without options */
#define TCP_SOURCE       0
#define TCP_TARGET       2
#define TCP_SEQUENCE     4
#define TCP_ACK_NUMBER   8
#define TCP_OFFSET       12 /* in words, the upper half */
#define TCP_FLAGS        13
#define TCP_WINDOW       14
#define TCP_CHECKSUM     16
#define TCP_URGENT       18
#define TCP_FIN          0x01
#define TCP_SYN          0x02
#define TCP_RST          0x04
#define TCP_PSH          0x08
#define TCP_ACK          0x10
#define TCP_OPTION_END   0
#define TCP_OPTION_NOP   1
#define TCP_OPTION_MSS   2

static inline uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t get32(const uint8_t *at)
{
	return (uint32_t)get16(at) << 16 | get16(at + 2);
}

static inline void put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static inline void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value & 0xffff);
}

/* The Internet checksum (RFC 1071): add up parts, all but the last of even
 * length, then finish. */
uint32_t checksum_add(uint32_t sum, const void *data, unsigned bytes);
uint16_t checksum_end(uint32_t sum);
/* Of what stands before TCP and UDP (RFC 9293, 3.1). */
uint32_t checksum_pseudo(uint32_t source, uint32_t target, unsigned protocol,
			 unsigned bytes);

#endif
