#include "daemon/told.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/memory.h"
#include "base/text.h"
#include "daemon/log.h"
#include "daemon/metrics.h"
#include "daemon/told_set.h"
#include "fhir/report.h"
#include "fhir/writeback.h"

enum { BUCKETS = 4096, ROWS_MEMORY = 1 << 20, RECORD_MAX = 4 << 20 };

struct entry {                   /* one patient */
    struct entry *next;          /* of the bucket */
    struct entry *newer, *older; /* by last use */
    struct ow_arena arena;
    char *patient;
    const struct ow_told *told;
    size_t n;
};

struct ow_told_wait {
    struct ow_told_wait *next;
    struct ow_told_memory *memory;
    char *patient;
    void (*fn)(void *arg); /* NULL: canceled */
    void *arg;
    bool stale; /* something was told or answered since it was asked */
};

struct ow_told_memory {
    struct ow_core *core;
    struct entry *buckets[BUCKETS];
    struct entry *newest, *oldest;
    size_t n;
    struct ow_told_wait *waits;
    struct ow_told_set set; /* patients with rows in the store */
    bool set_whole;         /* it holds those from before the start too */
    uint8_t key[16];
    bool keyed;
};

/* --- the table --- */

static uint64_t hash_of(struct ow_told_memory *m, const char *patient)
{
    if (!m->keyed) { /* patients' ids come from outside */
        uint64_t key[2] = { ow_random(m->core->world), ow_random(m->core->world) };

        memcpy(m->key, key, sizeof m->key);
        m->keyed = true;
    }
    return ow_siphash(m->key, patient, strlen(patient));
}

static struct entry **bucket_of(struct ow_told_memory *m, const char *patient)
{
    return &m->buckets[hash_of(m, patient) % BUCKETS];
}

static void use_end(struct ow_told_memory *m, struct entry *e)
{
    *(e->newer ? &e->newer->older : &m->newest) = e->older;
    *(e->older ? &e->older->newer : &m->oldest) = e->newer;
}

static void use_begin(struct ow_told_memory *m, struct entry *e)
{
    e->newer = NULL;
    e->older = m->newest;
    *(m->newest ? &m->newest->newer : &m->oldest) = e;
    m->newest = e;
}

static struct entry *entry_find(struct ow_told_memory *m, const char *patient)
{
    struct entry *e = *bucket_of(m, patient);

    while (e && strcmp(e->patient, patient) != 0)
        e = e->next;
    return e;
}

static void entry_unlink(struct ow_told_memory *m, struct entry *e)
{
    struct entry **at = bucket_of(m, e->patient);

    while (*at != e)
        at = &(*at)->next;
    *at = e->next;
    use_end(m, e);
    m->n--;
}

static void entry_free(struct entry *e)
{
    ow_arena_done(&e->arena);
    free(e);
}

static void entry_drop(struct ow_told_memory *m, struct entry *e)
{
    entry_unlink(m, e);
    entry_free(e);
}

static struct entry *entry_new(struct ow_told_memory *m, const char *patient)
{
    struct entry *e = ow_alloc_zero(sizeof *e), **at = bucket_of(m, patient);

    if (m->n == OW_TOLD_PATIENTS)
        entry_drop(m, m->oldest);
    ow_arena_init(&e->arena, ROWS_MEMORY);
    e->patient = ow_arena_strdup(&e->arena, patient);
    e->next = *at;
    *at = e;
    use_begin(m, e);
    m->n++;
    return e;
}

/* --- rows --- */

static bool ratio_of(const char *text, struct ow_ratio *ret)
{
    const char *slash = text ? strchr(text, '/') : NULL;
    int64_t num, den;
    char head[32];

    if (!slash || (size_t)(slash - text) >= sizeof head)
        return false;
    snprintf(head, sizeof head, "%.*s", (int)(slash - text), text);
    return ow_parse_i64(head, &num) && ow_parse_i64(slash + 1, &den) && den > 0 &&
           ow_ratio_make(num, den, ret);
}

