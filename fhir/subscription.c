#include "fhir/subscription.h"

#include <string.h>

#include "base/jw.h"
#include "fhir/outcome.h"
#include "fhir/reference.h"
#include "fhir/url.h"

enum { REQUEST_MAX = 64 * 1024, NOTICES_MOST = 100000 };

#define SEND_DELETES                                                                     \
    "http://hapifhir.io/fhir/StructureDefinition/subscription-send-delete-messages"

const char ow_notification_reply[] =
    "{\"resourceType\":\"Bundle\",\"type\":\"collection\"}";

/* --- requests --- */

void ow_subscription_find(struct ow_arena *a, const struct ow_subscription_options *o,
                          struct ow_request *ret)
{
    struct ow_buf b;

    ow_buf_init(&b, REQUEST_MAX);
    ow_buf_printf(&b, "%s/Subscription?url=", o->base_url);
    ow_url_encode(&b, o->endpoint);
    ow_buf_str(&b, "&_count=50");
    ow_get_request(a, ow_buf_cstr(&b), o->authorization, ret);
    ow_buf_done(&b);
}

void ow_subscription_read(struct ow_arena *a, const struct ow_subscription_options *o,
                          const char *id, struct ow_request *ret)
{
    ow_get_request(a, ow_arena_printf(a, "%s/Subscription/%s", o->base_url, id),
                   o->authorization, ret);
}

void ow_subscription_delete(struct ow_arena *a, const struct ow_subscription_options *o,
                            const char *id, struct ow_request *ret)
{
    ow_subscription_read(a, o, id, ret);
    ret->method = "DELETE";
}

static void channel_write(struct ow_jw *w, const struct ow_subscription_options *o)
{
    ow_jw_kobject(w, "channel");
    ow_jw_karray(w, "extension"); /* HAPI sends deletes only when asked */
    ow_jw_object(w);
    ow_jw_kstring(w, "url", SEND_DELETES);
    ow_jw_kbool(w, "valueBoolean", true);
    ow_jw_end(w);
    ow_jw_end(w);
    ow_jw_kstring(w, "type", "rest-hook");
    ow_jw_kstring(w, "endpoint", o->endpoint);
    ow_jw_kstring(w, "payload", "application/fhir+json");
    if (o->header && *o->header) {
        ow_jw_karray(w, "header");
        ow_jw_string(w, o->header);
        ow_jw_end(w);
    }
    ow_jw_end(w);
}

static void subscription_send(struct ow_arena *a, const struct ow_subscription_options *o,
                              const struct ow_subscription *s, struct ow_request *ret)
{
    struct ow_header *h = OW_NEW_N(a, struct ow_header, 5);
    struct ow_buf b;
    struct ow_jw w;

    ow_buf_init(&b, REQUEST_MAX);
    ow_jw_init(&w, &b);
    ow_jw_object(&w);
    ow_jw_kstring(&w, "resourceType", "Subscription");
    if (s)
        ow_jw_kstring(&w, "id", s->id);
    ow_jw_kstring(&w, "status", "requested");
    ow_jw_kstring(&w, "reason", "opioid dose surveillance");
    ow_jw_kstring(&w, "criteria", o->criteria);
    channel_write(&w, o);
    ow_jw_end(&w);
    ow_assert(!b.failed);
    *ret = (struct ow_request){ .method = s ? "PUT" : "POST", .headers = h };
    ret->url = s ? ow_arena_printf(a, "%s/Subscription/%s", o->base_url, s->id)
                 : ow_arena_printf(a, "%s/Subscription", o->base_url);
    ret->body = ow_arena_strndup(a, ow_buf_cstr(&b), b.len);
    ret->body_len = b.len;
    ow_buf_done(&b);
    h[ret->n_headers++] = (struct ow_header){ "Content-Type", "application/fhir+json" };
    h[ret->n_headers++] = (struct ow_header){ "Accept", "application/fhir+json" };
    h[ret->n_headers++] = (struct ow_header){ "Prefer", "return=representation" };
    if (o->authorization)
        h[ret->n_headers++] = (struct ow_header){ "Authorization",
                                                  ow_arena_strdup(a, o->authorization) };
    if (s && s->version)
        h[ret->n_headers++] =
            (struct ow_header){ "If-Match", ow_arena_printf(a, "W/\"%s\"", s->version) };
}

