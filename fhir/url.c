#include "fhir/url.h"

#include <string.h>

#include "fhir/outcome.h"

void ow_url_encode(struct ow_buf *b, const char *s)
{
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            strchr("-._~", c))
            ow_buf_char(b, *s);
        else
            ow_buf_printf(b, "%%%02X", c);
    }
}

struct origin {
    const char *scheme, *host, *port; /* not terminated */
    size_t scheme_len, host_len, port_len;
};

/* False when it is no absolute http(s) URL. */
static bool origin_of(const char *url, struct origin *o)
{
    const char *sep = strstr(url, "://"), *end, *at, *colon;

    if (!sep || strcspn(url, "/?#") < (size_t)(sep - url))
        return false;
    o->scheme = url;
    o->scheme_len = (size_t)(sep - url);
    o->host = sep + 3;
    end = o->host + strcspn(o->host, "/?#");
    at = memchr(o->host, '@', (size_t)(end - o->host));
    if (at || end == o->host)
        return false; /* user info has no business here */
    colon = end;
    while (colon > o->host && colon[-1] >= '0' && colon[-1] <= '9')
        colon--;
    if (colon > o->host && colon[-1] == ':') {
        o->port = colon;
        o->port_len = (size_t)(end - colon);
        o->host_len = (size_t)(colon - 1 - o->host);
    } else {
        o->port = "";
        o->port_len = 0;
        o->host_len = (size_t)(end - o->host);
    }
    if (o->port_len == 0) {
        o->port = o->scheme_len == 5 ? "443" : "80";
        o->port_len = strlen(o->port);
    }
    return true;
}

static bool same_folded(const char *a, size_t na, const char *b, size_t nb)
{
    if (na != nb)
        return false;
    for (size_t i = 0; i < na; i++) {
        char x = a[i], y = b[i];

        x = (char)(x >= 'A' && x <= 'Z' ? x - 'A' + 'a' : x);
        y = (char)(y >= 'A' && y <= 'Z' ? y - 'A' + 'a' : y);
        if (x != y)
            return false;
    }
    return true;
}

/* A URL that HTTP could carry: no spaces, no control characters, and no backslash, since
 * readers of URLs disagree on where a host ends that holds one. */
static bool is_clean(const char *url)
{
    for (; *url; url++) {
        if ((unsigned char)*url <= 0x20 || *url == 0x7f || *url == '\\')
            return false;
    }
    return true;
}

/* scheme:... without an authority is neither relative nor ours ("file:x", "//host/x") */
static bool is_relative(const char *url)
{
    return !ow_starts_with(url, "//") && url[strcspn(url, ":/?#")] != ':';
}

bool ow_url_same_origin(const char *base, const char *url)
{
    struct origin a, b;

    if (!is_clean(url))
        return false;
    if (is_relative(url))
        return true;
    return origin_of(base, &a) && origin_of(url, &b) &&
           same_folded(a.scheme, a.scheme_len, b.scheme, b.scheme_len) &&
           same_folded(a.host, a.host_len, b.host, b.host_len) &&
           same_folded(a.port, a.port_len, b.port, b.port_len);
}

const char *ow_url_absolute(struct ow_arena *a, const char *base, const char *url)
{
    const char *path;

    if (!is_relative(url))
        return ow_arena_strdup(a, url);
    if (*url == '?' || *url == '\0')
        return ow_arena_printf(a, "%s%s", base, url);
    if (*url != '/')
        return ow_arena_printf(a, "%s/%s", base, url);
    path = strstr(base, "://");
    path = path ? path + 3 + strcspn(path + 3, "/?#") : base + strlen(base);
    return ow_arena_printf(a, "%.*s%s", (int)(path - base), base, url);
}

void ow_get_request(struct ow_arena *a, const char *url, const char *authorization,
                    struct ow_request *ret)
{
    struct ow_header *h = OW_NEW_N(a, struct ow_header, 3);

    *ret = (struct ow_request){
        .method = "GET", .url = ow_arena_strdup(a, url), .headers = h, .body = ""
    };
    h[ret->n_headers++] = (struct ow_header){ "Accept", "application/fhir+json" };
    h[ret->n_headers++] = (struct ow_header){ "Cache-Control", "no-cache" };
    if (authorization)
        h[ret->n_headers++] = (struct ow_header){ "Authorization",
                                                  ow_arena_strdup(a, authorization) };
}

bool ow_response_is_markup(const struct ow_response *resp)
{
    size_t i = 0;

    while (i < resp->body_len && strchr(" \t\r\n", resp->body[i]))
        i++;
    return i < resp->body_len && resp->body[i] == '<';
}

enum ow_code ow_response_code(struct ow_arena *a, const struct ow_response *resp,
                              struct ow_err *err)
{
    int s = resp->status;
    enum ow_code code = OW_INPUT;
    const char *words = "";
    const cJSON *root;

    if (s >= 200 && s < 300)
        return OW_OK;
    if (s == 0)
        return ow_err_set(err, OW_AGAIN, "no answer");
    if (s == 408 || s == 425 || s == 429 || s >= 500)
        code = OW_AGAIN;
    else if (s == 401 || s == 403)
        code = OW_DENIED;
    else if (s == 404 || s == 410) /* a page of a proxy speaks for no FHIR server */
        code = ow_response_is_markup(resp) ? OW_AGAIN : OW_MISSING;
    if (resp->body_len > 0 &&
        ow_json_parse(resp->body, resp->body_len, NULL, a, &root, NULL) == OW_OK)
        words = ow_outcome_words(a, root);
    return ow_err_set(err, code, "the server answered %d%s%s", s, *words ? ": " : "",
                      words);
}

enum ow_code ow_response_json(struct ow_arena *a, const struct ow_response *resp,
                              const cJSON **ret, struct ow_err *err)
{
    enum ow_code code = ow_response_code(a, resp, err);

    if (code != OW_OK)
        return code;
    if (ow_response_is_markup(resp))
        return ow_err_set(err, OW_AGAIN,
                          "the server answered %d with markup instead of JSON",
                          resp->status);
    code = ow_json_parse(resp->body, resp->body_len, NULL, a, ret, err);
    return code == OW_OK ? code : ow_err_prefix(err, code, "the server's answer");
}

enum ow_code ow_response_bundle(struct ow_arena *a, const struct ow_response *resp,
                                const cJSON **ret, struct ow_err *err)
{
    const cJSON *root;
    enum ow_code code = ow_response_json(a, resp, &root, err);
    const char *words;

    if (code != OW_OK)
        return code;
    words = ow_outcome_words(a, root);
    if (*words)
        return ow_err_set(err, OW_AGAIN, "the server says %s", words);
    if (!ow_streq(ow_json_string(root, "resourceType"), "Bundle"))
        return ow_err_set(err, OW_INPUT, "the server's answer: expected a Bundle");
    *ret = root;
    return OW_OK;
}
