#include "daemon/clients.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/near.h"
#include "base/text.h"
#include "daemon/config_print.h"
#include "daemon/files.h"
#include "fhir/jwt.h"

enum { PATH_BYTES = 4096, URL_BYTES = 1024, TENANTS_BYTES = 4096 };

static const char *const keys[] = { "jwks_file",  "jwks_url",    "jku",
                                    "algorithms", "fhir_server", "tenants" };

const char *ow_hooks_client_jku(const struct ow_hooks_client *c)
{
    return *c->jku ? c->jku : *c->jwks_url ? c->jwks_url : NULL;
}

const struct ow_hooks_client *ow_hooks_client_find(const struct ow_config *c,
                                                   const char *iss)
{
    for (const struct ow_hooks_client *k = c->clients; k; k = k->next)
        if (ow_streq(k->iss, iss))
            return k;
    return NULL;
}

bool ow_hooks_jwt_required(const struct ow_config *c)
{
    return ow_streq(c->hooks_require_jwt, "yes") ||
           (ow_streq(c->hooks_require_jwt, "auto") && c->clients);
}

/* --- taking --- */

struct taking {
    struct ow_snapshot *s;
    struct ow_reporter *to;
    const char *file;
    const struct ow_yaml_item *it;
};

static void fault(const struct taking *t, struct ow_yaml_place at, const char *fmt, ...)
    OW_PRINTF(3, 4);

static void fault(const struct taking *t, struct ow_yaml_place at, const char *fmt, ...)
{
    char text[2 * OW_ERR_SIZE];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    ow_reporter_add(t->to, t->file, at.line, at.column, text);
}

static struct ow_place place(const struct taking *t, struct ow_yaml_place at)
{
    return (struct ow_place){ t->file, at.line, at.column };
}

static struct ow_hooks_client *client_of(const struct taking *t)
{
    struct ow_hooks_client **at = &t->s->config.clients, *c;
    const char *iss = t->it->path[0];

    while (*at && strcmp((*at)->iss, iss) < 0)
        at = &(*at)->next;
    if (*at && ow_streq((*at)->iss, iss))
        return *at;
    c = OW_NEW(&t->s->arena, struct ow_hooks_client);
    *c = (struct ow_hooks_client){ .iss = iss,
                                   .jwks_file = "",
                                   .jwks_url = "",
                                   .jku = "",
                                   .fhir_server = "",
                                   .tenants = "",
                                   .algs = OW_JWS_DEFAULT,
                                   .at = place(t, t->it->key_at),
                                   .next = *at };
    *at = c;
    return c;
}

static bool iss_valid(const char *iss)
{
    size_t n = strlen(iss);

    return n > 0 && n <= OW_JWT_CLAIM_BYTES && !strpbrk(iss, " \"\\") &&
           ow_utf8_valid(iss, n);
}

static const char *take_url(const struct taking *t)
{
    struct ow_err err = { "" };

    if (*t->it->value == '\0')
        return "";
    if (strlen(t->it->value) <= URL_BYTES && ow_url_check(t->it->value, &err))
        return t->it->value;
    fault(t, t->it->value_at, "%s: expected an http or https URL of at most %d bytes%s%s",
          t->it->key, URL_BYTES, *err.text ? ": " : "", err.text);
    return "";
}

static const char *take_file(const struct taking *t, const char *folder)
{
    char path[PATH_BYTES];

    if (*t->it->value == '\0')
        return "";
    if (ow_path_join(folder, t->it->value, path, sizeof path))
        return ow_arena_strdup(&t->s->arena, path);
    fault(t, t->it->value_at, "jwks_file: the path is too long");
    return "";
}

/* The words of a value, which blanks or commas part: next one, or NULL. */
static const char *word(const char **at, struct ow_arena *a)
{
    size_t n;
    const char *w;

    *at += strspn(*at, " ,");
    n = strcspn(*at, " ,");
    w = n ? ow_arena_strndup(a, *at, n) : NULL;
    *at += n;
    return w;
}