void ow_subscription_create(struct ow_arena *a, const struct ow_subscription_options *o,
                            struct ow_request *ret)
{
    subscription_send(a, o, NULL, ret);
}

void ow_subscription_revive(struct ow_arena *a, const struct ow_subscription_options *o,
                            const struct ow_subscription *s, struct ow_request *ret)
{
    subscription_send(a, o, s, ret);
}

/* --- answers --- */

static enum ow_subscription_status status_of(const char *word)
{
    static const struct {
        const char *word;
        enum ow_subscription_status status;
    } words[] = {
        {"requested",         OW_SUBSCRIPTION_REQUESTED},
        { "active",           OW_SUBSCRIPTION_ACTIVE   },
        { "error",            OW_SUBSCRIPTION_ERROR    },
        { "off",              OW_SUBSCRIPTION_OFF      },
        { "entered-in-error", OW_SUBSCRIPTION_OFF      },
    };

    for (size_t i = 0; i < OW_LEN(words); i++) {
        if (ow_streq(word, words[i].word))
            return words[i].status;
    }
    return OW_SUBSCRIPTION_NONE;
}

static struct ow_subscription subscription_of(const cJSON *s)
{
    return (struct ow_subscription){
        .status = status_of(ow_json_string(s, "status")),
        .id = ow_json_string(s, "id"),
        .version = ow_json_string(ow_json_object(s, "meta"), "versionId"),
        .error = ow_json_string(s, "error"),
    };
}

/* Ours: the same endpoint and criteria. A server may have matched neither. */
static bool is_ours(const cJSON *s, const struct ow_subscription_options *o)
{
    return ow_streq(ow_json_string(s, "resourceType"), "Subscription") &&
           ow_streq(ow_json_string(s, "criteria"), o->criteria) &&
           ow_streq(ow_json_string(ow_json_object(s, "channel"), "endpoint"),
                    o->endpoint);
}

/* Of several of ours the best: active before requested before the rest, then the first.
 */
static void find_read(const cJSON *bundle, const struct ow_subscription_options *o,
                      struct ow_subscription *ret)
{
    static const int rank[] = { [OW_SUBSCRIPTION_NONE] = 0,
                                [OW_SUBSCRIPTION_OFF] = 1,
                                [OW_SUBSCRIPTION_ERROR] = 2,
                                [OW_SUBSCRIPTION_REQUESTED] = 3,
                                [OW_SUBSCRIPTION_ACTIVE] = 4 };
    const cJSON *c, *entries = ow_json_array(bundle, "entry");

    cJSON_ArrayForEach(c, entries)
    {
        const cJSON *s = ow_json_object(c, "resource");
        struct ow_subscription found;

        if (!is_ours(s, o))
            continue;
        found = subscription_of(s);
        if (found.id && rank[found.status] > rank[ret->status])
            *ret = found;
    }
}

/* The id of a create that sent no body: Location may be absolute, relative, versioned. */
static enum ow_code location_read(struct ow_arena *a, const struct ow_response *resp,
                                  struct ow_subscription *ret, struct ow_err *err)
{
    const char *v = ow_header_get(resp->headers, resp->n_headers, "Location");
    const char *ref;

    if (!v)
        v = ow_header_get(resp->headers, resp->n_headers, "Content-Location");
    ref = ow_reference_normal(a, v);
    if (!ref || !ow_starts_with(ref, "Subscription/"))
        return ow_err_set(err, OW_INPUT,
                          "the server's answer: expected a Subscription or its Location");
    ret->status = OW_SUBSCRIPTION_REQUESTED;
    ret->id = ref + strlen("Subscription/");
    return OW_OK;
}

