#include "fhir/proposal.h"

#include <string.h>

#include "base/text.h"

static const char UCUM[] = "http://unitsofmeasure.org";

/* ---- giving back what came in ---- */

static bool fits(const cJSON *node, unsigned depth)
{
    if (depth == 0)
        return false;
    for (const cJSON *c = node->child; c; c = c->next)
        if (!fits(c, depth - 1))
            return false;
    return true;
}

bool ow_proposal_fits(const cJSON *resource)
{
    return fits(resource, OW_PROPOSAL_DEPTH);
}

static void echo(struct ow_jw *w, const cJSON *node)
{
    if (cJSON_IsString(node))
        ow_jw_string(w, node->valuestring);
    else if (cJSON_IsNumber(node)) /* its exact text */
        ow_jw_raw(w, node->valuestring, strlen(node->valuestring));
    else if (cJSON_IsBool(node))
        ow_jw_bool(w, cJSON_IsTrue(node));
    else if (cJSON_IsNull(node))
        ow_jw_null(w);
    else {
        if (cJSON_IsObject(node))
            ow_jw_object(w);
        else
            ow_jw_array(w);
        for (const cJSON *c = node->child; c; c = c->next) {
            if (cJSON_IsObject(node))
                ow_jw_key(w, c->string);
            echo(w, c);
        }
        ow_jw_end(w);
    }
}

/* The quantity in its own unit, with another value. */
static void quantity_write(struct ow_jw *w, const cJSON *quantity, int64_t value)
{
    ow_jw_kobject(w, "quantity");
    ow_jw_kint(w, "value", value);
    for (const cJSON *c = quantity->child; c; c = c->next) {
        if (ow_streq(c->string, "value") || ow_streq(c->string, "_value"))
            continue;
        ow_jw_key(w, c->string);
        echo(w, c);
    }
    ow_jw_end(w);
}

static void dispense_write(struct ow_jw *w, const cJSON *dispense, int64_t days,
                           int64_t quantity)
{
    ow_jw_object(w);
    for (const cJSON *c = dispense->child; c; c = c->next) {
        if (ow_streq(c->string, "quantity")) {
            quantity_write(w, c, quantity);
        } else if (!ow_streq(c->string, "expectedSupplyDuration")) {
            ow_jw_key(w, c->string);
            echo(w, c);
        }
    }
    ow_jw_kobject(w, "expectedSupplyDuration");
    ow_jw_kint(w, "value", days);
    ow_jw_kstring(w, "unit", days == 1 ? "day" : "days");
    ow_jw_kstring(w, "system", UCUM);
    ow_jw_kstring(w, "code", "d");
    ow_jw_end(w);
    ow_jw_end(w);
}

void ow_proposal_shorten(struct ow_jw *w, const cJSON *draft, int64_t days,
                         int64_t quantity)
{
    ow_jw_object(w);
    for (const cJSON *c = draft->child; c; c = c->next) {
        ow_jw_key(w, c->string);
        if (ow_streq(c->string, "dispenseRequest"))
            dispense_write(w, c, days, quantity);
        else
            echo(w, c);
    }
    ow_jw_end(w);
}

/* ---- something new ---- */

static void reference_write(struct ow_jw *w, const char *key, const char *reference)
{
    if (reference == NULL || *reference == '\0')
        return;
    ow_jw_kobject(w, key);
    ow_jw_kstring(w, "reference", reference);
    ow_jw_end(w);
}

static void coding_write(struct ow_jw *w, const char *system, const char *code,
                         const char *display)
{
    ow_jw_karray(w, "coding");
    ow_jw_object(w);
    ow_jw_kstring(w, "system", system);
    ow_jw_kstring(w, "code", code);
    ow_jw_kstring_opt(w, "display", display);
    ow_jw_end(w);
    ow_jw_end(w);
}

static void concept_write(struct ow_jw *w, const char *key, const struct ow_coding *c)
{
    ow_jw_kobject(w, key);
    coding_write(w, c->system, c->code, c->display);
    ow_jw_kstring_opt(w, "text", c->display);
    ow_jw_end(w);
}

static void reason_write(struct ow_jw *w, const struct ow_proposal *p)
{
    ow_jw_karray(w, "reasonCode");
    ow_jw_object(w);
    ow_jw_kstring(w, "text", p->reason);
    ow_jw_end(w);
    ow_jw_end(w);
}

/* The clinician who asks, when a clinician may order it. */
static void requester_write(struct ow_jw *w, const struct ow_verdict *v)
{
    if (v->prescriber != NULL && (ow_starts_with(v->prescriber, "Practitioner/") ||
                                  ow_starts_with(v->prescriber, "PractitionerRole/")))
        reference_write(w, "requester", v->prescriber);
}

static void medication_write(struct ow_jw *w, const struct ow_proposal *p)
{
    ow_jw_karray(w, "category");
    ow_jw_object(w);
    coding_write(w, "http://terminology.hl7.org/CodeSystem/medicationrequest-category",
                 "community", "Community");
    ow_jw_end(w);
    ow_jw_end(w);
    concept_write(w, "medicationCodeableConcept", &p->code);
    ow_jw_karray(w, "dosageInstruction");
    ow_jw_object(w);
    ow_jw_kstring(w, "text", p->directions);
    ow_jw_end(w);
    ow_jw_end(w);
    ow_jw_kobject(w, "dispenseRequest");
    ow_jw_kobject(w, "quantity");
    ow_jw_kint(w, "value", p->quantity);
    ow_jw_kstring(w, "unit", "spray");
    ow_jw_kstring(w, "system", UCUM);
    ow_jw_kstring(w, "code", "{spray}");
    ow_jw_end(w);
    ow_jw_end(w);
}

void ow_proposal_create(struct ow_jw *w, const struct ow_verdict *v,
                        const struct ow_proposal *p)
{
    bool task = ow_streq(p->type, "Task");
    char at[OW_TIME_TEXT];

    ow_jw_object(w);
    ow_jw_kstring(w, "resourceType", p->type);
    ow_jw_kstring(w, "status", "draft");
    ow_jw_kstring(w, "intent", task ? "proposal" : "order");
    if (task) {
        ow_jw_kstring(w, "description", p->text);
        reference_write(w, "focus", p->focus);
    } else if (ow_streq(p->type, "MedicationRequest")) {
        medication_write(w, p);
    } else {
        concept_write(w, "code", &p->code);
    }
    reference_write(w, task ? "for" : "subject", v->patient);
    reference_write(w, "encounter", v->encounter);
    ow_jw_kstring(w, "authoredOn", ow_time_format_date(v->at, v->zone, at));
    requester_write(w, v);
    if (task) {
        ow_jw_kobject(w, "reasonCode");
        ow_jw_kstring(w, "text", p->reason);
        ow_jw_end(w);
    } else {
        reason_write(w, p);
    }
    ow_jw_end(w);
}
