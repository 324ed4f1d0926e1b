#include "daemon/signature.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/text.h"
#include "daemon/files.h"

enum {
    KEY_BYTES = 65536,
    SIGNATURE_BYTES = 64, /* of Ed25519 [RFC 8032] */
};

void ow_signature_needs(struct ow_snapshot *s, struct ow_place at, const char *data,
                        size_t len)
{
    struct ow_signed_file *f = OW_NEW(&s->arena, struct ow_signed_file);

    *f = (struct ow_signed_file){ .at = at,
                                  .data = ow_arena_strndup(&s->arena, data, len),
                                  .len = len,
                                  .next = s->wants_signature };
    s->wants_signature = f;
}

/* The approver's public key, or NULL with a report. */
static EVP_PKEY *key_read(const struct ow_snapshot *s, struct ow_reporter *to)
{
    const char *path = s->config.policy_approver_key;
    struct ow_err err = { "" };
    EVP_PKEY *key = NULL;
    char *pem;
    size_t len;
    BIO *bio;

    if (!*path || !*s->config.policy_approver) {
        ow_report_at(to, s, OW_S_policy_require_signature,
                     "policy.require_signature needs policy.approver and "
                     "policy.approver_key");
        return NULL;
    }
    if (ow_file_read(path, KEY_BYTES, &pem, &len, &err) != OW_OK) {
        ow_report_at(to, s, OW_S_policy_approver_key, "policy.approver_key: %s: %s", path,
                     err.text);
        return NULL;
    }
    bio = BIO_new_mem_buf(pem, (int)len);
    if (bio)
        key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    BIO_free(bio);
    free(pem);
    if (key && EVP_PKEY_get_id(key) == EVP_PKEY_ED25519)
        return key;
    EVP_PKEY_free(key);
    ow_report_at(to, s, OW_S_policy_approver_key,
                 "policy.approver_key: %s is no Ed25519 public key in PEM", path);
    return NULL;
}

static bool verified(EVP_PKEY *key, const char *signature, const char *data, size_t len)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 &&
                EVP_DigestVerify(ctx, (const unsigned char *)signature, SIGNATURE_BYTES,
                                 (const unsigned char *)data, len) == 1;

    EVP_MD_CTX_free(ctx);
    return good;
}

struct check {
    const struct ow_snapshot *s;
    struct ow_reporter *to;
    EVP_PKEY *key;
};

static void check_one(const struct check *c, struct ow_place at, const char *signature,
                      const char *data, size_t len)
{
    struct ow_err err = { "" };
    char *bytes = NULL, text[2 * OW_PACKS_PATH];
    const char *who = c->s->config.policy_approver;
    size_t n = 0;
    enum ow_code code = ow_file_read(signature, KEY_BYTES, &bytes, &n, &err);

    text[0] = '\0';
    if (code != OW_OK)
        snprintf(text, sizeof text, "not signed by %s: %s: %s", who, signature, err.text);
    else if (n != SIGNATURE_BYTES || !verified(c->key, bytes, data, len))
        snprintf(text, sizeof text,
                 "%s is no signature by %s of this file as it is: altered since, or "
                 "signed with another key",
                 signature, who);
    if (text[0])
        ow_reporter_add(c->to, at.file, at.line, at.column, text);
    free(bytes);
}

/* Beside the pack, else in the site's own folder. */
static void signature_path(const struct ow_pack_folders *f, const struct ow_pack *p,
                           char *ret, size_t size)
{
    char name[OW_PACK_NAME + 16];

    snprintf(ret, size, "%s.sig", p->file);
    if (ow_is_file(ret) || f->own[0] == '\0')
        return;
    snprintf(name, sizeof name, "%s.tsv.sig", p->name);
    if (!ow_path_join(f->own, name, ret, size))
        snprintf(ret, size, "%s.sig", p->file);
}

void ow_signatures_check(const struct ow_snapshot *s, const struct ow_pack_folders *f,
                         struct ow_reporter *to)
{
    struct check c = { .s = s, .to = to };
    char path[OW_PACKS_PATH + 8];

    if (!s->config.policy_require_signature || !(c.key = key_read(s, to)))
        return;
    for (size_t i = 0; i < s->config.packs->n; i++) {
        const struct ow_pack *p = s->config.packs->packs[i];

        signature_path(f, p, path, sizeof path);
        check_one(&c, (struct ow_place){ p->file, 1, 1 }, path, p->data, p->len);
    }
    for (const struct ow_signed_file *w = s->wants_signature; w; w = w->next) {
        snprintf(path, sizeof path, "%s.sig", w->at.file);
        check_one(&c, w->at, path, w->data, w->len);
    }
    EVP_PKEY_free(c.key);
}
