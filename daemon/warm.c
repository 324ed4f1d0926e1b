#include "daemon/warm.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "fhir/writeback.h"

struct kept {
    struct kept *older;
    char key[65]; /* of user, token and URL: no token is kept */
    char *patient, *body;
    size_t len;
    int64_t until; /* ms, monotonic */
};

struct ow_warm {
    struct ow_core *core;
    struct kept *newest;
    size_t n, bytes;
};

enum { KEY_MAX = 64 * 1024 };

/* False: longer than any that we ask. */
static bool key_of(const char *user, const char *authorization, const char *url,
                   char ret[65])
{
    struct ow_buf b;
    bool ok;

    ow_buf_init(&b, KEY_MAX);
    ow_buf_str(&b, user ? user : "");
    ow_buf_add(&b, "", 1);
    ow_buf_str(&b, authorization ? authorization : "");
    ow_buf_add(&b, "", 1);
    ow_buf_str(&b, url);
    ok = !b.failed;
    ow_sha256_hex(ow_buf_cstr(&b), b.len, ret);
    ow_buf_done(&b);
    return ok;
}

static void kept_drop(struct ow_warm *w, struct kept **at)
{
    struct kept *k = *at;

    *at = k->older;
    w->n--;
    w->bytes -= k->len;
    free(k->patient);
    free(k->body);
    free(k);
}

/* From the newest on: what is over, or beyond the bounds, goes. */
static void tidy(struct ow_warm *w)
{
    int64_t now = ow_now_mono(w->core->world);
    size_t n = 0, bytes = 0;

    for (struct kept **at = &w->newest; *at;) {
        n++;
        bytes += (*at)->len;
        if ((*at)->until <= now || n > OW_WARM_MOST || bytes > OW_WARM_BYTES)
            kept_drop(w, at);
        else
            at = &(*at)->older;
    }
}

const char *ow_warm_find(struct ow_warm *w, const char *user, const char *authorization,
                         const char *url, size_t *len)
{
    char key[65];

    tidy(w);
    if (!w->newest || !key_of(user, authorization, url, key))
        return NULL;
    for (struct kept *k = w->newest; k; k = k->older) {
        if (strcmp(k->key, key) == 0) {
            *len = k->len;
            return k->body;
        }
    }
    return NULL;
}

void ow_warm_keep(struct ow_warm *w, const char *patient, const char *user,
                  const char *authorization, const char *url, const char *body,
                  size_t len)
{
    struct kept *k;

    if (w->core->config->hooks_warm == 0 || len > OW_WARM_BYTES / 8)
        return;
    k = ow_alloc_zero(sizeof *k);
    if (!key_of(user, authorization, url, k->key)) {
        free(k);
        return;
    }
    for (struct kept **at = &w->newest; *at; at = &(*at)->older) {
        if (strcmp((*at)->key, k->key) == 0) {
            kept_drop(w, at);
            break;
        }
    }
    k->patient = ow_strdup(patient);
    k->body = ow_alloc(len + 1);
    memcpy(k->body, body, len);
    k->body[len] = '\0';
    k->len = len;
    k->until = ow_now_mono(w->core->world) + w->core->config->hooks_warm;
    k->older = w->newest;
    w->newest = k;
    w->n++;
    w->bytes += len;
    tidy(w);
}

void ow_warm_drop(struct ow_warm *w, const char *patient)
{
    for (struct kept **at = &w->newest; *at;) {
        if (strcmp((*at)->patient, patient) == 0)
            kept_drop(w, at);
        else
            at = &(*at)->older;
    }
}

struct ow_warm *ow_warm_new(struct ow_core *core)
{
    struct ow_warm *w = ow_alloc_zero(sizeof *w);

    w->core = core;
    return w;
}

void ow_warm_free(struct ow_warm *w)
{
    if (!w)
        return;
    while (w->newest)
        kept_drop(w, &w->newest);
    free(w);
}