enum ow_code ow_subscription_answer(struct ow_arena *a,
                                    const struct ow_subscription_options *o,
                                    const struct ow_response *resp,
                                    struct ow_subscription *ret, struct ow_err *err)
{
    struct ow_subscription s = { .status = OW_SUBSCRIPTION_NONE };
    enum ow_code code = ow_response_code(a, resp, err);
    const cJSON *root;
    const char *type;

    if (code == OW_MISSING) { /* gone, and that is an answer */
        *ret = s;
        return OW_OK;
    }
    if (code != OW_OK)
        return code;
    if (resp->body_len == 0) {
        code = location_read(a, resp, &s, err);
    } else {
        code = ow_response_json(a, resp, &root, err);
        type = code == OW_OK ? ow_json_string(root, "resourceType") : NULL;
        if (ow_streq(type, "Bundle"))
            find_read(root, o, &s);
        else if (ow_streq(type, "Subscription") && ow_json_string(root, "id"))
            s = subscription_of(root);
        else if (code == OW_OK)
            code = location_read(a, resp, &s, err);
    }
    if (code == OW_OK)
        *ret = s;
    return code;
}

/* --- notifications --- */

struct notices {
    struct ow_arena *arena;
    struct ow_notice *items;
    size_t n, cap;
    bool bundle;
};

static struct ow_notice *notice_add(struct notices *l)
{
    OW_ARENA_GROW(l->arena, l->items, l->n, l->cap);
    l->items[l->n] = (struct ow_notice){ 0 };
    return &l->items[l->n++];
}

static bool is_ours_type(const char *type)
{
    static const char *const types[] = { "MedicationRequest", "MedicationDispense",
                                         "MedicationStatement",
                                         "MedicationAdministration", "Patient" };

    for (size_t i = 0; i < OW_LEN(types); i++) {
        if (ow_streq(type, types[i]))
            return true;
    }
    return false;
}

/* Type/id into its parts. */
static void notice_name(struct notices *l, struct ow_notice *n, const char *ref)
{
    size_t len = strcspn(ref, "/");

    n->type = ow_arena_strndup(l->arena, ref, len);
    n->id = ow_arena_strdup(l->arena, ref + len + 1);
    n->ignored = !is_ours_type(n->type);
}

static const char *patient_of(struct ow_arena *a, const cJSON *resource)
{
    const cJSON *subject = ow_json_object(resource, "subject");
    const char *ref;

    if (ow_streq(ow_json_string(resource, "resourceType"), "Patient") &&
        ow_json_string(resource, "id"))
        return ow_arena_printf(a, "Patient/%s", ow_json_string(resource, "id"));
    if (!subject)
        subject = ow_json_object(resource, "patient");
    ref = ow_reference_normal(a, ow_json_string(subject, "reference"));
    return ref && ow_starts_with(ref, "Patient/") ? ref : NULL;
}

static void resource_notice(struct notices *l, const cJSON *resource)
{
    const char *type = ow_json_string(resource, "resourceType");
    const char *id = ow_json_string(resource, "id");
    struct ow_notice *n = notice_add(l);

    n->type = type;
    n->id = id;
    n->version = ow_json_string(ow_json_object(resource, "meta"), "versionId");
    n->patient = patient_of(l->arena, resource);
    n->ignored = !is_ours_type(type);
    n->hint = !n->ignored && !id; /* something of ours changed, it does not say what */
}

/* Focus references of a status resource: Parameters (R4) or SubscriptionStatus. */
static void parameters_notices(struct notices *l, const cJSON *status)
{
    const cJSON *c, *p, *list = ow_json_array(status, "parameter");

    cJSON_ArrayForEach(c, list)
    {
        const cJSON *parts = ow_json_array(c, "part");

        if (!ow_streq(ow_json_string(c, "name"), "notification-event"))
            continue;
        cJSON_ArrayForEach(p, parts)
        {
            const char *ref = ow_reference_normal(
                l->arena,
                ow_json_string(ow_json_object(p, "valueReference"), "reference"));

            if (ow_streq(ow_json_string(p, "name"), "focus") && ref)
                notice_name(l, notice_add(l), ref);
        }
    }
}

