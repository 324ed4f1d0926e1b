#include "daemon/callers.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "daemon/keys.h"
#include "daemon/log.h"
#include "daemon/metrics.h"
#include "daemon/replay.h"

enum { CHECK_MEMORY = 1 << 20 };

struct source { /* a client and its keys */
    const struct ow_hooks_client *client;
    struct ow_keys *keys;
    struct source *next;
};

struct ow_callers {
    struct ow_core *core;
    struct source *sources;
    struct ow_replay *replay;
    ow_store_fn *started;
    void *started_arg;
};

struct check { /* one token, from header to verdict */
    struct ow_callers *callers;
    struct ow_callers_hooks hooks;
    struct ow_arena arena;
    struct ow_jwt token;
    struct ow_jwt_rules rules;
    const struct source *source; /* NULL: the issuer is unknown */
    bool asked;                  /* for keys, out of turn */
};

static void check_free(struct check *k)
{
    ow_arena_done(&k->arena);
    free(k);
}

static void check_refuse(struct check *k, enum ow_jwt_fault fault)
{
    ow_metric_denied(fault);
    OW_LOG(OW_INFO, "hook.denied", "a CDS Hooks call without a good token was refused",
           OW_F("client", k->source ? k->source->client->iss : "unknown"),
           OW_F("fault", ow_jwt_fault_label(fault)),
           OW_F("reason", ow_jwt_fault_text(fault)));
    k->hooks.checked(k->hooks.arg, NULL);
    check_free(k);
}

/* --- the last step: once only --- */

static void on_token_stored(void *arg, enum ow_code code, const struct ow_err *err)
{
    struct check *k = arg;

    if (code != OW_OK)
        OW_LOG(OW_WARNING, "token.not-stored",
               "a token was used and could not be noted: a restart would forget it",
               OW_F("reason", err->text));
    k->hooks.kept(k->hooks.arg);
    check_free(k);
}

static void check_once(struct check *k)
{
    struct ow_callers *c = k->callers;
    ow_time now = ow_now_utc(c->core->world);
    struct ow_token t = { .issuer = k->token.iss,
                          .until = ow_time_add(k->token.exp, OW_JWT_SKEW) };

    ow_replay_digest(t.issuer, k->token.jti, t.digest);
    switch (ow_replay_add(c->replay, &t, now)) {
    case OW_REPLAY_SEEN:
        check_refuse(k, OW_JWT_REPLAYED);
        return;
    case OW_REPLAY_FULL:
        check_refuse(k, OW_JWT_FULL);
        return;
    case OW_REPLAY_NEW:
        break;
    }
    ow_store_token(c->core->store, &t, now, on_token_stored, k);
    k->hooks.checked(k->hooks.arg, k->source->client);
}

/* --- the steps before --- */

static void on_keys(void *arg);

static void check_signature(struct check *k)
{
    const struct ow_jwks *set = ow_keys_get(k->source->keys);
    enum ow_jwt_fault fault = set ? ow_jwks_verify(set, &k->token.jws) : OW_JWT_NO_KEYS;

    if ((fault == OW_JWT_NO_KEYS || fault == OW_JWT_UNKNOWN_KEY) && !k->asked) {
        k->asked = true;
        if (ow_keys_ask(k->source->keys, on_keys, k))
            return;
    }
    if (fault == OW_JWT_NONE)
        fault = ow_jwt_after(&k->token, &k->rules, ow_now_utc(k->callers->core->world));
    if (fault == OW_JWT_NONE)
        check_once(k);
    else
        check_refuse(k, fault);
}

static void on_keys(void *arg)
{
    struct check *k = arg;

    if (k->callers->core->stopping)
        check_refuse(k, OW_JWT_NO_KEYS);
    else
        check_signature(k);
}

static const struct source *source_find(const struct ow_callers *c, const char *iss)
{
    const struct source *s = c->sources;

    while (s && !ow_streq(s->client->iss, iss))
        s = s->next;
    return s;
}

static enum ow_jwt_fault check_issuer(struct check *k)
{
    const struct ow_hooks_client *client;

    k->source = source_find(k->callers, k->token.iss);
    if (!k->source)
        return OW_JWT_ISSUER;
    client = k->source->client;
    k->rules.algs = client->algs;
    k->rules.jku = ow_hooks_client_jku(client);
    k->rules.tenants = client->tenants;
    return ow_jwt_before(&k->token, &k->rules);
}

/* What stands behind "Bearer "; NULL: another scheme or none. */
static const char *bearer(struct ow_arena *a, const char *authorization)
{
    static const char scheme[] = "Bearer ";
    const char *at = authorization;

    if (!at || strncasecmp(at, scheme, sizeof scheme - 1) != 0)
        return NULL;
    at += sizeof scheme - 1;
    at += strspn(at, " ");
    return *at ? ow_arena_strdup(a, at) : NULL;
}

void ow_callers_check(struct ow_callers *c, const char *authorization,
                      const char *const *audiences, size_t n,
                      const struct ow_callers_hooks *hooks)
{
    struct check *k = ow_alloc_zero(sizeof *k);
    enum ow_jwt_fault fault = OW_JWT_ABSENT;
    const char **copy, *token;

    k->callers = c;
    k->hooks = *hooks;
    ow_arena_init(&k->arena, CHECK_MEMORY);
    copy = OW_NEW_N(&k->arena, const char *, n);
    for (size_t i = 0; i < n; i++)
        copy[i] = ow_arena_strdup(&k->arena, audiences[i]);
    k->rules.audiences = copy;
    k->rules.n_audiences = n;
    token = bearer(&k->arena, authorization);
    if (token)
        fault = ow_jwt_read(&k->arena, token, strlen(token), &k->token);
    if (fault == OW_JWT_NONE)
        fault = check_issuer(k);
    if (fault == OW_JWT_NONE)
        check_signature(k);
    else
        check_refuse(k, fault);
}

/* --- life --- */

static void on_tokens(void *arg, enum ow_code code, const struct ow_token *t, size_t n,
                      const struct ow_err *err)
{
    struct ow_callers *c = arg;
    ow_time now = ow_now_utc(c->core->world);
    ow_store_fn *fn = c->started;

    for (size_t i = 0; i < n; i++)
        (void)!ow_replay_add(c->replay, &t[i], now);
    for (const struct source *s = c->sources; s && code == OW_OK && !c->core->stopping;
         s = s->next)
        ow_keys_start(s->keys);
    fn(c->started_arg, code, err);
}

void ow_callers_start(struct ow_callers *c, ow_store_fn *fn, void *arg)
{
    c->started = fn;
    c->started_arg = arg;
    ow_store_tokens(c->core->store, ow_now_utc(c->core->world), on_tokens, c);
}

struct ow_callers *ow_callers_new(struct ow_core *core)
{
    struct ow_callers *c = ow_alloc_zero(sizeof *c);

    c->core = core;
    c->replay = ow_replay_new(OW_REPLAY_MOST);
    for (const struct ow_hooks_client *k = core->config->clients; k; k = k->next) {
        struct source *s = ow_alloc_zero(sizeof *s);

        *s = (struct source){ k, ow_keys_new(core, k), c->sources };
        c->sources = s;
    }
    return c;
}

void ow_callers_stop(struct ow_callers *c)
{
    for (struct source *s = c->sources; s; s = s->next)
        ow_keys_stop(s->keys);
}

void ow_callers_free(struct ow_callers *c)
{
    if (!c)
        return;
    while (c->sources) {
        struct source *s = c->sources;

        c->sources = s->next;
        ow_keys_free(s->keys);
        free(s);
    }
    ow_replay_free(c->replay);
    free(c);
}