static struct ow_told told_of_row(struct ow_arena *arena, const struct ow_zone *zone,
                                  const struct ow_told_row *r)
{
    struct ow_told t = {
        .rule = ow_arena_strdup(arena, r->rule),
        .cause = ow_arena_strdup(arena, r->cause),
        .tier = (enum ow_tier)r->tier,
        .at = r->at,
        .prescriber = ow_arena_strdup(arena, r->prescriber),
        .encounter = ow_arena_strdup(arena, r->encounter),
        .prescribers = ow_arena_strdup(arena, r->prescribers),
        .classes = ow_arena_strdup(arena, r->classes),
        .hook = (enum ow_hook)r->hook,
        .instance = ow_arena_strdup(arena, r->instance),
        .card = ow_arena_strdup(arena, r->card),
    };

    t.has_med = ratio_of(r->med, &t.med);
    if (ow_streq(r->outcome, "accepted"))
        t.answer = OW_ANSWER_ACCEPTED;
    if (ow_streq(r->outcome, "overridden"))
        t.answer = OW_ANSWER_OVERRIDDEN;
    t.answer_code = ow_arena_strdup(arena, r->reason_code);
    t.has_until = ow_memory_snooze(r->reason_code, zone, r->answered, &t.until);
    return t;
}

const struct ow_told *ow_told_of_rows(struct ow_arena *arena, const struct ow_zone *zone,
                                      const struct ow_told_row *rows, size_t n)
{
    struct ow_told *list = OW_NEW_N(arena, struct ow_told, n);

    for (size_t i = 0; i < n; i++)
        list[i] = told_of_row(arena, zone, &rows[i]);
    return list;
}

/* --- reading --- */

/* Was nobody ever told anything of this patient? */
static bool is_new(struct ow_told_memory *m, const char *patient)
{
    return m->set_whole && !ow_told_set_may_have(&m->set, hash_of(m, patient));
}

bool ow_told_peek(struct ow_told_memory *m, const char *patient, struct ow_question *q)
{
    struct entry *e = entry_find(m, patient);

    if (!e) {
        q->told = NULL;
        q->n_told = 0;
        return is_new(m, patient);
    }
    use_end(m, e);
    use_begin(m, e);
    q->told = e->told;
    q->n_told = e->n;
    return true;
}

static void wait_unlink(struct ow_told_wait *w)
{
    struct ow_told_wait **at = &w->memory->waits;

    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
}

static void on_told(void *arg, enum ow_code code, const struct ow_told_row *rows,
                    size_t n, const struct ow_err *err)
{
    struct ow_told_wait *w = arg;
    struct ow_told_memory *m = w->memory;
    struct entry *e = entry_find(m, w->patient);

    wait_unlink(w);
    if (code != OW_OK && code != OW_CANCELED)
        OW_LOG(OW_WARNING, "memory.unreadable",
               "what was told before cannot be read: cards may be told again",
               OW_F("reason", err->text));
    if (!e) {
        e = entry_new(m, w->patient);
        e->told = ow_told_of_rows(&e->arena, m->core->zone, rows, n);
        e->n = n;
    }
    if (w->fn)
        w->fn(w->arg);
    if (code != OW_OK || w->stale) { /* good for this once */
        e = entry_find(m, w->patient);
        if (e)
            entry_drop(m, e);
    }
    free(w->patient);
    free(w);
}

struct ow_told_wait *ow_told_load(struct ow_told_memory *m, const char *patient,
                                  void (*fn)(void *arg), void *arg)
{
    struct ow_told_wait *w = ow_alloc_zero(sizeof *w);

    *w = (struct ow_told_wait){
        .next = m->waits, .memory = m, .patient = ow_strdup(patient), .fn = fn, .arg = arg
    };
    m->waits = w;
    ow_metric_add(OW_M_memory_reads_total, 1);
    ow_store_told(m->core->store, patient, on_told, w);
    return w;
}

void ow_told_cancel(struct ow_told_wait *w)
{
    w->fn = NULL;
}

