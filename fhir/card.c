/*
 * Cards, response, discovery and OperationOutcome: what goes back to a CDS Hooks client.
 * CDS Hooks forbids null, "", [] and {} outside `cards`, so every optional member is
 * written only when it says something.
 */
#include <string.h>

#include "base/jw.h"
#include "base/text.h"
#include "fhir/hooks.h"
#include "fhir/proposal.h"
#include "fhir/writeback.h"

enum { SUMMARY_MOST = 139 }; /* UTF-16 units */

static const struct {
    enum ow_hook hook;
    const char *id, *name, *title, *description;
} services[] = {
    {OW_HOOK_PATIENT_VIEW,  "opiward-patient-view", "patient-view",
     "Opioid dose on opening the chart",         "Adds up MME per day over the active orders and names sedatives taken beside them."},
    { OW_HOOK_ORDER_SELECT, "opiward-order-select", "order-select",
     "Opioid dose and sedatives while ordering", "Adds up MME per day over active and draft orders and looks at the selected ones." },
    { OW_HOOK_ORDER_SIGN,   "opiward-order-sign",   "order-sign",
     "Opioid dose and sedative check",           "Adds up MME per day over active and draft orders and warns of sedative "
      "co-prescribing."                                                                       },
};

enum ow_hook ow_hooks_service(const char *id)
{
    for (size_t i = 0; i < OW_LEN(services); i++) {
        if (ow_streq(id, services[i].id))
            return services[i].hook;
    }
    return OW_HOOK_NONE;
}

static void prefetch_write(struct ow_jw *w)
{
    static const struct {
        const char *key, *query;
    } list[] = {
        {"patient",          "Patient/{{context.patientId}}"                   },
        { "medications",
         "MedicationRequest?patient={{context.patientId}}&status=active,on-hold"
          "&_include=MedicationRequest:medication"                             },
        { "orders",          "MedicationRequest?patient={{context.patientId}}" },
        { "dispenses",       "MedicationDispense?patient={{context.patientId}}"},
        { "conditions",      "Condition?patient={{context.patientId}}"         },
        { "observations",    "Observation?patient={{context.patientId}}"       },
        { "procedures",      "Procedure?patient={{context.patientId}}"         },
        { "encounters",      "Encounter?patient={{context.patientId}}"         },
        { "serviceRequests", "ServiceRequest?patient={{context.patientId}}"    },
        { "carePlans",       "CarePlan?patient={{context.patientId}}"          },
        { "consents",        "Consent?patient={{context.patientId}}"           },
    };

    ow_jw_kobject(w, "prefetch");
    for (size_t i = 0; i < OW_LEN(list); i++)
        ow_jw_kstring(w, list[i].key, list[i].query);
    ow_jw_end(w);
}

void ow_hooks_discovery(struct ow_buf *out)
{
    struct ow_jw w;

    ow_jw_init(&w, out);
    ow_jw_object(&w);
    ow_jw_karray(&w, "services");
    for (size_t i = 0; i < OW_LEN(services); i++) {
        ow_jw_object(&w);
        ow_jw_kstring(&w, "id", services[i].id);
        ow_jw_kstring(&w, "hook", services[i].name);
        ow_jw_kstring(&w, "title", services[i].title);
        ow_jw_kstring(&w, "description", services[i].description);
        ow_jw_kstring(&w, "version", "2.0.0");
        ow_jw_kstring(&w, "usageRequirements",
                      "Needs the medication orders by prefetch or by access to "
                      "the FHIR server; without them it answers 412.");
        prefetch_write(&w);
        ow_jw_end(&w);
    }
    ow_jw_end(&w);
    ow_jw_end(&w);
}

/* --- a card --- */

/* A card's summary is under 140 UTF-16 units: a longer one is cut before a character and
 * ends in an ellipsis. */