static void take_algorithms(const struct taking *t, struct ow_hooks_client *c)
{
    const char *names[OW_JWS_ALG_N], *at = t->it->value, *w;
    enum ow_jws_alg alg;
    unsigned set = 0;

    for (unsigned i = 0; i < OW_JWS_ALG_N; i++)
        names[i] = ow_jws_alg_name((enum ow_jws_alg)i);
    while ((w = word(&at, &t->s->arena))) {
        const char *near = ow_nearest(w, names, OW_LEN(names));

        if (ow_jws_alg_find(w, &alg))
            set |= OW_JWS_BIT(alg);
        else
            fault(t, t->it->value_at,
                  "algorithms: expected some of ES384, RS384, ES256, RS256, PS384; "
                  "found '%.60s'%s%s%s",
                  w, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    }
    if (set)
        c->algs = set;
    else if (!*t->it->value)
        fault(t, t->it->value_at, "algorithms: expected at least one");
}

static const char *take_words(const struct taking *t)
{
    const char *at = t->it->value, *w, *all = "";

    if (strlen(at) > TENANTS_BYTES) {
        fault(t, t->it->value_at, "%s: at most %d bytes", t->it->key, TENANTS_BYTES);
        return "";
    }
    while ((w = word(&at, &t->s->arena)))
        all = *all ? OW_JOIN(&t->s->arena, all, " ", w) : w;
    return all;
}

static void take_key(const struct taking *t, const char *folder,
                     struct ow_hooks_client *c)
{
    const char *key = t->it->key, *near;

    if (ow_streq(key, "jwks_file")) {
        c->jwks_file = take_file(t, folder);
        c->file_at = place(t, t->it->value_at);
    } else if (ow_streq(key, "jwks_url")) {
        c->jwks_url = take_url(t);
        c->url_at = place(t, t->it->value_at);
    } else if (ow_streq(key, "jku")) {
        c->jku = take_url(t);
    } else if (ow_streq(key, "fhir_server")) {
        c->fhir_server = take_url(t);
    } else if (ow_streq(key, "algorithms")) {
        take_algorithms(t, c);
    } else if (ow_streq(key, "tenants")) {
        c->tenants = take_words(t);
    } else {
        near = ow_nearest(key, keys, OW_LEN(keys));
        fault(t, t->it->key_at, "no key '%.60s' of a client%s%s%s", key,
              near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    }
}

void ow_clients_take(struct ow_snapshot *s, struct ow_reporter *to, const char *file,
                     const char *folder, const struct ow_yaml_item *it)
{
    const struct taking t = { s, to, file, it };
    struct ow_hooks_client *c;

    if (it->depth == 0) {
        if (it->key)
            fault(&t, it->key_at,
                  "clients.%.60s: expected the keys of a client below it, jwks_file or "
                  "jwks_url among them",
                  it->key);
        else if (it->value)
            fault(&t, it->value_at, "section 'clients' takes clients, not %s", it->value);
        return;
    }
    if (!iss_valid(it->path[0])) {
        if (!it->key)
            fault(&t, it->key_at,
                  "a client is named by the iss of its tokens, without blanks, quotes "
                  "and backslashes");
        return;
    }
    c = client_of(&t);
    if (it->key && it->value)
        take_key(&t, folder, c);
}

/* --- checking --- */

static void say(struct ow_reporter *to, struct ow_place at, const char *fmt, ...)
    OW_PRINTF(3, 4);

static void say(struct ow_reporter *to, struct ow_place at, const char *fmt, ...)
{
    char text[PATH_BYTES + 2 * OW_ERR_SIZE];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    ow_reporter_add(to, at.file, at.line, at.column, text);
}

void ow_clients_check_values(const struct ow_snapshot *s, struct ow_reporter *to)
{
    const struct ow_config *c = &s->config;

    if (ow_streq(c->hooks_require_jwt, "yes") && !c->clients)
        ow_report_at(to, s, OW_S_hooks_require_jwt,
                     "hooks.require_jwt: yes needs clients: nobody could call");
    for (const struct ow_hooks_client *k = c->clients; k; k = k->next) {
        if (!*k->jwks_file == !*k->jwks_url)
            say(to, k->at, "a client needs jwks_file or jwks_url, one of them");
        if (*k->jwks_url && !ow_url_is_https(k->jwks_url) && !c->hooks_allow_http)
            say(to, k->url_at,
                "jwks_url: keys that come without TLS can be anybody's; use https");
        if (*k->jwks_url && !c->fhir_allow_private && ow_url_is_private(k->jwks_url))
            say(to, k->url_at,
                "jwks_url is a private or loopback address: that needs "
                "fhir.allow_private: true");
    }
}

void ow_clients_check_files(const struct ow_snapshot *s, struct ow_reporter *to)
{
    for (const struct ow_hooks_client *k = s->config.clients; k; k = k->next) {
        struct ow_jwks *set = NULL;
        struct ow_err err = { "" };
        char *text;
        size_t n;

        if (!*k->jwks_file)
            continue;
        if (ow_file_read(k->jwks_file, OW_JWKS_BYTES, &text, &n, &err) != OW_OK) {
            say(to, k->file_at, "jwks_file: %s %s", k->jwks_file, err.text);
            continue;
        }
        if (ow_jwks_parse(text, n, &set, &err) != OW_OK)
            say(to, k->file_at, "jwks_file: %s: %s", k->jwks_file, err.text);
        ow_jwks_free(set);
        free(text);
    }
}

/* --- printing --- */

static void print_text(struct ow_buf *out, const char *key, const char *value)
{
    if (!*value)
        return;
    ow_buf_printf(out, "    %s: \"", key);
    for (; *value; value++) {
        if (*value == '"' || *value == '\\')
            ow_buf_char(out, '\\');
        ow_buf_char(out, *value);
    }
    ow_buf_str(out, "\"\n");
}

static void print_client(struct ow_buf *out, const struct ow_hooks_client *k)
{
    ow_buf_printf(out, "  \"%s\":\n", k->iss);
    print_text(out, "jwks_file", k->jwks_file);
    print_text(out, "jwks_url", k->jwks_url);
    print_text(out, "jku", k->jku);
    ow_buf_str(out, "    algorithms:");
    for (unsigned i = 0; i < OW_JWS_ALG_N; i++)
        if (k->algs & OW_JWS_BIT(i))
            ow_buf_printf(out, " %s", ow_jws_alg_name((enum ow_jws_alg)i));
    ow_buf_char(out, '\n');
    print_text(out, "fhir_server", k->fhir_server);
    print_text(out, "tenants", k->tenants);
}

void ow_clients_print(const struct ow_config *c, struct ow_buf *out)
{
    ow_buf_char(out, '\n');
    ow_config_print_comment(
        out, "",
        "Clients of CDS Hooks, by the iss of the tokens they sign. Each has its public "
        "keys in jwks_file (a JWK set, read again when it changes) or at jwks_url (https, "
        "fetched and kept as long as it says, from a minute to a day). A token's jku, "
        "when it has one, must equal jku, or jwks_url when that is left out. algorithms "
        "are ES384 and RS384 unless it says otherwise; ES256, RS256 and PS384 must be "
        "named. fhir_server is what its requests may call fhirServer, tenants are those "
        "it may speak for; left out: any. As soon as there is a client, everybody needs "
        "a token.");
    ow_config_print_comment(out, "", "");
    ow_buf_str(out, "#   https://ehr.example.org/fhir:\n"
                    "#     jwks_url: https://ehr.example.org/keys\n"
                    "#     algorithms: RS384\n"
                    "#     fhir_server: https://ehr.example.org/fhir\n"
                    "clients:\n");
    for (const struct ow_hooks_client *k = c->clients; k; k = k->next)
        print_client(out, k);
}
