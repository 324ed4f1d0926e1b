/*
 * The first revision creates both resources where they are not there yet. A later one
 * updates the DetectedIssue, and creates the Task only where it is missing: by then a
 * person may have taken it up, and an update would undo that. The last one, when the
 * finding is gone, updates the DetectedIssue and cancels the Task, if it is still as we
 * left it.
 *
 * Everything in the bytes comes from the alert: identifiers from its key, fullUrls as
 * version 5 UUIDs of them, times from its own instant.
 */
#include "fhir/writeback.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/jw.h"
#include "fhir/json.h"
#include "fhir/outcome.h"
#include "fhir/reference.h"
#include "fhir/url.h"

enum { SHA256_SIZE = 32, SHA1_SIZE = 20, KEY_BYTES = 16 };

/* UUID version 5 of "opiward.org" in the DNS namespace */
static const uint8_t uuid_namespace[16] = { 0xba, 0xa3, 0x96, 0xd3, 0x1d, 0xad,
                                            0x5c, 0x9b, 0xb2, 0x1f, 0x7f, 0x03,
                                            0xf3, 0x7c, 0x22, 0x21 };

static void digest(const EVP_MD *md, const void *data, size_t n, const void *data2,
                   size_t n2, uint8_t *ret)
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    bool ok = c && EVP_DigestInit_ex(c, md, NULL) && EVP_DigestUpdate(c, data, n) &&
              EVP_DigestUpdate(c, data2, n2) && EVP_DigestFinal_ex(c, ret, NULL);

    EVP_MD_CTX_free(c);
    ow_assert(ok); /* only memory can run out */
}

void ow_sha256_hex(const void *data, size_t n, char ret[65])
{
    uint8_t sum[SHA256_SIZE];

    digest(EVP_sha256(), data, n, "", 0, sum);
    ow_hex(sum, sizeof sum, ret);
}

void ow_alert_key(const char *site, const char *patient, const char *rule,
                  const char *cause, int64_t episode, char ret[33])
{
    const char *parts[] = { site, patient, rule, cause };
    uint8_t sum[SHA256_SIZE];
    struct ow_buf b;

    ow_buf_init(&b, SIZE_MAX / 8);
    for (size_t i = 0; i < OW_LEN(parts); i++) /* the NULs keep them apart */
        ow_buf_add(&b, parts[i] ? parts[i] : "", parts[i] ? strlen(parts[i]) + 1 : 1);
    ow_buf_printf(&b, "%lld", (long long)episode);
    digest(EVP_sha256(), b.data, b.len, "", 0, sum);
    ow_buf_done(&b);
    ow_hex(sum, KEY_BYTES, ret);
}

void ow_uuid_of(const char *name, char ret[37])
{
    static const int groups[] = { 4, 2, 2, 2, 6 };
    uint8_t sum[SHA1_SIZE];
    size_t at = 0, out = 0;

    digest(EVP_sha1(), uuid_namespace, sizeof uuid_namespace, name, strlen(name), sum);
    sum[6] = (uint8_t)((sum[6] & 0x0f) | 0x50);
    sum[8] = (uint8_t)((sum[8] & 0x3f) | 0x80);
    for (size_t i = 0; i < OW_LEN(groups); i++) {
        if (i > 0)
            ret[out++] = '-';
        ow_hex(sum + at, (size_t)groups[i], ret + out);
        at += (size_t)groups[i];
        out += 2 * (size_t)groups[i];
    }
}

/* --- the transaction --- */

struct names {
    struct ow_buf task; /* identifier value of the Task */
    char issue_uuid[37], task_uuid[37];
};

static void names_init(struct names *n, const struct ow_writeback *w)
{
    struct ow_buf name;

    ow_buf_init(&n->task, 1024);
    ow_buf_printf(&n->task, "task-%s", w->key);
    ow_buf_init(&name, 4096);
    ow_buf_printf(&name, "%s|%s", w->identifier_system, w->key);
    ow_uuid_of(ow_buf_cstr(&name), n->issue_uuid);
    ow_buf_reset(&name);
    ow_buf_printf(&name, "%s|%s", w->identifier_system, ow_buf_cstr(&n->task));
    ow_uuid_of(ow_buf_cstr(&name), n->task_uuid);
    ow_buf_done(&name);
}

static void identifier_write(struct ow_jw *j, const struct ow_writeback *w,
                             const char *value)
{
    ow_jw_karray(j, "identifier");
    ow_jw_object(j);
    ow_jw_kstring(j, "system", w->identifier_system);
    ow_jw_kstring(j, "value", value);
    ow_jw_end(j);
    ow_jw_end(j);
}

