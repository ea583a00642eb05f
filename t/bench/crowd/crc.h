/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CROWD_CRC_H
#define CROWD_CRC_H
/**
 * @file crc.h
 * @brief CRC-32 as zlib and PHP's crc32() have it: the client and each kind of server agree on what a body was.
 *
 * Layer: pure.
 */
#include <stddef.h>
#include <stdint.h>

/** @param crc  0 for the first piece, then what the previous call returned */
static inline uint32_t crowd_crc(uint32_t crc, const void *data, size_t length)
{
    /* What half a byte does to the polynomial 0xedb88320. */
    static const uint32_t half[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
        0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    const unsigned char *byte = data;

    crc = ~crc;
    for (size_t i = 0; i < length; i++) {
        crc ^= byte[i];
        crc = crc >> 4 ^ half[crc & 15];
        crc = crc >> 4 ^ half[crc & 15];
    }
    return ~crc;
}

#endif /* CROWD_CRC_H */
