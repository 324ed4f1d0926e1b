#include "daemon/tls.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

struct ow_tls_context {
    SSL_CTX *ssl;
};

struct ow_tls {
    SSL *ssl;
    BIO *in, *out; /* owned by ssl */
    bool failed;
};

/* The sentence for what OpenSSL complained of last; its queue is empty afterwards. */
static enum ow_code tls_error(struct ow_err *err, const char *what, const char *file)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());

    ERR_clear_error();
    return ow_err_set(err, OW_CONFIG, "%s %s: %s", what, file,
                      reason ? reason : "unknown error");
}

static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                   const unsigned char *in, unsigned in_len, void *arg)
{
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *picked;

    (void)ssl;
    (void)arg;
    if (SSL_select_next_proto(&picked, out_len, ours, sizeof ours - 1, in, in_len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = picked;
    return SSL_TLSEXT_ERR_OK;
}

static enum ow_code load_identity(SSL_CTX *ctx, const char *cert, const char *key,
                                  struct ow_err *err)
{
    if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1)
        return tls_error(err, "certificate", cert);
    if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
        return tls_error(err, "private key", key);
    if (SSL_CTX_check_private_key(ctx) != 1)
        return tls_error(err, "private key does not fit the certificate:", key);
    return OW_OK;
}

static enum ow_code load_client_ca(SSL_CTX *ctx, const char *file, struct ow_err *err)
{
    STACK_OF(X509_NAME) * names;

    if (SSL_CTX_load_verify_file(ctx, file) != 1)
        return tls_error(err, "client CA", file);
    names = SSL_load_client_CA_file(file);
    if (!names)
        return tls_error(err, "client CA", file);
    SSL_CTX_set_client_CA_list(ctx, names);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return OW_OK;
}

enum ow_code ow_tls_context_new(const char *cert, const char *key, const char *client_ca,
                                struct ow_tls_context **ret, struct ow_err *err)
{
    static const unsigned char id[] = "opiward";
    SSL_CTX *ssl = SSL_CTX_new(TLS_server_method());
    enum ow_code code;

    ow_assert(ssl);
    ERR_clear_error();
    SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION);
    SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                 SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_select_cb(ssl, on_alpn, NULL);
    SSL_CTX_set_session_id_context(ssl, id, sizeof id - 1);
    code = load_identity(ssl, cert, key, err);
    if (code == OW_OK && client_ca)
        code = load_client_ca(ssl, client_ca, err);
    if (code != OW_OK) {
        SSL_CTX_free(ssl);
        return code;
    }
    *ret = ow_alloc_zero(sizeof **ret);
    (*ret)->ssl = ssl;
    return OW_OK;
}

void ow_tls_context_free(struct ow_tls_context *ctx)
{
    if (!ctx)
        return;
    SSL_CTX_free(ctx->ssl);
    free(ctx);
}

struct ow_tls *ow_tls_new(struct ow_tls_context *ctx)
{
    struct ow_tls *t = ow_alloc_zero(sizeof *t);

    t->ssl = SSL_new(ctx->ssl);
    t->in = BIO_new(BIO_s_mem());
    t->out = BIO_new(BIO_s_mem());
    ow_assert(t->ssl && t->in && t->out);
    SSL_set_bio(t->ssl, t->in, t->out);
    SSL_set_accept_state(t->ssl);
    return t;
}

void ow_tls_free(struct ow_tls *t)
{
    if (!t)
        return;
    SSL_free(t->ssl);
    free(t);
}

void ow_tls_input(struct ow_tls *t, const char *data, size_t len)
{
    ow_assert(len <= INT_MAX);
    if (!t->failed && len > 0)
        t->failed = BIO_write(t->in, data, (int)len) != (int)len;
}

enum ow_tls_state ow_tls_read(struct ow_tls *t, char *data, size_t size, size_t *ret)
{
    int n;

    *ret = 0;
    if (t->failed)
        return OW_TLS_FAILED;
    ERR_clear_error();
    n = SSL_read_ex(t->ssl, data, size, ret);
    if (n > 0)
        return OW_TLS_DATA;
    switch (SSL_get_error(t->ssl, n)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return OW_TLS_MORE;
    case SSL_ERROR_ZERO_RETURN:
        return OW_TLS_END;
    default:
        ERR_clear_error();
        t->failed = true;
        return OW_TLS_FAILED;
    }
}

bool ow_tls_write(struct ow_tls *t, const char *data, size_t len)
{
    size_t done;

    if (t->failed || len == 0)
        return !t->failed;
    ERR_clear_error();
    if (SSL_write_ex(t->ssl, data, len, &done) == 1 && done == len)
        return true;
    ERR_clear_error();
    t->failed = true;
    return false;
}

void ow_tls_shutdown(struct ow_tls *t)
{
    if (t->failed || !SSL_is_init_finished(t->ssl))
        return;
    ERR_clear_error();
    if (SSL_shutdown(t->ssl) < 0)
        ERR_clear_error();
}

size_t ow_tls_output(struct ow_tls *t, const char **data)
{
    char *at = NULL;
    long n = BIO_get_mem_data(t->out, &at);

    *data = at;
    return n > 0 ? (size_t)n : 0;
}

void ow_tls_output_taken(struct ow_tls *t)
{
    (void)BIO_reset(t->out);
}

bool ow_tls_established(const struct ow_tls *t)
{
    return SSL_is_init_finished(t->ssl);
}