static void waits_stale(struct ow_told_memory *m, const char *patient)
{
    for (struct ow_told_wait *w = m->waits; w; w = w->next)
        w->stale |= strcmp(w->patient, patient) == 0;
}

void ow_told_answered(struct ow_told_memory *m, const char *patient)
{
    struct entry *e = entry_find(m, patient);

    if (e)
        entry_drop(m, e);
    waits_stale(m, patient);
}

/* --- telling --- */

/* The card that a finding stands on: its own, else the first. */
static const struct ow_card *card_of(const struct ow_verdict *v,
                                     const struct ow_finding *f)
{
    for (size_t i = 0; i < v->n_cards; i++)
        if (ow_streq(v->cards[i].rule, f->rule))
            return &v->cards[i];
    return &v->cards[0];
}

static bool is_told(const struct ow_finding *f)
{
    return !f->shadow && f->held == NULL;
}

static size_t lines_of(const struct ow_verdict *v, struct ow_arena *arena,
                       const struct ow_telling_line **ret)
{
    struct ow_telling_line *l = OW_NEW_N(arena, struct ow_telling_line, v->n_findings);
    size_t n = 0;

    for (size_t i = 0; v->n_cards > 0 && i < v->n_findings; i++) {
        const struct ow_finding *f = &v->findings[i];
        const struct ow_card *card = card_of(v, f);
        char uuid[37];

        if (!is_told(f))
            continue;
        ow_uuid_of(card->key, uuid);
        l[n++] = (struct ow_telling_line){ .rule = f->rule,
                                           .cause = f->cause,
                                           .card = ow_arena_strdup(arena, uuid),
                                           .tier = (int)f->tier,
                                           .lead = ow_streq(card->rule, f->rule) };
    }
    *ret = l;
    return n;
}

/* As the store will give it back. Nobody has answered it yet. */
static struct ow_told told_of_line(struct ow_arena *arena, const struct ow_zone *zone,
                                   const struct ow_telling *t,
                                   const struct ow_telling_line *l)
{
    struct ow_told_row r = { .rule = l->rule,
                             .cause = l->cause,
                             .card = l->card,
                             .tier = l->tier,
                             .hook = t->hook,
                             .at = t->at,
                             .med = t->med,
                             .prescriber = t->prescriber,
                             .encounter = t->encounter,
                             .instance = t->instance,
                             .prescribers = t->prescribers,
                             .classes = t->classes };

    return told_of_row(arena, zone, &r);
}

static struct ow_told told_copy(struct ow_arena *arena, const struct ow_told *from)
{
    struct ow_told t = *from;

    t.rule = ow_arena_strdup(arena, from->rule);
    t.cause = ow_arena_strdup(arena, from->cause);
    t.prescriber = ow_arena_strdup(arena, from->prescriber);
    t.encounter = ow_arena_strdup(arena, from->encounter);
    t.prescribers = ow_arena_strdup(arena, from->prescribers);
    t.classes = ow_arena_strdup(arena, from->classes);
    t.instance = ow_arena_strdup(arena, from->instance);
    t.card = ow_arena_strdup(arena, from->card);
    t.answer_code = ow_arena_strdup(arena, from->answer_code);
    return t;
}

/* What is told now goes before what was told, the latest line first; so the next call
 * need not wait until the store has written it to read it back. */
static void entry_extend(struct ow_told_memory *m, const struct ow_telling *t)
{
    struct entry *old = entry_find(m, t->patient), *e;
    size_t n_old = old ? old->n : 0, most = t->n_lines + n_old;
    struct ow_told *list;

    if (old)
        entry_unlink(m, old);
    e = entry_new(m, t->patient);
    if (most > OW_TOLD_MOST)
        most = t->n_lines > OW_TOLD_MOST ? t->n_lines : OW_TOLD_MOST;
    list = OW_NEW_N(&e->arena, struct ow_told, most);
    for (size_t i = 0; i < t->n_lines; i++)
        list[e->n++] = told_of_line(&e->arena, m->core->zone, t,
                                    &t->lines[t->n_lines - 1 - i]);
    for (size_t i = 0; e->n < most; i++)
        list[e->n++] = told_copy(&e->arena, &old->told[i]);
    e->told = list;
    if (ow_arena_full(&e->arena))
        entry_drop(m, e);
    if (old)
        entry_free(old);
}

