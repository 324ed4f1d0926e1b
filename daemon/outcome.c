#include "daemon/outcome.h"

#include "base/jw.h"
#include "base/text.h"
#include "daemon/log.h"
#include "daemon/metrics.h"
#include "daemon/outbox.h"
#include "fhir/hooks.h"
#include "fhir/report.h"
#include "fhir/writeback.h"

enum { MESSAGE_MAX = 4 << 20 };

const struct ow_episode *ow_outcome_known(struct ow_arena *arena,
                                          const struct ow_patient_state *st)
{
    struct ow_episode *e = OW_NEW_N(arena, struct ow_episode, st->n_alerts);

    for (size_t i = 0; i < st->n_alerts; i++) {
        const struct ow_alert *a = &st->alerts[i];

        e[i] = (struct ow_episode){ .rule = ow_arena_strdup(arena, a->rule),
                                    .cause = ow_arena_strdup(arena, a->cause),
                                    .number = a->episode,
                                    .revision = a->revision,
                                    .tier = (enum ow_tier)a->tier,
                                    .open = a->state == OW_ALERT_OPEN,
                                    .reason = ow_arena_strdup(arena, a->reason),
                                    .opened = a->opened };
    }
    return e;
}

static const char *buf_to_arena(struct ow_outcome *o, struct ow_arena *arena,
                                struct ow_buf *b, size_t *len)
{
    char *text = ow_arena_strndup(arena, ow_buf_cstr(b), b->len);

    o->too_long |= b->failed;
    *len = b->len;
    ow_buf_done(b);
    return text;
}

static struct ow_alert outcome_alert(const struct ow_outcome *o,
                                     const struct ow_core *core,
                                     const struct ow_episode *e, struct ow_arena *arena)
{
    char key[33];

    ow_alert_key(core->config->site_id, o->patient, e->rule, e->cause, e->number, key);
    return (struct ow_alert){ .key = ow_arena_strdup(arena, key),
                              .rule = e->rule,
                              .cause = e->cause,
                              .episode = e->number,
                              .tier = (int)e->tier,
                              .revision = e->revision,
                              .state = e->open ? OW_ALERT_OPEN : OW_ALERT_RESOLVED,
                              .opened = e->revision == 0 ? o->verdict->at : e->opened,
                              .changed = o->verdict->at,
                              .reason = e->reason };
}

/* The card that speaks of a rule: its own, else the leading one. */
static const struct ow_card *outcome_card(const struct ow_verdict *v, const char *rule)
{
    for (size_t i = 0; i < v->n_cards; i++) {
        if (ow_streq(v->cards[i].rule, rule))
            return &v->cards[i];
    }
    return v->n_cards ? &v->cards[0] : NULL;
}

static struct ow_message fhir_message(struct ow_outcome *o, const struct ow_core *core,
                                      const struct ow_alert *a,
                                      const struct ow_episode *e, struct ow_arena *arena)
{
    const struct ow_card *card = outcome_card(o->verdict, e->rule);
    const struct ow_config *c = core->config;
    struct ow_writeback w = {
        .identifier_system = c->site_identifier_system,
        .key = a->key,
        .revision = e->revision,
        .resolved = !e->open,
        .patient = o->patient,
        .rule = e->rule,
        .tier = e->tier,
        .summary = e->reason,
        .detail = card && e->open ? card->detail : e->reason,
        .implicated = e->finding ? e->finding->evidence : NULL,
        .n_implicated = e->finding ? e->finding->n_evidence : 0,
        .identified = o->verdict->at,
        .owner = *c->site_task_owner ? c->site_task_owner : NULL,
        .policy = o->verdict->policy,
        .policy_version = o->verdict->policy_version,
        .knowledge_sha256 = o->verdict->sha256,
    };
    struct ow_buf b;
    struct ow_message m = { .sink = OW_SINK_FHIR,
                            .subject = a->key,
                            .alert_key = a->key,
                            .priority = (int)e->tier };

    ow_buf_init(&b, MESSAGE_MAX);
    ow_writeback_bundle(&w, &b);
    m.body = buf_to_arena(o, arena, &b, &m.body_len);
    m.identity = ow_arena_printf(arena, "%s-%lld", a->key, (long long)e->revision);
    return m;
}

static void webhook_alert(struct ow_jw *w, const struct ow_alert *a)
{
    ow_jw_object(w);
    ow_jw_kstring(w, "key", a->key);
    ow_jw_kstring(w, "rule", a->rule);
    ow_jw_kstring(w, "tier", ow_tier_name((enum ow_tier)a->tier));
    ow_jw_kstring(w, "state", a->state == OW_ALERT_OPEN ? "open" : "resolved");
    ow_jw_kint(w, "revision", a->revision);
    ow_jw_kstring_opt(w, "reason", a->reason);
    ow_jw_end(w);
}

/* One message a verdict: the card as a CDS Hooks client would get it, and what changed.
 */
