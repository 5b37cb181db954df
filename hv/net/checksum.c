/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hv/net/checksum.c - the Internet checksum, RFC 1071. */
#include "net/wire.h"

/* Eight bytes at a time: the sum's bytes come out changed over on a machine
 * that has the least first, and are changed back (RFC 1071, 2.B). */
static uint32_t add_words(const uint8_t *at, unsigned words)
{
	uint64_t sum = 0, word[4];

	/* What a sum carries out belongs at its other end. */
	for (; words >= 4; words -= 4, at += sizeof(word)) {
		__builtin_memcpy(word, at, sizeof(word));
		__asm__("addq %1, %0\n\t"
			"adcq %2, %0\n\t"
			"adcq %3, %0\n\t"
			"adcq %4, %0\n\t"
			"adcq $0, %0"
			: "+r"(sum)
			: "m"(word[0]), "m"(word[1]), "m"(word[2]), "m"(word[3])
			: "cc");
	}
	for (; words > 0; words--, at += 8) {
		__builtin_memcpy(word, at, 8);
		sum += word[0];
		sum += sum < word[0];
	}
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return __builtin_bswap16((uint16_t)((sum & 0xffff) + (sum >> 16)));
}

uint32_t checksum_add(uint32_t sum, const void *data, unsigned bytes)
{
	const uint8_t *at = data;
	unsigned words = bytes / 8;

	sum += add_words(at, words);
	at += 8 * words;
	for (bytes %= 8; bytes > 1; bytes -= 2, at += 2)
		sum += get16(at);
	if (bytes > 0)
		sum += (uint32_t)at[0] << 8;
	return (sum & 0xffff) + (sum >> 16); /* so that it never overflows */
}

uint16_t checksum_end(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

uint32_t checksum_pseudo(uint32_t source, uint32_t target, unsigned protocol,
			 unsigned bytes)
{
	return (source >> 16) + (source & 0xffff) + (target >> 16) +
	       (target & 0xffff) + protocol + bytes;
}
