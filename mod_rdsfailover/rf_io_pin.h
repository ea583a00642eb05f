/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RF_IO_PIN_H
#define RF_IO_PIN_H
/**
 * @file rf_io_pin.h
 * @brief Dial an address under a name: the client library is told the endpoint's name, which it checks the certificate
 *        against, and yet connects to the address we mean.
 *
 * Layer:   I/O. One thread. This file defines getaddrinfo for the whole program; the libraries' calls arrive here first.
 */

/** Until rf_pin_clear, getaddrinfo(name) gives `address` and asks nobody. Both strings must live until then. */
void rf_pin_set(const char *name, const char *address);
void rf_pin_clear(void);

#endif /* RF_IO_PIN_H */