static void status_notices(struct notices *l, const cJSON *status)
{
    const cJSON *c, *list = ow_json_array(status, "notificationEvent");

    cJSON_ArrayForEach(c, list)
    {
        const char *ref = ow_reference_normal(
            l->arena, ow_json_string(ow_json_object(c, "focus"), "reference"));

        if (ref)
            notice_name(l, notice_add(l), ref);
    }
}

/* "handshake", "heartbeat", ... of a status resource, or NULL. */
static const char *status_type(const cJSON *status)
{
    const cJSON *c, *list = ow_json_array(status, "parameter");

    if (ow_json_string(status, "type"))
        return ow_json_string(status, "type");
    cJSON_ArrayForEach(c, list)
    {
        if (ow_streq(ow_json_string(c, "name"), "type"))
            return ow_json_string(c, "valueCode");
    }
    return NULL;
}

static void bare_entry_notice(struct notices *l, const cJSON *entry)
{
    const cJSON *request = ow_json_object(entry, "request");
    const char *method = ow_json_string(request, "method");
    const char *ref = ow_reference_normal(l->arena, ow_json_string(request, "url"));
    struct ow_notice *n;

    if (!ref)
        ref = ow_reference_normal(l->arena, ow_json_string(entry, "fullUrl"));
    if (!ref || ow_streq(method, "GET"))
        return;
    n = notice_add(l);
    notice_name(l, n, ref);
    n->deleted = ow_streq(method, "DELETE");
}

/* The same Type/id more than once in one delivery (focus and entry): once is enough. A
 * deletion and the fuller of two win. */
static void notices_fold(struct notices *l)
{
    size_t out = 0;

    for (size_t i = 0; i < l->n; i++) {
        struct ow_notice *same = NULL;

        for (size_t k = 0; k < out && k < 256 && !same; k++) {
            if (l->items[i].id && ow_streq(l->items[k].id, l->items[i].id) &&
                ow_streq(l->items[k].type, l->items[i].type))
                same = &l->items[k];
        }
        if (!same) {
            l->items[out++] = l->items[i];
            continue;
        }
        same->deleted |= l->items[i].deleted;
        if (!same->version)
            same->version = l->items[i].version;
        if (!same->patient)
            same->patient = l->items[i].patient;
    }
    l->n = out;
}

static void bundle_notices(struct notices *l, const cJSON *bundle)
{
    const cJSON *c, *entries = ow_json_array(bundle, "entry");
    const char *kind = NULL;
    bool status_seen = false;

    cJSON_ArrayForEach(c, entries)
    {
        const cJSON *r = ow_json_object(c, "resource");
        const char *type = ow_json_string(r, "resourceType");

        if (l->n >= NOTICES_MOST)
            break;
        if (!r) {
            bare_entry_notice(l, c);
        } else if (ow_streq(type, "SubscriptionStatus") || ow_streq(type, "Parameters")) {
            status_seen = true;
            kind = status_type(r);
            status_notices(l, r);
            parameters_notices(l, r);
        } else if (type) {
            resource_notice(l, r);
        }
    }
    notices_fold(l);
    /* an event without a name, or an empty Bundle: something changed, ask */
    if (l->n == 0 &&
        !(status_seen && (ow_streq(kind, "handshake") || ow_streq(kind, "heartbeat") ||
                          ow_streq(kind, "query-status"))))
        notice_add(l)->hint = true;
}

/* "/Type/id" behind the channel; false with an error when it is something else. */
static enum ow_code rest_read(struct ow_arena *a, const char *rest, const char **type,
                              const char **id, struct ow_err *err)
{
    const char *ref;

    *type = *id = NULL;
    if (!rest || !*rest || strcmp(rest, "/") == 0)
        return OW_OK;
    ref = ow_reference_normal(a, rest);
    if (!ref || strlen(ref) + 1 != strcspn(rest, "?") || strcmp(ref, rest + 1) != 0)
        return ow_err_set(err, OW_INPUT, "expected /Type/id behind the channel");
    *id = strchr(ref, '/') + 1;
    *type = ow_arena_strndup(a, ref, strcspn(ref, "/"));
    return OW_OK;
}

