#include "daemon/replay.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/text.h"

enum { CHAINS = 1 << 14 };

struct issuer {
    char *name;
    size_t n;
    struct issuer *next;
};

struct entry {
    struct entry *next;
    struct issuer *issuer;
    ow_time until;
    uint8_t digest[OW_TOKEN_BYTES];
};

struct ow_replay {
    struct entry *chains[CHAINS];
    struct issuer *issuers; /* as many as there are clients, and were at the last start */
    size_t n, most;
    ow_time swept;
};

struct ow_replay *ow_replay_new(unsigned most)
{
    struct ow_replay *r = ow_alloc_zero(sizeof *r);

    r->most = most;
    r->swept = OW_TIME_MIN;
    return r;
}

void ow_replay_free(struct ow_replay *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < CHAINS; i++)
        while (r->chains[i]) {
            struct entry *e = r->chains[i];

            r->chains[i] = e->next;
            free(e);
        }
    while (r->issuers) {
        struct issuer *i = r->issuers;

        r->issuers = i->next;
        free(i->name);
        free(i);
    }
    free(r);
}

void ow_replay_digest(const char *issuer, const char *jti, uint8_t ret[OW_TOKEN_BYTES])
{
    uint8_t all[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *md = EVP_MD_CTX_new();

    ow_assert(md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1 &&
              EVP_DigestUpdate(md, issuer, strlen(issuer) + 1) == 1 &&
              EVP_DigestUpdate(md, jti, strlen(jti)) == 1 &&
              EVP_DigestFinal_ex(md, all, NULL) == 1);
    EVP_MD_CTX_free(md);
    memcpy(ret, all, OW_TOKEN_BYTES);
}

static struct issuer *issuer_of(struct ow_replay *r, const char *name)
{
    struct issuer *i;

    for (i = r->issuers; i; i = i->next)
        if (ow_streq(i->name, name))
            return i;
    i = ow_alloc_zero(sizeof *i);
    i->name = ow_strdup(name);
    i->next = r->issuers;
    r->issuers = i;
    return i;
}

static void sweep(struct ow_replay *r, ow_time now)
{
    r->swept = now;
    for (size_t i = 0; i < CHAINS; i++)
        for (struct entry **at = &r->chains[i]; *at;) {
            struct entry *e = *at;

            if (e->until >= now) {
                at = &e->next;
                continue;
            }
            *at = e->next;
            e->issuer->n--;
            r->n--;
            free(e);
        }
}

enum ow_replay_result ow_replay_add(struct ow_replay *r, const struct ow_token *t,
                                    ow_time now)
{
    size_t chain = ((size_t)t->digest[0] << 8 | t->digest[1]) % CHAINS;
    struct issuer *issuer = issuer_of(r, t->issuer);
    struct entry *e;

    for (e = r->chains[chain]; e; e = e->next)
        if (memcmp(e->digest, t->digest, OW_TOKEN_BYTES) == 0)
            return OW_REPLAY_SEEN;
    /* also when the clock was set back */
    if (now >= ow_time_add(r->swept, OW_MINUTE) || now < r->swept ||
        (issuer->n >= r->most && now >= ow_time_add(r->swept, OW_SECOND)))
        sweep(r, now);
    if (issuer->n >= r->most)
        return OW_REPLAY_FULL;
    e = ow_alloc(sizeof *e);
    *e = (struct entry){ r->chains[chain], issuer, t->until, { 0 } };
    memcpy(e->digest, t->digest, OW_TOKEN_BYTES);
    r->chains[chain] = e;
    issuer->n++;
    r->n++;
    return OW_REPLAY_NEW;
}

size_t ow_replay_count(const struct ow_replay *r)
{
    return r->n;
}
