/*
 * Tokens that were used: one row each, as long as the token could be shown again
 */
#include <string.h>

#include "daemon/store_calls.h"

enum { OLD_AT_ONCE = 100 };

struct token_call {
    struct ow_plain_call plain;
    struct ow_token token;
    ow_time now;
};

static enum ow_code token_run(struct ow_store_db *db, struct ow_store_call *call,
                              struct ow_err *err)
{
    struct token_call *c = (struct token_call *)call;
    struct ow_query q = ow_query(db, OW_SQL_TOKEN_ADD);
    enum ow_code code;

    ow_bind_blob(&q, c->token.digest, sizeof c->token.digest);
    ow_bind_text(&q, c->token.issuer);
    ow_bind_int(&q, c->token.until);
    ow_run(&q);
    code = ow_query_end(&q, err);
    if (code != OW_OK)
        return code;
    q = ow_query(db, OW_SQL_TOKEN_OLD);
    ow_bind_int(&q, c->now);
    ow_bind_int(&q, OLD_AT_ONCE);
    ow_run(&q);
    return ow_query_end(&q, err);
}

static const struct ow_store_op token_op = { "token", true, false, token_run,
                                             ow_store_plain_done };

void ow_store_token(struct ow_store *s, const struct ow_token *t, ow_time now,
                    ow_store_fn *fn, void *arg)
{
    struct token_call *c = OW_STORE_CALL(struct token_call, &token_op);

    c->plain.fn = fn;
    c->plain.arg = arg;
    c->token = *t;
    c->token.issuer = ow_arena_strdup(&c->plain.call.arena, t->issuer);
    c->now = now;
    ow_store_queue_post(&s->queue, &c->plain.call);
}

struct tokens_call {
    struct ow_store_call call;
    ow_time now;
    struct ow_token *tokens;
    size_t n, cap;
    ow_store_tokens_fn *fn;
    void *arg;
};

static enum ow_code tokens_run(struct ow_store_db *db, struct ow_store_call *call,
                               struct ow_err *err)
{
    struct tokens_call *c = (struct tokens_call *)call;
    struct ow_query q = ow_query(db, OW_SQL_TOKEN_ALL);

    c->n = 0;
    ow_bind_int(&q, c->now);
    while (ow_row(&q)) {
        size_t n;
        const char *digest = ow_col_blob(&q, 0, &call->arena, &n);

        if (!digest || n != OW_TOKEN_BYTES)
            continue;
        OW_ARENA_GROW(&call->arena, c->tokens, c->n, c->cap);
        memcpy(c->tokens[c->n].digest, digest, n);
        c->tokens[c->n].issuer = ow_col_text(&q, 1, &call->arena);
        c->tokens[c->n++].until = ow_col_int(&q, 2);
    }
    return ow_query_end(&q, err);
}

static void tokens_done(struct ow_store_call *call)
{
    struct tokens_call *c = (struct tokens_call *)call;
    bool ok = call->code == OW_OK;

    c->fn(c->arg, call->code, ok ? c->tokens : NULL, ok ? c->n : 0, &call->err);
}

static const struct ow_store_op tokens_op = { "tokens", false, false, tokens_run,
                                              tokens_done };

void ow_store_tokens(struct ow_store *s, ow_time now, ow_store_tokens_fn *fn, void *arg)
{
    struct tokens_call *c = OW_STORE_CALL(struct tokens_call, &tokens_op);

    c->now = now;
    c->fn = fn;
    c->arg = arg;
    ow_store_queue_post(&s->queue, &c->call);
}