static void reference_write(struct ow_jw *j, const char *key, const char *reference)
{
    if (key)
        ow_jw_kobject(j, key);
    else
        ow_jw_object(j);
    ow_jw_kstring(j, "reference", reference);
    ow_jw_end(j);
}

static void coding_write(struct ow_jw *j, const char *system, const char *code,
                         const char *display)
{
    ow_jw_object(j);
    ow_jw_kstring_opt(j, "system", system);
    ow_jw_kstring_opt(j, "code", code);
    ow_jw_kstring_opt(j, "display", display);
    ow_jw_end(j);
}

/* HL7 v3 ActCode of a rule, for systems that sort issues by it; NULL where none fits. */
static const char *act_code(const char *rule)
{
    static const struct {
        const char *rule, *code;
    } codes[] = {
        {"med-threshold",           "DOSEHIND"}, /* high dose */
        { "dose-escalation",        "DOSEHIND"},
        { "max-dose",               "DOSEHIND"},
        { "sedative-coprescribing", "DRG"     }, /* drug interaction */
        { "triple-combination",     "DRG"     },
        { "oud-treatment-conflict", "DRG"     },
        { "duplicate-opioid",       "DUPTHPY" }, /* duplicate therapy */
    };

    for (size_t i = 0; i < OW_LEN(codes); i++) {
        if (strcmp(rule, codes[i].rule) == 0)
            return codes[i].code;
    }
    return NULL;
}

static void code_write(struct ow_jw *j, const struct ow_writeback *w)
{
    const char *act = act_code(w->rule);
    bool topic = w->topic && w->topic->code && *w->topic->code;

    ow_jw_kobject(j, "code");
    if (act || topic) {
        ow_jw_karray(j, "coding");
        if (act)
            coding_write(j, "http://terminology.hl7.org/CodeSystem/v3-ActCode", act,
                         NULL);
        if (topic)
            coding_write(j, w->topic->system, w->topic->code, w->topic->display);
        ow_jw_end(j);
    }
    ow_jw_kstring(j, "text", w->rule);
    ow_jw_end(j);
}

static const char *severity_of(enum ow_tier t)
{
    return t == OW_TIER_CRITICAL ? "high" : t == OW_TIER_WARNING ? "moderate" : "low";
}

/* Only what is a reference on that server; a nameless resource cannot be pointed at. */
static void implicated_write(struct ow_jw *j, const struct ow_writeback *w)
{
    bool open = false;

    for (size_t i = 0; i < w->n_implicated; i++) {
        const char *r = w->implicated[i], *slash = r ? strchr(r, '/') : NULL;

        if (!slash || !ow_reference_type_ok(r, (size_t)(slash - r)) ||
            !ow_reference_id_ok(slash + 1, strlen(slash + 1)))
            continue;
        if (!open)
            ow_jw_karray(j, "implicated");
        open = true;
        reference_write(j, NULL, r);
    }
    if (open)
        ow_jw_end(j);
}

static void evidence_write(struct ow_jw *j, const struct ow_writeback *w)
{
    struct ow_buf b;

    if (!w->policy && !w->knowledge_sha256)
        return;
    ow_buf_init(&b, 4096);
    ow_buf_printf(&b, "policy %s%s%s, knowledge %s", w->policy ? w->policy : "-",
                  w->policy_version ? " " : "",
                  w->policy_version ? w->policy_version : "",
                  w->knowledge_sha256 ? w->knowledge_sha256 : "-");
    ow_jw_karray(j, "evidence");
    ow_jw_object(j);
    ow_jw_karray(j, "code");
    ow_jw_object(j);
    ow_jw_kstring(j, "text", ow_buf_cstr(&b));
    ow_jw_end(j);
    ow_jw_end(j);
    ow_jw_end(j);
    ow_jw_end(j);
    ow_buf_done(&b);
}

static void detail_write(struct ow_jw *j, const struct ow_writeback *w)
{
    struct ow_buf b;

    ow_buf_init(&b, SIZE_MAX / 8); /* `j` has the ceiling */
    ow_buf_str(&b, w->summary ? w->summary : w->rule);
    if (w->detail && *w->detail && !ow_streq(w->detail, w->summary))
        ow_buf_printf(&b, "\n\n%s", w->detail);
    ow_jw_kstring(j, "detail", ow_buf_cstr(&b));
    ow_buf_done(&b);
}