/* Medplum deletes with POST {} and says in headers what went. */
static bool header_delete(struct notices *l, const struct ow_request *req)
{
    const char *ref = ow_reference_normal(
        l->arena,
        ow_header_get(req->headers, req->n_headers, "X-Medplum-Deleted-Resource"));
    const char *how = ow_header_get(req->headers, req->n_headers,
                                    "X-Medplum-Interaction");
    struct ow_notice *n;

    if (!ref && !ow_streq(how, "delete"))
        return false;
    n = notice_add(l);
    if (ref)
        notice_name(l, n, ref);
    n->deleted = ref != NULL;
    n->hint = !ref;
    return true;
}

static enum ow_code body_read(struct notices *l, const struct ow_request *req,
                              const char *type, const char *id, struct ow_err *err)
{
    const cJSON *root;
    const char *body_type, *body_id;
    enum ow_code code = ow_json_parse(req->body, req->body_len, NULL, l->arena, &root,
                                      err);

    if (code != OW_OK)
        return code;
    if (!cJSON_IsObject(root))
        return ow_err_set(err, OW_INPUT, "expected a FHIR resource, a JSON object");
    body_type = ow_json_string(root, "resourceType");
    body_id = ow_json_string(root, "id");
    if (!body_type && !root->child) {
        if (!header_delete(l, req))
            notice_add(l)->hint = true;
        return OW_OK;
    }
    if (!body_type || !ow_reference_type_ok(body_type, strlen(body_type)))
        return ow_err_set(err, OW_INPUT, "expected a resource with its resourceType");
    if (type && (strcmp(type, body_type) != 0 || (body_id && strcmp(id, body_id) != 0)))
        return ow_err_set(err, OW_INPUT, "the path names another resource than the body");
    if (strcmp(body_type, "Bundle") == 0) {
        l->bundle = true;
        bundle_notices(l, root);
        return OW_OK;
    }
    if (body_id && !ow_reference_id_ok(body_id, strlen(body_id)))
        return ow_err_set(err, OW_INPUT, "id: expected a FHIR id");
    resource_notice(l, root);
    if (!body_id && id) {
        l->items[l->n - 1].id = id;
        l->items[l->n - 1].hint = false;
    }
    return OW_OK;
}

static bool is_blank(const struct ow_request *req)
{
    for (size_t i = 0; i < req->body_len; i++) {
        if (req->body[i] != ' ' && req->body[i] != '\r' && req->body[i] != '\n' &&
            req->body[i] != '\t')
            return false;
    }
    return true;
}

/* If-Match is a version hint: "3", W/"3"; anything else says nothing. */
static const char *version_hint(struct ow_arena *a, const struct ow_request *req)
{
    const char *v = ow_header_get(req->headers, req->n_headers, "If-Match"), *end;

    if (v && ow_starts_with(v, "W/"))
        v += 2;
    if (!v || *v != '"' || !(end = strchr(v + 1, '"')) || end == v + 1)
        return NULL;
    return ow_arena_strndup(a, v + 1, (size_t)(end - v - 1));
}

static enum ow_code notices_read(struct notices *l, const struct ow_request *req,
                                 const char *type, const char *id, struct ow_err *err)
{
    struct ow_notice *n;

    if (strcmp(req->method, "DELETE") != 0 && !is_blank(req))
        return body_read(l, req, type, id, err);
    if (strcmp(req->method, "DELETE") == 0 && !type)
        return ow_err_set(err, OW_INPUT, "expected /Type/id behind the channel");
    if (!type && header_delete(l, req))
        return OW_OK;
    n = notice_add(l);
    n->type = type;
    n->id = id;
    n->deleted = strcmp(req->method, "DELETE") == 0;
    n->hint = !type;
    n->ignored = type && !is_ours_type(type);
    return OW_OK;
}