static void summary_write(struct ow_jw *w, const char *s)
{
    size_t n = strlen(s), units = 0, cut = 0;

    for (size_t i = 0; i < n;) {
        size_t len = ow_utf8_len(s + i, n - i);

        if (len == 0)
            len = 1;
        units += len == 4 ? 2 : 1;
        i += len;
        if (units <= SUMMARY_MOST - 1)
            cut = i;
    }
    ow_jw_key(w, "summary");
    if (units <= SUMMARY_MOST) {
        ow_jw_string(w, s);
    } else {
        char text[SUMMARY_MOST * 4 + 4];

        memcpy(text, s, cut);
        memcpy(text + cut, "\xe2\x80\xa6", 4); /* with its NUL */
        ow_jw_string(w, text);
    }
}

static void coding_members(struct ow_jw *w, const struct ow_coding *c)
{
    ow_jw_kstring_opt(w, "system", c->system);
    ow_jw_kstring_opt(w, "code", c->code);
    ow_jw_kstring_opt(w, "display", c->display);
}

static void source_write(struct ow_jw *w, const struct ow_card *c)
{
    ow_jw_kobject(w, "source");
    ow_jw_kstring(w, "label",
                  c->source_label && *c->source_label ? c->source_label : "opiward");
    ow_jw_kstring_opt(w, "url", c->source_url);
    if (c->topic.code && *c->topic.code) {
        ow_jw_kobject(w, "topic");
        coding_members(w, &c->topic);
        ow_jw_end(w);
    }
    ow_jw_end(w);
}

static void uuid_write(struct ow_jw *w, const char *name)
{
    char uuid[37];

    ow_uuid_of(name, uuid);
    ow_jw_kstring(w, "uuid", uuid);
}

static void resource_write(struct ow_jw *w, const struct ow_verdict *v,
                           const struct ow_action *a)
{
    switch (a->type) {
    case OW_ACTION_DELETE:
        ow_jw_kstring(w, "resourceId", a->resource_id);
        break;
    case OW_ACTION_UPDATE:
        ow_jw_key(w, "resource");
        ow_proposal_shorten(w, a->order->raw, a->days, a->quantity);
        break;
    case OW_ACTION_CREATE:
        ow_jw_key(w, "resource");
        ow_proposal_create(w, v, a->proposal);
        break;
    }
}

static const char *action_name(enum ow_action_type type)
{
    return type == OW_ACTION_CREATE   ? "create"
           : type == OW_ACTION_UPDATE ? "update"
                                      : "delete";
}

static void actions_write(struct ow_jw *w, const struct ow_verdict *v,
                          const struct ow_suggestion *s)
{
    if (s->n_actions == 0)
        return;
    ow_jw_karray(w, "actions");
    for (size_t i = 0; i < s->n_actions; i++) {
        const struct ow_action *a = &s->actions[i];

        ow_jw_object(w);
        ow_jw_kstring(w, "type", action_name(a->type));
        ow_jw_kstring(w, "description",
                      a->description && *a->description ? a->description : s->label);
        resource_write(w, v, a);
        ow_jw_end(w);
    }
    ow_jw_end(w);
}

/* What the suggestion would do, so that an answer that comes later tells what was done.
 */
static const char *suggestion_name(const struct ow_suggestion *s)
{
    const struct ow_action *a = s->actions;

    if (s->n_actions == 0)
        return s->label;
    switch (a->type) {
    case OW_ACTION_DELETE:
        return a->resource_id;
    case OW_ACTION_UPDATE:
        return a->order->reference;
    default:
        return a->proposal->code.code ? a->proposal->code.code : a->proposal->type;
    }
}

