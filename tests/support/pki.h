/*
 * PKI: certificates made on the spot, for tests of TLS
 */
#pragma once

#include "base/base.h"

enum { PKI_PATH = 64 };

/* PEM files in a directory of their own below /tmp. */
struct pki {
    char dir[PKI_PATH];
    char ca[PKI_PATH];                                /* signs all below but `other` */
    char server_cert[PKI_PATH], server_key[PKI_PATH]; /* localhost, 127.0.0.1, ::1 */
    char client_cert[PKI_PATH], client_key[PKI_PATH];
    char other_cert[PKI_PATH], other_key[PKI_PATH]; /* signed by itself, a stranger */
};

void pki_make(struct pki *ret);
/* Sign the server a new certificate under `name`, over the old files. */
void pki_renew_server(const struct pki *p, const char *name);
void pki_remove(struct pki *p);