enum ow_code ow_notification_read(struct ow_arena *a, const struct ow_request *req,
                                  const char *rest, struct ow_notification *ret,
                                  struct ow_err *err)
{
    struct notices l = { .arena = a };
    const char *type, *id;
    enum ow_code code = rest_read(a, rest, &type, &id, err);

    if (code == OW_OK)
        code = notices_read(&l, req, type, id, err);
    if (code != OW_OK)
        return code;
    if (type && l.n == 1 && !l.items[0].version)
        l.items[0].version = version_hint(a, req);
    *ret = (struct ow_notification){ .notices = l.items, .n = l.n, .bundle = l.bundle };
    return OW_OK;
}

/* --- catch-up --- */

void ow_catchup_request(struct ow_arena *a, const struct ow_subscription_options *o,
                        ow_time since, unsigned page_size, struct ow_request *ret)
{
    char at[OW_TIME_TEXT];
    const char *from = "", *type = o->criteria;
    size_t len = strcspn(type, "?");

    if (since > ow_civil_to_utc(&(struct ow_civil){ .year = 1970, .month = 1, .day = 1 }))
        from = ow_arena_printf(a, "_lastUpdated=ge%s&", ow_time_format(since, at));
    ow_get_request(a,
                   ow_arena_printf(a, "%s/%.*s?%s_sort=_lastUpdated&_count=%u",
                                   o->base_url, (int)len, type, from,
                                   page_size > 0 ? page_size : 200),
                   o->authorization, ret);
}

static void page_entry(struct notices *l, const cJSON *entry, ow_time *newest)
{
    const cJSON *r = ow_json_object(entry, "resource");
    const char *at;
    struct ow_span span;

    if (!r) {
        bare_entry_notice(l, entry);
        return;
    }
    if (ow_streq(ow_json_string(r, "resourceType"), "OperationOutcome"))
        return;
    resource_notice(l, r);
    at = ow_json_string(ow_json_object(r, "meta"), "lastUpdated");
    if (at && ow_time_parse(at, NULL, &span, NULL) == OW_OK && span.from > *newest)
        *newest = span.from;
}

/* An outcome among the entries: the page is not all that there is. */
static bool is_partial(const cJSON *entry)
{
    return ow_streq(ow_json_string(ow_json_object(entry, "search"), "mode"), "outcome") ||
           ow_streq(ow_json_string(ow_json_object(entry, "resource"), "resourceType"),
                    "OperationOutcome");
}

enum ow_code ow_catchup_answer(struct ow_arena *a,
                               const struct ow_subscription_options *o,
                               const struct ow_response *resp,
                               const struct ow_notice **ret, size_t *n, ow_time *newest,
                               const char **next, struct ow_err *err)
{
    struct notices l = { .arena = a };
    const cJSON *root, *c, *list;
    enum ow_code code = ow_response_bundle(a, resp, &root, err);
    ow_time seen = *newest;
    const char *link = NULL;

    if (code != OW_OK)
        return code;
    list = ow_json_array(root, "entry");
    cJSON_ArrayForEach(c, list)
    {
        if (is_partial(c) && ow_outcome_hurts(ow_json_object(c, "resource")))
            return ow_err_set(err, OW_AGAIN, "the server says the page is incomplete");
        page_entry(&l, c, &seen);
    }
    list = ow_json_array(root, "link");
    cJSON_ArrayForEach(c, list)
    {
        if (ow_streq(ow_json_string(c, "relation"), "next"))
            link = ow_json_string(c, "url");
    }
    if (link && !ow_url_same_origin(o->base_url, link))
        return ow_err_set(err, OW_INPUT,
                          "the next page is on another server, not followed");
    *ret = l.items;
    *n = l.n;
    *newest = seen;
    *next = link ? ow_url_absolute(a, o->base_url, link) : NULL;
    return OW_OK;
}
