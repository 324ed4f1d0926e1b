#include "daemon/kinds.h"

#include "daemon/log.h"
#include "daemon/metrics.h"

enum {
    REFUSED_MS = 15 * 60 * 1000,
    LOST_MS = 30 * 1000,
    LOST_MOST = 3, /* in a row */
};

uint32_t ow_kinds_skip(const struct ow_kinds *k, int64_t now_mono)
{
    uint32_t skip = 0;

    for (unsigned i = 0; i < OW_KINDS_TYPES; i++)
        if (k->of[i].skip_until > now_mono)
            skip |= 1u << i;
    return skip;
}

static void note_refused(struct ow_kind_memory *m, const char *type, int64_t now_mono)
{
    ow_metric_add(OW_M_fhir_kinds_refused_total, 1);
    m->skip_until = now_mono + REFUSED_MS;
    if (!m->refused)
        OW_LOG(OW_WARNING, "fetch.kind-refused",
               "the FHIR server refuses a search: what depends on it stays undecided",
               OW_F("type", type));
    m->refused = true;
}

static void note_lost(struct ow_kind_memory *m, const char *type, int64_t now_mono)
{
    ow_metric_add(OW_M_fhir_kinds_lost_total, 1);
    if (++m->lost < LOST_MOST)
        return;
    m->lost = 0;
    m->skip_until = now_mono + LOST_MS;
    OW_LOG(OW_WARNING, "fetch.kind-lost",
           "the FHIR server fails a search again and again: judged without it",
           OW_F("type", type), OW_F_INT("pause_ms", LOST_MS));
}

static void note_answered(struct ow_kind_memory *m, const char *type)
{
    m->lost = 0;
    if (m->refused)
        OW_LOG(OW_INFO, "fetch.kind-answered", "the FHIR server answers a search again",
               OW_F("type", type));
    m->refused = false;
}

void ow_kinds_note(struct ow_kinds *k, const struct ow_search *s, int64_t now_mono)
{
    struct ow_search_types t = ow_search_types(s);
    const char *type;

    for (unsigned i = 0; i < OW_KINDS_TYPES && (type = ow_search_type(i)); i++) {
        if (t.refused & 1u << i)
            note_refused(&k->of[i], type, now_mono);
        else if (t.lost & 1u << i)
            note_lost(&k->of[i], type, now_mono);
        else if (t.answered & 1u << i)
            note_answered(&k->of[i], type);
    }
}