static void mitigation_write(struct ow_jw *j, const char *at)
{
    ow_jw_karray(j, "mitigation");
    ow_jw_object(j);
    ow_jw_kobject(j, "action");
    ow_jw_kstring(j, "text", "No longer found when the orders were read again");
    ow_jw_end(j);
    ow_jw_kstring(j, "date", at);
    ow_jw_end(j);
    ow_jw_end(j);
}

static void issue_write(struct ow_jw *j, const struct ow_writeback *w)
{
    char at[OW_TIME_TEXT];

    ow_time_format(w->identified, at);
    ow_jw_kobject(j, "resource");
    ow_jw_kstring(j, "resourceType", "DetectedIssue");
    identifier_write(j, w, w->key);
    ow_jw_kstring(j, "status", w->revision == 0 && !w->resolved ? "final" : "amended");
    code_write(j, w);
    ow_jw_kstring(j, "severity", severity_of(w->tier));
    reference_write(j, "patient", w->patient);
    ow_jw_kstring(j, "identifiedDateTime", at);
    implicated_write(j, w);
    evidence_write(j, w);
    detail_write(j, w);
    if (w->resolved)
        mitigation_write(j, at);
    ow_jw_end(j);
}

static void task_status_write(struct ow_jw *j, const struct ow_writeback *w)
{
    ow_jw_kstring(j, "status", w->resolved ? "cancelled" : "requested");
    if (w->resolved) {
        ow_jw_kobject(j, "statusReason");
        ow_jw_kstring(j, "text", "The finding is gone: nothing is left to review");
        ow_jw_end(j);
    }
    ow_jw_kstring(j, "intent", "order");
    ow_jw_kstring(j, "priority", w->tier == OW_TIER_CRITICAL ? "urgent" : "routine");
}

static void task_write(struct ow_jw *j, const struct ow_writeback *w,
                       const struct names *n)
{
    char at[OW_TIME_TEXT], focus[48] = "urn:uuid:";

    memcpy(focus + 9, n->issue_uuid, sizeof n->issue_uuid);
    ow_time_format(w->identified, at);
    ow_jw_kobject(j, "resource");
    ow_jw_kstring(j, "resourceType", "Task");
    identifier_write(j, w, ow_buf_cstr(&n->task));
    task_status_write(j, w);
    ow_jw_kobject(j, "code");
    ow_jw_kstring(j, "text", "Review an opioid safety alert");
    ow_jw_end(j);
    ow_jw_kstring(j, "description", w->summary && *w->summary ? w->summary : w->rule);
    reference_write(j, "focus", focus);
    reference_write(j, "for", w->patient);
    ow_jw_kstring(j, "authoredOn", at);
    ow_jw_kstring(j, "lastModified", at);
    if (w->owner && *w->owner)
        reference_write(j, "owner", w->owner);
    ow_jw_end(j);
}

/* fullUrl and request; `update` by identifier, else created where it is not there. */
static void request_write(struct ow_jw *j, const struct ow_writeback *w, const char *type,
                          const char *value, const char *uuid, bool update)
{
    char urn[48] = "urn:uuid:";
    struct ow_buf b;

    memcpy(urn + 9, uuid, 37);
    ow_jw_kstring(j, "fullUrl", urn);
    ow_buf_init(&b, 8192);
    if (update)
        ow_buf_printf(&b, "%s?", type);
    ow_buf_str(&b, "identifier=");
    ow_url_encode(&b, w->identifier_system);
    ow_buf_str(&b, "%7C");
    ow_url_encode(&b, value);
    ow_jw_kobject(j, "request");
    ow_jw_kstring(j, "method", update ? "PUT" : "POST");
    ow_jw_kstring(j, "url", update ? ow_buf_cstr(&b) : type);
    if (!update)
        ow_jw_kstring(j, "ifNoneExist", ow_buf_cstr(&b));
    ow_jw_end(j);
    ow_buf_done(&b);
}

void ow_writeback_bundle(const struct ow_writeback *w, struct ow_buf *out)
{
    bool first = w->revision == 0 && !w->resolved;
    struct names n;
    struct ow_jw j;

    names_init(&n, w);
    ow_jw_init(&j, out);
    ow_jw_object(&j);
    ow_jw_kstring(&j, "resourceType", "Bundle");
    ow_jw_kstring(&j, "type", "transaction");
    ow_jw_karray(&j, "entry");
    ow_jw_object(&j);
    request_write(&j, w, "DetectedIssue", w->key, n.issue_uuid, !first);
    issue_write(&j, w);
    ow_jw_end(&j);
    ow_jw_object(&j);
    request_write(&j, w, "Task", ow_buf_cstr(&n.task), n.task_uuid, w->resolved);
    task_write(&j, w, &n);
    ow_jw_end(&j);
    ow_jw_end(&j);
    ow_jw_end(&j);
    ow_buf_done(&n.task);
}

