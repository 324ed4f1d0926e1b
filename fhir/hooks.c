#include "fhir/hooks.h"

#include <string.h>

#include "base/text.h"
#include "fhir/reference.h"

enum { TOKEN_MOST = 16 * 1024, SUGGESTIONS_MOST = 32 };

static const struct {
    const char *name;
    enum ow_hook hook;
} hooks[] = {
    {"patient-view",  OW_HOOK_PATIENT_VIEW},
    { "order-select", OW_HOOK_ORDER_SELECT},
    { "order-sign",   OW_HOOK_ORDER_SIGN  },
};

bool ow_hooks_looks_like(const cJSON *root)
{
    return cJSON_IsObject(root) && !ow_json_get(root, "resourceType") &&
           ow_json_get(root, "hook") &&
           (ow_json_get(root, "context") || ow_json_get(root, "hookInstance"));
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_uuid(const char *s)
{
    if (strlen(s) != 36)
        return false;
    for (int i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (dash ? s[i] != '-' : !is_hex(s[i]))
            return false;
    }
    return true;
}

static enum ow_code hook_name_read(const cJSON *root, const char *service,
                                   struct ow_hooks_request *ret, struct ow_err *err)
{
    const char *name = ow_json_string(root, "hook");
    const char *instance = ow_json_string(root, "hookInstance");

    if (!name)
        return ow_err_set(err, OW_INPUT, "hook: expected a string");
    ret->hook = OW_HOOK_NONE;
    for (size_t i = 0; i < OW_LEN(hooks); i++) {
        if (strcmp(name, hooks[i].name) == 0)
            ret->hook = hooks[i].hook;
    }
    if (ret->hook == OW_HOOK_NONE)
        return ow_err_set(err, OW_INPUT,
                          "hook: expected patient-view, order-select or order-sign");
    if (service && ow_hooks_service(service) != ret->hook)
        return ow_err_set(err, OW_INPUT, "hook: not the hook of this service");
    if (!instance || !is_uuid(instance))
        return ow_err_set(err, OW_INPUT, "hookInstance: expected a UUID");
    ret->hook_instance = instance;
    return OW_OK;
}

static bool is_token(const char *s)
{
    size_t n = strlen(s);

    for (size_t i = 0; i < n; i++) {
        if (s[i] <= 0x20 || s[i] >= 0x7f)
            return false;
    }
    return n > 0 && n <= TOKEN_MOST;
}

static enum ow_code server_read(struct ow_arena *a, const cJSON *root, bool allow_http,
                                struct ow_hooks_request *ret, struct ow_err *err)
{
    const cJSON *server = ow_json_get(root, "fhirServer");
    const cJSON *authorization = ow_json_get(root, "fhirAuthorization");
    const char *token, *type;

    if (cJSON_IsString(server))
        ret->fhir_server = server->valuestring;
    else if (server && !cJSON_IsNull(server))
        return ow_err_set(err, OW_INPUT, "fhirServer: expected a URL");
    if (ret->fhir_server && !ow_starts_with(ret->fhir_server, "https://") &&
        !(allow_http && ow_starts_with(ret->fhir_server, "http://")))
        return ow_err_set(err, OW_INPUT, "fhirServer: expected an https URL");
    if (!authorization || cJSON_IsNull(authorization))
        return OW_OK;
    if (!ret->fhir_server)
        return ow_err_set(err, OW_INPUT, "fhirServer: required with fhirAuthorization");
    token = ow_json_string(authorization, "access_token");
    type = ow_json_string(authorization, "token_type");
    if (!token || !is_token(token))
        return ow_err_set(err, OW_INPUT,
                          "fhirAuthorization.access_token: expected a token");
    if (type && !ow_strcaseeq(type, "Bearer"))
        return ow_err_set(err, OW_INPUT, "fhirAuthorization.token_type: expected Bearer");
    ret->authorization = ow_arena_printf(a, "Bearer %s", token);
    return OW_OK;
}

/* context.patientId is an id; some clients send a reference. */
static const char *patient_of(struct ow_arena *a, const char *id)
{
    const char *reference = ow_reference_normal(a, id);

    if (reference)
        return ow_starts_with(reference, "Patient/") ? reference : NULL;
    if (!ow_reference_id_ok(id, strlen(id)))
        return NULL;
    return ow_arena_printf(a, "Patient/%s", id);
}

static enum ow_code context_read(struct ow_arena *a, const cJSON *root,
                                 struct ow_hooks_request *ret, struct ow_err *err)
{
    const cJSON *context = ow_json_get(root, "context");
    const char *id = ow_json_string(context, "patientId");

    if (!cJSON_IsObject(context))
        return ow_err_set(err, OW_INPUT, "context: expected an object");
    if (!id)
        return ow_err_set(err, OW_INPUT, "context.patientId: expected a string");
    ret->patient = patient_of(a, id);
    if (!ret->patient)
        return ow_err_set(err, OW_INPUT, "context.patientId: expected a FHIR id");
    ret->user = ow_json_string(context, "userId");
    ret->encounter = ow_json_string(context, "encounterId");
    return OW_OK;
}

static enum ow_code drafts_read(const cJSON *root, bool lenient,
                                struct ow_hooks_request *ret, struct ow_err *err)
{
    const cJSON *context = ow_json_get(root, "context");
    const cJSON *drafts = ow_json_get(context, "draftOrders");
    const cJSON *selections = ow_json_array(context, "selections");
    enum ow_code code;

    if (ret->hook == OW_HOOK_PATIENT_VIEW || (lenient && !drafts))
        return OW_OK;
    if (!cJSON_IsObject(drafts))
        return ow_err_set(err, OW_INPUT,
                          "context.draftOrders: expected a Bundle of draft orders");
    if (ret->hook == OW_HOOK_ORDER_SIGN)
        selections = NULL; /* everything is being signed */
    else if (!selections && !lenient)
        return ow_err_set(err, OW_INPUT,
                          "context.selections: expected an array of references");
    code = ow_reader_add_drafts(ret->reader, drafts, selections, err);
    if (code != OW_OK)
        return ow_err_prefix(err, code, "context.draftOrders");
    return OW_OK;
}

/* --- prefetch --- */

struct prefetch {
    struct ow_arena *arena;
    struct ow_hooks_request *ret;
    struct ow_page *pages;
    size_t cap_pages;
    bool empty_orders; /* the client looked for orders and found none */
    bool failed_orders, paged_orders;
};

/* Does a key speak of something other than orders? Only asked when the value is empty. */
static bool key_is_other(const char *key)
{
    static const char *const words[] = { "patient", "cond",  "problem", "obs",  "lab",
                                         "enc",     "proc",  "care",    "disp", "allerg",
                                         "serv",    "cover", "practit", "user" };

    for (size_t i = 0; i < OW_LEN(words); i++) {
        if (ow_contains_folded(key, words[i]))
            return true;
    }
    return false;
}

static bool key_is_orders(const char *key)
{
    return ow_contains_folded(key, "med") || ow_contains_folded(key, "rx") ||
           ow_contains_folded(key, "order") || ow_contains_folded(key, "presc");
}

/* What an empty value was the search for, by the name of its key. A name that tells
 * nothing ("item5") may have been any of them. */
static unsigned kinds_of_key(const char *key)
{
    static const struct {
        const char *word;
        unsigned kinds;
    } words[] = {
        {"cond",     OW_KIND_CONDITION                  },
        { "problem", OW_KIND_CONDITION                  },
        { "diagn",   OW_KIND_CONDITION                  },
        { "obs",     OW_KIND_OBSERVATION                },
        { "lab",     OW_KIND_OBSERVATION                },
        { "screen",  OW_KIND_OBSERVATION                },
        { "proc",    OW_KIND_PROCEDURE                  },
        { "enc",     OW_KIND_ENCOUNTER                  },
        { "serv",    OW_KIND_SERVICE_REQUEST            },
        { "refer",   OW_KIND_SERVICE_REQUEST            },
        { "care",    OW_KIND_CARE_PLAN                  },
        { "disp",    OW_KIND_DISPENSE                   },
        { "consent", OW_KIND_CONSENT                    },
        { "docum",   OW_KIND_CONSENT                    },
        { "agree",   OW_KIND_CONSENT | OW_KIND_CARE_PLAN},
    };
    unsigned kinds = 0;

    for (size_t i = 0; i < OW_LEN(words); i++)
        if (ow_contains_folded(key, words[i].word))
            kinds |= words[i].kinds;
    if (kinds || key_is_other(key) || key_is_orders(key))
        return kinds;
    return OW_KIND_ALL;
}

/* The type that a Bundle was the search for, by its self link; NULL: it does not say. */
static const char *searched_type(struct ow_arena *arena, const cJSON *bundle)
{
    const cJSON *links = ow_json_array(bundle, "link"), *c;

    cJSON_ArrayForEach(c, links)
    {
        const char *url = ow_json_string(c, "url");
        const char *end = url ? strchr(url, '?') : NULL, *from = end;

        if (!end || !ow_streq(ow_json_string(c, "relation"), "self"))
            continue;
        while (from > url && from[-1] != '/')
            from--;
        return ow_arena_strndup(arena, from, (size_t)(end - from));
    }
    return NULL;
}

/* Kinds of the entries of a Bundle. */
static unsigned kinds_in(const cJSON *bundle)
{
    const cJSON *entries = ow_json_array(bundle, "entry"), *c;
    unsigned kinds = 0;

    cJSON_ArrayForEach(c, entries)
    {
        kinds |=
            ow_kind_of(ow_json_string(ow_json_object(c, "resource"), "resourceType"));
    }
    return kinds;
}

static bool is_empty_bundle(const cJSON *v)
{
    const cJSON *entries = ow_json_get(v, "entry");

    return ow_streq(ow_json_string(v, "resourceType"), "Bundle") &&
           (!entries || !entries->child);
}

static void page_add(struct prefetch *p, const char *url, unsigned kinds)
{
    OW_ARENA_GROW(p->arena, p->pages, p->ret->n_next_pages, p->cap_pages);
    p->pages[p->ret->n_next_pages++] = (struct ow_page){ url, kinds };
    p->paged_orders |= kinds == 0;
}

static void empty_read(struct prefetch *p, const char *type, const char *key)
{
    unsigned kinds = type ? ow_kind_of(type) : kinds_of_key(key);

    if (type ? ow_streq(type, "MedicationRequest")
             : !key_is_other(key) && (key_is_orders(key) || kinds == OW_KIND_ALL))
        p->empty_orders = true;
    p->ret->asked |= kinds;
}

static void bundle_read(struct prefetch *p, const cJSON *v, const char *key)
{
    const char *next = ow_reader_next_link(p->ret->reader);
    const char *type = searched_type(p->arena, v);
    unsigned kinds = kinds_in(v) | ow_kind_of(type);

    p->ret->asked |= kinds;
    if (next)
        page_add(p, next, kinds);
    else if (is_empty_bundle(v))
        empty_read(p, type, key);
}

static void resource_read(struct prefetch *p, const cJSON *v, const char *key)
{
    struct ow_reader *r = p->ret->reader;
    size_t before = ow_reader_n_missing(r);

    /* an unreadable value is in the reader's list of what is missing */
    (void)!ow_reader_add(r, v, NULL);
    if (ow_reader_n_missing(r) > before) {
        p->failed_orders |= key_is_orders(key);
        if (!ow_streq(ow_json_string(v, "resourceType"), "Bundle"))
            return;
    }
    if (ow_streq(ow_json_string(v, "resourceType"), "Bundle"))
        bundle_read(p, v, key);
    else
        p->ret->asked |= ow_kind_of(ow_json_string(v, "resourceType"));
}

static void value_read(struct prefetch *p, const cJSON *v)
{
    const char *key = v->string;
    const cJSON *c;

    if (cJSON_IsNull(v)) {
        empty_read(p, NULL, key);
    } else if (cJSON_IsArray(v)) {
        cJSON_ArrayForEach(c, v)
        {
            resource_read(p, c, key);
        }
    } else if (cJSON_IsObject(v) && !ow_json_get(v, "resourceType") &&
               ow_json_get(v, "resource")) {
        resource_read(p, ow_json_get(v, "resource"), key); /* the form of a batch entry */
    } else if (cJSON_IsObject(v) && !v->child) {
        empty_read(p, NULL, key); /* {}: found nothing */
    } else {
        resource_read(p, v, key);
    }
}

static enum ow_code prefetch_read(struct ow_arena *a, const cJSON *root,
                                  struct ow_hooks_request *ret, struct ow_err *err)
{
    const cJSON *prefetch = ow_json_get(root, "prefetch"), *c;
    struct prefetch p = { .arena = a, .ret = ret };
    bool orders;

    if (prefetch && !cJSON_IsObject(prefetch) && !cJSON_IsNull(prefetch))
        return ow_err_set(err, OW_INPUT, "prefetch: expected an object");
    for (c = prefetch ? prefetch->child : NULL; c; c = c->next)
        value_read(&p, c);
    if (ow_arena_full(a))
        return ow_err_set(err, OW_INPUT, "the prefetch needs more memory than the limit");
    orders = ow_reader_has(ret->reader, "MedicationRequest") ||
             ow_reader_has(ret->reader, "MedicationStatement");
    ret->no_prefetch = !prefetch || !prefetch->child;
    ret->lacks_patient = !ow_reader_has(ret->reader, "Patient");
    ret->lacks_orders = p.failed_orders || p.paged_orders ||
                        (!orders &&
                         (!p.empty_orders || ow_reader_n_missing(ret->reader) > 0));
    ret->pages = p.pages;
    ret->pages_suffice = orders && p.paged_orders && !p.failed_orders;
    return OW_OK;
}

enum ow_code ow_hooks_read_json(struct ow_arena *a, const cJSON *root,
                                const char *service, enum ow_hook as, bool allow_http,
                                const struct ow_zone *zone, struct ow_hooks_request *ret,
                                struct ow_err *err)
{
    struct ow_hooks_request req = { 0 };
    struct ow_reader_options opt = { .zone = zone };
    enum ow_code code;

    if (!cJSON_IsObject(root))
        return ow_err_set(err, OW_INPUT, "expected a CDS Hooks request, a JSON object");
    code = hook_name_read(root, service, &req, err);
    if (code == OW_OK)
        code = server_read(a, root, allow_http, &req, err);
    if (code == OW_OK)
        code = context_read(a, root, &req, err);
    if (code != OW_OK)
        return code;
    if (as != OW_HOOK_NONE)
        req.hook = as;
    opt.patient = req.patient;
    opt.hook = req.hook;
    req.reader = ow_reader_new(a, &opt);
    code = prefetch_read(a, root, &req, err);
    if (code == OW_OK)
        code = drafts_read(root, as != OW_HOOK_NONE, &req, err);
    if (code == OW_OK)
        *ret = req;
    return code;
}

enum ow_code ow_hooks_read(struct ow_arena *a, const char *body, size_t len,
                           const char *service, bool allow_http,
                           const struct ow_zone *zone, struct ow_hooks_request *ret,
                           struct ow_err *err)
{
    const cJSON *root;
    enum ow_code code = ow_json_parse(body, len, NULL, a, &root, err);

    if (code != OW_OK)
        return code;
    return ow_hooks_read_json(a, root, service, OW_HOOK_NONE, allow_http, zone, ret, err);
}

/* --- feedback --- */

static const char *suggestion_ids(struct ow_arena *a, const cJSON *list)
{
    const char *ids = NULL;
    const cJSON *c;

    cJSON_ArrayForEach(c, list)
    {
        const char *id = ow_json_string(c, "id");

        if (id)
            ids = ow_arena_printf(a, "%s%s%s", ids ? ids : "", ids ? "," : "", id);
    }
    return ids;
}

static enum ow_code feedback_one(struct ow_arena *a, const cJSON *f, int i,
                                 struct ow_hooks_feedback *ret, struct ow_err *err)
{
    const cJSON *accepted = ow_json_array(f, "acceptedSuggestions");
    const cJSON *override = ow_json_object(f, "overrideReason");
    const cJSON *reason = ow_json_object(override, "reason");
    const char *at = ow_json_string(f, "outcomeTimestamp");
    struct ow_span span;

    ret->card = ow_json_string(f, "card");
    ret->outcome = ow_json_string(f, "outcome");
    if (!ow_streq(ret->outcome, "accepted") && !ow_streq(ret->outcome, "overridden"))
        return ow_err_set(err, OW_INPUT,
                          "feedback[%d].outcome: expected accepted or overridden", i);
    if (strcmp(ret->outcome, "accepted") == 0 && (!accepted || !accepted->child))
        return ow_err_set(err, OW_INPUT,
                          "feedback[%d].acceptedSuggestions: required with accepted", i);
    if (override && !reason && !ow_json_string(override, "userComment"))
        return ow_err_set(err, OW_INPUT,
                          "feedback[%d].overrideReason: expected a reason or a comment",
                          i);
    ret->suggestions = suggestion_ids(a, accepted);
    ret->reason_code = ow_json_string(reason, "code");
    ret->reason_system = ow_json_string(reason, "system");
    if (at && ow_time_parse(at, NULL, &span, NULL) != OW_OK)
        return ow_err_set(err, OW_INPUT, "feedback[%d].outcomeTimestamp: expected a time",
                          i);
    ret->has_at = at != NULL;
    ret->at = at ? span.from : 0;
    return OW_OK;
}

enum ow_code ow_hooks_read_feedback(struct ow_arena *a, const char *body, size_t len,
                                    const struct ow_hooks_feedback **ret, size_t *n,
                                    struct ow_err *err)
{
    const cJSON *root, *list, *c;
    struct ow_hooks_feedback *items = NULL;
    size_t count = 0, cap = 0;
    enum ow_code code = ow_json_parse(body, len, NULL, a, &root, err);

    if (code != OW_OK)
        return code;
    list = ow_json_array(root, "feedback");
    if (!list)
        return ow_err_set(err, OW_INPUT, "feedback: expected an array");
    cJSON_ArrayForEach(c, list)
    {
        if (!cJSON_IsObject(c))
            return ow_err_set(err, OW_INPUT, "feedback[%zu]: expected an object", count);
        OW_ARENA_GROW(a, items, count, cap);
        code = feedback_one(a, c, (int)count, &items[count], err);
        if (code != OW_OK)
            return code;
        count++;
    }
    *ret = items;
    *n = count;
    return OW_OK;
}