static void suggestions_write(struct ow_jw *w, const struct ow_verdict *v,
                              const struct ow_card *c)
{
    struct ow_buf name;

    if (c->n_suggestions == 0)
        return;
    ow_buf_init(&name, (size_t)64 * 1024);
    ow_jw_karray(w, "suggestions");
    for (size_t i = 0; i < c->n_suggestions; i++) {
        const struct ow_suggestion *s = &c->suggestions[i];

        ow_buf_reset(&name);
        ow_buf_printf(&name, "%s/%s/%s", c->key,
                      s->n_actions ? action_name(s->actions->type) : "suggestion",
                      suggestion_name(s));
        ow_jw_object(w);
        ow_jw_kstring(w, "label", s->label);
        uuid_write(w, ow_buf_cstr(&name));
        if (s->recommended)
            ow_jw_kbool(w, "isRecommended", true);
        actions_write(w, v, s);
        ow_jw_end(w);
    }
    ow_jw_end(w);
    ow_buf_done(&name);
    ow_jw_kstring(w, "selectionBehavior", c->any ? "any" : "at-most-one");
}

static void overrides_write(struct ow_jw *w, const struct ow_card *c)
{
    if (c->n_override_reasons == 0)
        return;
    ow_jw_karray(w, "overrideReasons");
    for (size_t i = 0; i < c->n_override_reasons; i++) {
        struct ow_coding reason = c->override_reasons[i];

        if (!reason.display || !*reason.display)
            reason.display = reason.code; /* display is required */
        ow_jw_object(w);
        coding_members(w, &reason);
        ow_jw_end(w);
    }
    ow_jw_end(w);
}

static void links_write(struct ow_jw *w, const struct ow_card *c)
{
    if (c->n_links == 0)
        return;
    ow_jw_karray(w, "links");
    for (size_t i = 0; i < c->n_links; i++) {
        ow_jw_object(w);
        ow_jw_kstring(w, "label", c->links[i].label);
        ow_jw_kstring(w, "url", c->links[i].url);
        ow_jw_kstring(w, "type", "absolute");
        ow_jw_end(w);
    }
    ow_jw_end(w);
}

static void extension_write(struct ow_jw *w, const struct ow_card *c)
{
    bool med = c->med_text && *c->med_text;

    if (c->n_related == 0 && !med)
        return;
    ow_jw_kobject(w, "extension");
    ow_jw_kobject(w, "org.opiward.orders");
    if (c->n_related > 0) {
        ow_jw_karray(w, "relatedOrders");
        for (size_t i = 0; i < c->n_related; i++)
            ow_jw_string(w, c->related[i]);
        ow_jw_end(w);
    }
    if (med)
        ow_jw_kstring(w, "medPerDay", c->med_text);
    ow_jw_end(w);
    ow_jw_end(w);
}

void ow_hooks_card(struct ow_jw *w, const struct ow_verdict *v,
                   const struct ow_card *card)
{
    ow_jw_object(w);
    uuid_write(w, card->key);
    summary_write(w, card->summary);
    ow_jw_kstring(w, "indicator", ow_tier_name(card->indicator));
    ow_jw_kstring_opt(w, "detail", card->detail);
    source_write(w, card);
    suggestions_write(w, v, card);
    overrides_write(w, card);
    links_write(w, card);
    extension_write(w, card);
    ow_jw_end(w);
}

void ow_hooks_response(const struct ow_verdict *v, struct ow_buf *out)
{
    struct ow_jw w;

    ow_jw_init(&w, out);
    ow_jw_object(&w);
    ow_jw_karray(&w, "cards");
    for (size_t i = 0; i < v->n_cards; i++)
        ow_hooks_card(&w, v, &v->cards[i]);
    ow_jw_end(&w);
    ow_jw_end(&w);
}

void ow_operation_outcome(struct ow_buf *out, const char *code, const char *text)
{
    struct ow_jw w;

    ow_jw_init(&w, out);
    ow_jw_object(&w);
    ow_jw_kstring(&w, "resourceType", "OperationOutcome");
    ow_jw_karray(&w, "issue");
    ow_jw_object(&w);
    ow_jw_kstring(&w, "severity", "error");
    ow_jw_kstring(&w, "code", code);
    if (text && *text) {
        ow_jw_kobject(&w, "details");
        ow_jw_kstring(&w, "text", text);
        ow_jw_end(&w);
    }
    ow_jw_end(&w);
    ow_jw_end(&w);
    ow_jw_end(&w);
}