/* --- what comes back --- */

static enum ow_reply reply_of_status(int status)
{
    switch (status) {
    case 401:
    case 403:
        return OW_REPLY_DENIED;
    case 0: /* no answer */
    case 408:
    case 409: /* lost a race, perhaps against ourselves */
    case 412: /* several match the condition */
    case 423:
    case 425:
    case 429:
        return OW_REPLY_RETRY;
    case 501:
    case 505:
        return OW_REPLY_REFUSED;
    default:
        if (status >= 200 && status < 300)
            return OW_REPLY_DONE;
        return status >= 500 ? OW_REPLY_RETRY : OW_REPLY_REFUSED;
    }
}

static int entry_status(const cJSON *entry)
{
    const char *s = ow_json_string(ow_json_object(entry, "response"), "status");

    if (!s || strlen(s) < 3 || s[0] < '1' || s[0] > '5')
        return 200; /* says nothing */
    return (s[0] - '0') * 100 + (s[1] - '0') * 10 + (s[2] - '0');
}

/* A 200 may carry entries that failed, from servers that made a batch of it. */
static enum ow_reply reply_of_entries(struct ow_arena *a, const struct ow_response *resp,
                                      const char **text)
{
    const cJSON *root, *c, *entries;

    if (resp->body_len == 0 ||
        ow_json_parse(resp->body, resp->body_len, NULL, a, &root, NULL) != OW_OK)
        return OW_REPLY_DONE;
    entries = ow_json_array(root, "entry");
    cJSON_ArrayForEach(c, entries)
    {
        int status = entry_status(c);
        enum ow_reply r = reply_of_status(status);

        if (r != OW_REPLY_DONE) {
            *text = ow_arena_printf(a, "the server answered 200 with an entry of %d",
                                    status);
            return r;
        }
    }
    return OW_REPLY_DONE;
}

enum ow_reply ow_writeback_reply(struct ow_arena *a, const struct ow_response *resp,
                                 const char **text)
{
    enum ow_reply reply = reply_of_status(resp->status);
    const cJSON *root;
    const char *words = "";

    *text = "";
    if ((reply == OW_REPLY_DONE || resp->status == 404) && ow_response_is_markup(resp)) {
        *text = "the server answered with markup, perhaps a page of a proxy";
        return OW_REPLY_RETRY;
    }
    if (reply == OW_REPLY_DONE)
        return reply_of_entries(a, resp, text);
    if (resp->body_len > 0 &&
        ow_json_parse(resp->body, resp->body_len, NULL, a, &root, NULL) == OW_OK)
        words = ow_outcome_words(a, root);
    if (resp->status == 0)
        *text = "no answer";
    else
        *text = ow_arena_printf(a, "the server answered %d%s%s", resp->status,
                                *words ? ": " : "", words);
    return reply;
}

static void issue_search(struct ow_arena *a, const char *base_url, const char *system,
                         const char *key, const char *more, const char *authorization,
                         struct ow_request *ret)
{
    struct ow_buf b;

    ow_buf_init(&b, 16 * 1024);
    ow_buf_printf(&b, "%s/DetectedIssue?identifier=", base_url);
    ow_url_encode(&b, system);
    ow_buf_str(&b, "%7C");
    ow_url_encode(&b, key);
    ow_buf_str(&b, more);
    ow_get_request(a, ow_buf_cstr(&b), authorization, ret);
    ow_buf_done(&b);
}

void ow_writeback_probe(struct ow_arena *a, const char *base_url,
                        const char *identifier_system, const char *key,
                        const char *authorization, struct ow_request *ret)
{
    issue_search(a, base_url, identifier_system, key, "", authorization, ret);
}

/* --- what is there already? --- */

void ow_writeback_lookup(struct ow_arena *a, const char *base_url,
                         const char *identifier_system, const char *key,
                         const char *authorization, struct ow_request *ret)
{
    issue_search(a, base_url, identifier_system, key, "&_revinclude=Task:focus",
                 authorization, ret);
}

static bool has_identifier(const cJSON *resource, const char *system, const char *value)
{
    const cJSON *c, *list = ow_json_array(resource, "identifier");

    cJSON_ArrayForEach(c, list)
    {
        if (ow_streq(ow_json_string(c, "system"), system) &&
            ow_streq(ow_json_string(c, "value"), value))
            return true;
    }
    return false;
}