static void on_stored(void *arg, enum ow_code code, const struct ow_err *err)
{
    (void)arg;
    if (code != OW_OK && code != OW_CANCELED)
        OW_LOG(OW_WARNING, "memory.not-stored",
               "what was told could not be stored: it may be told again",
               OW_F("reason", err->text));
}

static const char *med_of(struct ow_arena *arena, const struct ow_verdict *v)
{
    if (!v->total.has_peak)
        return NULL;
    return ow_arena_printf(arena, "%lld/%lld", (long long)v->total.peak.num,
                           (long long)v->total.peak.den);
}

static const char *med_text_of(struct ow_arena *arena, const struct ow_verdict *v)
{
    char med[OW_RATIO_TEXT];

    if (!v->total.has_now)
        return NULL;
    return ow_arena_printf(arena, "%s%s", v->at_least ? "at least " : "",
                           ow_ratio_format(v->total.now, 2, med));
}

void ow_told_tell(struct ow_told_memory *m, const struct ow_verdict *v,
                  const struct ow_question *q)
{
    struct ow_telling t = { .patient = v->patient,
                            .at = v->at,
                            .hook = (int)v->hook,
                            .prescriber = q->prescriber,
                            .encounter = q->encounter,
                            .instance = q->instance,
                            .prescribers = v->prescribers,
                            .classes = v->classes };
    struct ow_arena arena;
    struct ow_buf record;

    ow_arena_init(&arena, ROWS_MEMORY);
    t.n_lines = lines_of(v, &arena, &t.lines);
    if (t.n_lines > 0) {
        const char *hook = ow_hook_name(v->hook);

        ow_buf_init(&record, RECORD_MAX);
        ow_report_json(v, &record);
        t.source = ow_arena_printf(&arena, "hook:%s", hook ? hook : "none");
        t.med = med_of(&arena, v);
        t.med_text = med_text_of(&arena, v);
        t.verdict_json = record.failed ? "{}" : ow_buf_cstr(&record);
        t.verdict_len = record.failed ? 2 : record.len;
        ow_store_tell(m->core->store, &t, on_stored, NULL);
        if (entry_find(m, t.patient) || is_new(m, t.patient))
            entry_extend(m, &t);
        ow_told_set_add(&m->set, hash_of(m, t.patient));
        waits_stale(m, t.patient);
        ow_buf_done(&record);
    }
    ow_arena_done(&arena);
}

/* --- life --- */

/* Page by page, so that neither the loop nor the store's other callers wait for all of
 * it. Until it is whole, and when it cannot be had, each patient is read. */
static void on_patients(void *arg, enum ow_code code, const char *const *patients,
                        size_t n, const struct ow_err *err)
{
    struct ow_told_memory *m = arg;

    if (code != OW_OK) {
        if (code != OW_CANCELED)
            OW_LOG(OW_WARNING, "memory.unread",
                   "who was told of before cannot be listed: each patient is read",
                   OW_F("reason", err->text));
        return;
    }
    for (size_t i = 0; i < n; i++)
        ow_told_set_add(&m->set, hash_of(m, patients[i]));
    if (n == OW_TOLD_PATIENTS_PAGE && !m->set.gave_up)
        ow_store_told_patients(m->core->store, patients[n - 1], on_patients, m);
    else
        m->set_whole = true;
}

struct ow_told_memory *ow_told_new(struct ow_core *core)
{
    struct ow_told_memory *m = ow_alloc_zero(sizeof *m);

    m->core = core;
    ow_store_told_patients(core->store, "", on_patients, m);
    return m;
}

void ow_told_free(struct ow_told_memory *m)
{
    if (!m)
        return;
    ow_assert(!m->waits);
    while (m->oldest)
        entry_drop(m, m->oldest);
    ow_told_set_done(&m->set);
    free(m);
}
