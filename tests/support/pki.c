#include "tests/support/pki.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

static void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *ext;

    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    ow_assert(ext);
    X509_add_ext(cert, ext, -1);
    X509_EXTENSION_free(ext);
}

/* A certificate for `name`, signed by `issuer` (NULL: by itself). */
static X509 *make_cert(EVP_PKEY *key, const char *name, X509 *issuer,
                       EVP_PKEY *issuer_key)
{
    static long serial = 1;
    X509 *cert = X509_new();
    X509_NAME *subject;

    ow_assert(cert);
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), serial++);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 24L * 3600);
    X509_set_pubkey(cert, key);
    subject = X509_get_subject_name(cert);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name,
                               -1, -1, 0);
    X509_set_issuer_name(cert, issuer ? X509_get_subject_name(issuer) : subject);
    if (issuer)
        add_extension(cert, issuer, NID_subject_alt_name,
                      "DNS:localhost,IP:127.0.0.1,IP:0:0:0:0:0:0:0:1");
    else
        add_extension(cert, cert, NID_basic_constraints, "critical,CA:TRUE");
    ow_assert(X509_sign(cert, issuer ? issuer_key : key, EVP_sha256()) > 0);
    return cert;
}

static void save(const char *cert_file, X509 *cert, const char *key_file, EVP_PKEY *key)
{
    FILE *f = fopen(cert_file, "w");

    ow_assert(f && PEM_write_X509(f, cert) == 1 && fclose(f) == 0);
    if (!key_file)
        return;
    f = fopen(key_file, "w");
    ow_assert(f && PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1 &&
              fclose(f) == 0);
}

static void make_signed(const char *name, const char *cert_file, const char *key_file,
                        X509 *ca, EVP_PKEY *ca_key)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = make_cert(key, name, ca, ca_key);

    save(cert_file, cert, key_file, key);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static void path(char ret[PKI_PATH], const struct pki *p, const char *name)
{
    ow_assert(snprintf(ret, PKI_PATH, "%s/%s", p->dir, name) < PKI_PATH);
}

static void ca_key_path(char ret[PKI_PATH], const struct pki *p)
{
    path(ret, p, "ca.key");
}

void pki_make(struct pki *ret)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *ca = make_cert(key, "test authority", NULL, NULL);
    char key_file[PKI_PATH];

    snprintf(ret->dir, sizeof ret->dir, "/tmp/opiward-pki-XXXXXX");
    ow_assert(mkdtemp(ret->dir));
    path(ret->ca, ret, "ca.pem");
    path(ret->server_cert, ret, "server.pem");
    path(ret->server_key, ret, "server.key");
    path(ret->client_cert, ret, "client.pem");
    path(ret->client_key, ret, "client.key");
    path(ret->other_cert, ret, "other.pem");
    path(ret->other_key, ret, "other.key");
    ca_key_path(key_file, ret);
    save(ret->ca, ca, key_file, key);
    make_signed("localhost", ret->server_cert, ret->server_key, ca, key);
    make_signed("a client", ret->client_cert, ret->client_key, ca, key);
    make_signed("a stranger", ret->other_cert, ret->other_key, NULL, NULL);
    X509_free(ca);
    EVP_PKEY_free(key);
}

void pki_renew_server(const struct pki *p, const char *name)
{
    char key_file[PKI_PATH];
    FILE *f = fopen(p->ca, "r");
    X509 *ca;
    EVP_PKEY *key;

    ow_assert(f);
    ca = PEM_read_X509(f, NULL, NULL, NULL);
    fclose(f);
    ca_key_path(key_file, p);
    f = fopen(key_file, "r");
    ow_assert(f);
    key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
    fclose(f);
    make_signed(name, p->server_cert, p->server_key, ca, key);
    X509_free(ca);
    EVP_PKEY_free(key);
}

void pki_remove(struct pki *p)
{
    char key_file[PKI_PATH];
    const char *files[] = { p->ca,         p->server_cert, p->server_key, p->client_cert,
                            p->client_key, p->other_cert,  p->other_key,  key_file };

    ca_key_path(key_file, p);
    for (size_t i = 0; i < OW_LEN(files); i++)
        unlink(files[i]);
    rmdir(p->dir);
}