/* Shorter is lower, then the order of the characters: 9 before 10. */
static bool is_lower(const char *id, const char *than)
{
    size_t n = strlen(id), m;

    if (!than)
        return true;
    m = strlen(than);
    return n != m ? n < m : strcmp(id, than) < 0;
}

static void lookup_entry(const cJSON *r, const char *system, const char *key,
                         const char *task_key, struct ow_writeback_found *ret)
{
    const char *type = ow_json_string(r, "resourceType"), *id = ow_json_string(r, "id");
    const char *version = ow_json_string(ow_json_object(r, "meta"), "versionId");

    if (!id || !ow_reference_id_ok(id, strlen(id)))
        return;
    if (ow_streq(type, "DetectedIssue") && has_identifier(r, system, key)) {
        ret->n_issues++;
        if (is_lower(id, ret->issue)) {
            ret->issue = id;
            ret->issue_version = version;
        }
    } else if (ow_streq(type, "Task") && has_identifier(r, system, task_key) &&
               is_lower(id, ret->task)) {
        ret->task = id;
        ret->task_untouched = ow_streq(ow_json_string(r, "status"), "requested");
        ret->task_version = version;
    }
}

enum ow_code ow_writeback_lookup_answer(struct ow_arena *a,
                                        const struct ow_response *resp,
                                        const char *identifier_system, const char *key,
                                        struct ow_writeback_found *ret,
                                        struct ow_err *err)
{
    struct ow_writeback_found found = { 0 };
    const char *task_key = ow_arena_printf(a, "task-%s", key);
    const cJSON *root, *c, *entries;
    enum ow_code code = ow_response_bundle(a, resp, &root, err);

    if (code != OW_OK)
        return code;
    entries = ow_json_array(root, "entry");
    cJSON_ArrayForEach(c, entries)
    {
        lookup_entry(ow_json_object(c, "resource"), identifier_system, key, task_key,
                     &found);
    }
    *ret = found;
    return OW_OK;
}

/* Entry of `type`: the id into the resource, the condition in the request to the id. Our
 * own bytes are searched; a quote inside a string is escaped, so neither mark can stand
 * anywhere else. */
static void aim_entry(struct ow_buf *out, const char *type, const char *id,
                      const char *version)
{
    char mark[64];
    struct ow_buf b;
    const char *text = ow_buf_cstr(out), *at, *end;

    snprintf(mark, sizeof mark, "\"method\":\"PUT\",\"url\":\"%s?", type);
    at = id ? strstr(text, mark) : NULL;
    if (!at)
        return;
    at += strlen(mark) - 1;
    end = strchr(at, '"');
    ow_buf_init(&b, SIZE_MAX / 8);
    ow_buf_add(&b, text, (size_t)(at - text));
    ow_buf_printf(&b, "/%s", id);
    if (version && ow_reference_id_ok(version, strlen(version))) /* needs no escape */
        ow_buf_printf(&b, "\",\"ifMatch\":\"W/\\\"%s\\\"", version);
    snprintf(mark, sizeof mark, "\"resourceType\":\"%s\",", type);
    at = strstr(end, mark); /* the request stands before the resource */
    ow_assert(at);
    at += strlen(mark);
    ow_buf_add(&b, end, (size_t)(at - end));
    ow_buf_printf(&b, "\"id\":\"%s\",", id);
    ow_buf_str(&b, at);
    ow_buf_reset(out);
    ow_buf_add(out, b.data, b.len);
    ow_buf_done(&b);
}

/* The entry that updates the Task, the last one, goes. */
static void drop_task(struct ow_buf *out)
{
    static const char mark[] = "\"method\":\"PUT\",\"url\":\"Task?",
                      begin[] = ",{\"fullUrl\":";
    const char *text = ow_buf_cstr(out), *put = strstr(text, mark), *at = NULL;

    if (!put)
        return;
    for (const char *s = strstr(text, begin); s && s < put; s = strstr(s + 1, begin))
        at = s;
    ow_assert(at);
    out->len = (size_t)(at - text);
    ow_buf_str(out, "]}");
}

void ow_writeback_aim(const char *body, size_t len,
                      const struct ow_writeback_found *found, struct ow_buf *out)
{
    ow_buf_reset(out);
    ow_buf_add(out, body, len);
    aim_entry(out, "DetectedIssue", found->issue, found->issue_version);
    if (found->task && found->task_untouched)
        aim_entry(out, "Task", found->task, found->task_version);
    else
        drop_task(out);
}