static struct ow_message webhook_message(struct ow_outcome *o, struct ow_arena *arena)
{
    const struct ow_record_of_verdict *row = &o->row;
    char at[OW_TIME_TEXT], hash[65];
    struct ow_buf b;
    struct ow_jw w;
    struct ow_message m = { .sink = OW_SINK_WEBHOOK, .subject = o->patient };

    ow_buf_init(&b, MESSAGE_MAX);
    ow_jw_init(&w, &b);
    ow_jw_object(&w);
    ow_jw_kstring(&w, "patient", o->patient);
    ow_jw_kstring(&w, "at", ow_time_format(o->verdict->at, at));
    ow_jw_karray(&w, "alerts");
    for (size_t i = 0; i < row->n_alerts; i++) {
        webhook_alert(&w, &row->alerts[i]);
        if (row->alerts[i].tier > m.priority)
            m.priority = row->alerts[i].tier;
    }
    ow_jw_end(&w);
    ow_jw_karray(&w, "cards");
    for (size_t i = 0; i < o->verdict->n_cards; i++)
        ow_hooks_card(&w, o->verdict, &o->verdict->cards[i]);
    ow_jw_end(&w);
    ow_jw_end(&w);
    m.body = buf_to_arena(o, arena, &b, &m.body_len);
    ow_sha256_hex(m.body, m.body_len, hash);
    m.identity = ow_arena_strndup(arena, hash, 32);
    return m;
}

static void outcome_count(struct ow_outcome *o, const struct ow_episode *e)
{
    if (!e->open)
        o->resolved++;
    else if (e->revision == 0)
        o->opened++;
    else
        o->changed++;
}

static void outcome_orders(struct ow_outcome *o, struct ow_arena *arena)
{
    const char **refs = OW_NEW_N(arena, const char *, o->chart->n_orders);

    for (size_t i = 0; i < o->chart->n_orders; i++) {
        if (o->chart->orders[i].reference)
            refs[o->row.n_orders++] = o->chart->orders[i].reference;
    }
    o->row.orders = refs;
}

static void outcome_report(struct ow_outcome *o, struct ow_arena *arena)
{
    struct ow_buf b;
    char med[OW_RATIO_TEXT];

    ow_buf_init(&b, MESSAGE_MAX);
    ow_report_json(o->verdict, &b);
    o->row.verdict_json = buf_to_arena(o, arena, &b, &o->row.verdict_len);
    if (o->verdict->total.has_now)
        o->row.med_text = ow_arena_printf(arena, "%s%s",
                                          o->verdict->at_least ? "at least " : "",
                                          ow_ratio_format(o->verdict->total.now, 2, med));
}

static void outcome_log(const struct ow_outcome *o)
{
    ow_metric_add(OW_M_alerts_opened_total, (int64_t)o->opened);
    ow_metric_add(OW_M_alerts_changed_total, (int64_t)o->changed);
    ow_metric_add(OW_M_alerts_resolved_total, (int64_t)o->resolved);
    ow_metric_add(OW_M_alerts_unchanged_total, (int64_t)o->unchanged);
    OW_LOG(OW_INFO, "verdict", "patient judged", OW_F_PATIENT("patient", o->patient),
           OW_F_INT("orders", o->chart->n_orders),
           OW_F_INT("findings", o->verdict->n_findings), OW_F_INT("opened", o->opened),
           OW_F_INT("changed", o->changed), OW_F_INT("resolved", o->resolved),
           OW_F_INT("unchanged", o->unchanged),
           OW_F("at_least", o->verdict->at_least ? "yes" : "no"));
}

enum ow_code ow_outcome_plan(struct ow_outcome *o, const struct ow_core *core,
                             struct ow_arena *arena, struct ow_err *err)
{
    const struct ow_episode *changes;
    struct ow_message *messages;
    struct ow_alert *alerts;
    size_t n;

    ow_episodes_plan(o->known, o->n_known, o->verdict, o->chart->n_missing > 0, arena,
                     &changes, &n, &o->unchanged);
    alerts = OW_NEW_N(arena, struct ow_alert, n);
    messages = OW_NEW_N(arena, struct ow_message, n + 1);
    o->row = (struct ow_record_of_verdict){ .events = o->events,
                                            .n_events = o->n_events,
                                            .source = o->source,
                                            .patient = o->patient,
                                            .at = o->verdict->at,
                                            .alerts = alerts,
                                            .n_alerts = n,
                                            .messages = messages };
    for (size_t i = 0; i < n; i++) {
        alerts[i] = outcome_alert(o, core, &changes[i], arena);
        outcome_count(o, &changes[i]);
        if (core->config->sinks_fhir && *core->config->fhir_base_url)
            messages[o->row.n_messages++] = fhir_message(o, core, &alerts[i], &changes[i],
                                                         arena);
    }
    if (n > 0 && *core->config->sinks_webhook_url)
        messages[o->row.n_messages++] = webhook_message(o, arena);
    outcome_orders(o, arena);
    outcome_report(o, arena);
    if (o->too_long)
        return ow_err_set(err, OW_INPUT, "the verdict is longer than may be recorded");
    outcome_log(o);
    return OW_OK;
}
