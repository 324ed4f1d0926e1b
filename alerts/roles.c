#include "alerts/roles.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* ---- status and intent ---- */

static void role_out(struct ow_item *it, enum ow_role role, const char *reason)
{
    it->stands = false;
    it->role = role;
    it->reason = reason;
}

static enum ow_word why_status(enum ow_status s)
{
    switch (s) {
    case OW_STATUS_ON_HOLD:
        return OW_WORD_ON_HOLD;
    case OW_STATUS_COMPLETED:
        return OW_WORD_COMPLETED;
    case OW_STATUS_STOPPED:
        return OW_WORD_STOPPED;
    case OW_STATUS_CANCELLED:
        return OW_WORD_CANCELLED;
    case OW_STATUS_ENTERED_IN_ERROR:
        return OW_WORD_ENTERED_IN_ERROR;
    case OW_STATUS_DRAFT:
        return OW_WORD_DRAFT_ASIDE;
    default:
        return OW_WORD_STATUS_UNKNOWN;
    }
}

/* The dead states, which not even a draft being signed comes back from. */
static bool is_dead(enum ow_status s)
{
    return s == OW_STATUS_CANCELLED || s == OW_STATUS_STOPPED ||
           s == OW_STATUS_ENTERED_IN_ERROR;
}

static bool stands_by_intent(const struct ow_judge *j, struct ow_item *it)
{
    enum ow_intent i = it->order->intent;

    if (i != OW_INTENT_PROPOSAL && i != OW_INTENT_PLAN && i != OW_INTENT_OPTION)
        return true;
    role_out(it, OW_ROLE_INACTIVE,
             ow_word(j->arena, i == OW_INTENT_PROPOSAL ? OW_WORD_PROPOSAL
                               : i == OW_INTENT_PLAN   ? OW_WORD_PLAN
                                                       : OW_WORD_OPTION));
    return false;
}

static void stand_dispense(const struct ow_judge *j, struct ow_item *it)
{
    it->stands = it->order->status == OW_STATUS_COMPLETED;
    if (!it->stands)
        role_out(it, OW_ROLE_INACTIVE, ow_word(j->arena, OW_WORD_DISPENSE_STATUS));
}

static void stand_request(const struct ow_judge *j, struct ow_item *it)
{
    const struct ow_order *o = it->order;
    bool counts = o->status == OW_STATUS_ACTIVE ||
                  (o->status == OW_STATUS_DRAFT && j->q->drafts_count && !j->has_drafts);

    it->stands = true;
    if (o->do_not_perform)
        role_out(it, OW_ROLE_INACTIVE, ow_word(j->arena, OW_WORD_DO_NOT_PERFORM));
    else if (is_dead(o->status))
        role_out(it, OW_ROLE_INACTIVE, ow_word(j->arena, why_status(o->status)));
    else if (o->is_draft || !stands_by_intent(j, it))
        return;
    else if (o->status == OW_STATUS_NONE)
        role_out(it, OW_ROLE_UNREADABLE, ow_word(j->arena, OW_WORD_STATUS_ABSENT));
    else if (o->status == OW_STATUS_OTHER)
        role_out(it, OW_ROLE_UNREADABLE,
                 ow_say(j->arena, OW_WORD_STATUS_OTHER,
                        o->status_text != NULL ? o->status_text : "?"));
    else if (!counts)
        role_out(it, OW_ROLE_INACTIVE, ow_word(j->arena, why_status(o->status)));
}

void ow_role_stand(const struct ow_judge *j, struct ow_item *it)
{
    switch (it->order->kind) {
    case OW_DISPENSE:
        stand_dispense(j, it);
        break;
    case OW_STATEMENT:
        role_out(it, OW_ROLE_INACTIVE, ow_word(j->arena, OW_WORD_STATEMENT));
        break;
    case OW_ADMINISTRATION:
        role_out(it, OW_ROLE_INACTIVE, ow_word(j->arena, OW_WORD_ADMINISTRATION));
        break;
    default:
        stand_request(j, it);
    }
    if (it->drug.kind == OW_DRUG_OTHER)
        it->role = OW_ROLE_NOT_OPIOID;
    else if (it->drug.kind == OW_DRUG_UNKNOWN && it->role == OW_ROLE_UNREADABLE)
        it->role = OW_ROLE_UNKNOWN; /* a doubtful status of a doubtful drug */
}

/* ---- first role by drug ---- */

/* [CLINICAL decision: methadone] */
bool ow_reason_is_oud(const struct ow_judge *j, const struct ow_order *o)
{
    static const char *const texts[] = {
        "opioid use disorder", "opioid dependence", "opioid addiction",
        "opiate dependence",   "opiate addiction",  "opioid maintenance",
    };

    for (size_t i = 0; i < o->n_reasons; i++) {
        const struct ow_concept *c = &o->reasons[i];

        for (size_t k = 0; k < c->n_codings; k++)
            if (c->codings[k].code != NULL && c->codings[k].system != NULL &&
                ow_knowledge_in_set(j->kb, "opioid-misuse-disorders",
                                    c->codings[k].system, c->codings[k].code))
                return true;
        for (size_t k = 0; k < OW_LEN(texts); k++)
            if (c->text != NULL && ow_contains_folded(c->text, texts[k]))
                return true;
    }
    return false;
}

void ow_role_assign(const struct ow_judge *j, struct ow_item *it)
{
    const struct ow_order *o = it->order;

    if (it->drug.kind == OW_DRUG_OTHER) {
        it->role = OW_ROLE_NOT_OPIOID;
    } else if (it->drug.kind == OW_DRUG_UNKNOWN) {
        it->role = OW_ROLE_UNKNOWN;
        it->reason = it->drug.reason;
    } else if (it->drug.buprenorphine) {
        it->role = OW_ROLE_EXCLUDED;
        it->reason = ow_word(j->arena, OW_WORD_BUPRENORPHINE);
    } else if (it->drug.methadone && ow_reason_is_oud(j, o)) {
        it->role = OW_ROLE_EXCLUDED;
        it->reason = ow_word(j->arena, OW_WORD_METHADONE_OUD);
    } else if (o->refused != NULL) {
        it->role = OW_ROLE_UNREADABLE;
        it->reason = ow_say(j->arena, OW_WORD_REFUSED, o->refused);
    } else if (it->drug.kind == OW_DRUG_BARE) {
        it->role = OW_ROLE_UNREADABLE;
        it->reason = it->drug.reason;
    } else {
        it->role = OW_ROLE_COUNTED; /* if its dose can be had */
    }
}

/* ---- replacement ---- */

static struct ow_ratio most(const struct ow_item *it)
{
    struct ow_ratio ret = OW_ZERO;

    for (size_t i = 0; it->has_dose && i < it->dose.n_steps; i++)
        if (ow_ratio_cmp(it->dose.steps[i].high, ret) > 0)
            ret = it->dose.steps[i].high;
    return ret;
}

/* Two copies of one order: the larger dose stays, then the other source's, then any. */
static int twin_cmp(const struct ow_item *a, const struct ow_item *b)
{
    const char *sa = a->order->source, *sb = b->order->source;
    int by_dose = ow_ratio_cmp(most(a), most(b));
    int by_source = strcmp(sa != NULL ? sa : "", sb != NULL ? sb : "");

    return by_dose != 0     ? by_dose
           : by_source != 0 ? by_source
                            : (a->order > b->order) - (a->order < b->order);
}

/* A total order that does not depend on the order of the source: what comes later wins.
 */
static int item_cmp(const struct ow_item *a, const struct ow_item *b)
{
    const char *ra = a->order->reference, *rb = b->order->reference;
    ow_time ta = a->order->has_authored ? a->order->authored.from : OW_TIME_MIN;
    ow_time tb = b->order->has_authored ? b->order->authored.from : OW_TIME_MIN;

    if (a->order->is_draft != b->order->is_draft)
        return a->order->is_draft ? 1 : -1;
    if (a->span.from != b->span.from)
        return a->span.from < b->span.from ? -1 : 1;
    if (ta != tb)
        return ta < tb ? -1 : 1;
    for (; ra != NULL && rb != NULL && (*ra != '\0' || *rb != '\0'); ra++, rb++)
        if (*ra != *rb)
            return *ra < *rb ? -1 : 1;
    return twin_cmp(a, b);
}

static bool same_ingredient(const struct ow_item *a, const struct ow_item *b)
{
    if (a->drug.ingredient != NULL || b->drug.ingredient != NULL)
        return ow_streq(a->drug.ingredient, b->drug.ingredient);
    return a->drug.rxcui != NULL && ow_streq(a->drug.rxcui, b->drug.rxcui);
}

/* The same ingredient, form and strength. */
static bool same_product(const struct ow_item *a, const struct ow_item *b)
{
    const struct ow_product *p = a->drug.product, *q = b->drug.product;

    if (p == q || p == NULL || q == NULL)
        return p == q && ow_streq(a->drug.rxcui, b->drug.rxcui) && a->drug.rxcui != NULL;
    if (!ow_ratio_positive(p->strength)) /* not known: they may well be two */
        return false;
    return p->form == q->form && p->strength_unit == q->strength_unit &&
           p->strength.num == q->strength.num && p->strength.den == q->strength.den &&
           p->extended_release == q->extended_release &&
           ow_streq(p->ingredient, q->ingredient);
}

static bool names(const char *const *refs, size_t n, const char *reference)
{
    for (size_t i = 0; i < n; i++)
        if (ow_streq(refs[i], reference))
            return true;
    return false;
}

static bool share_identifier(const struct ow_order *a, const struct ow_order *b)
{
    for (size_t i = 0; i < a->n_identifiers; i++)
        if (names(b->identifiers, b->n_identifiers, a->identifiers[i]))
            return true;
    return false;
}

static bool is_child(enum ow_intent i)
{
    return i == OW_INTENT_FILLER_ORDER || i == OW_INTENT_INSTANCE_ORDER;
}

/* References and ids are a server's own; nobody knows that of what came with a request.
 */
static bool may_be_near(const struct ow_order *a, const struct ow_order *b)
{
    return a->source == NULL || b->source == NULL || ow_streq(a->source, b->source);
}

/* The same id of the same server. */
static bool same_id(const struct ow_item *a, const struct ow_item *b)
{
    return a->id_key == b->id_key && a->order->id != NULL &&
           ow_streq(a->order->id, b->order->id) && may_be_near(a->order, b->order);
}

bool ow_roles_same(const struct ow_item *a, const struct ow_item *b)
{
    const struct ow_order *x = a->order, *y = b->order;

    return same_ingredient(a, b) &&
           (share_identifier(x, y) ||
            (x->id != NULL && ow_streq(x->id, y->id) && may_be_near(x, y)));
}

/* Does `b` name `a` as the order that it goes on with? */
static bool renews(const struct ow_item *a, const struct ow_item *b)
{
    const struct ow_order *x = a->order, *y = b->order;

    return x->reference != NULL && ow_streq(y->prior, x->reference) && may_be_near(x, y);
}

/* Does `b` stand for `a` by what one of them says? */
static bool linked(const struct ow_item *a, const struct ow_item *b)
{
    const struct ow_order *x = a->order, *y = b->order;
    bool near = may_be_near(x, y);

    if (renews(a, b))
        return true;
    if (near && y->n_based_on > 0 && x->reference != NULL &&
        names(y->based_on, y->n_based_on, x->reference))
        return same_ingredient(a, b);
    if (x->group != NULL && is_child(y->intent) && !is_child(x->intent) &&
        ow_streq(x->group, y->group))
        return same_ingredient(a, b);
    if (x->n_identifiers > 0 && y->n_identifiers > 0 && share_identifier(x, y))
        return same_ingredient(a, b) && item_cmp(a, b) < 0;
    if (same_id(a, b))
        return same_ingredient(a, b) && item_cmp(a, b) < 0;
    return false;
}

/* Does `b` go on with the drug of `a` after half of its supply? */
static bool refills(const struct ow_item *a, const struct ow_item *b)
{
    ow_time half;

    if (!a->has_length || a->span.from == OW_TIME_MIN || a->span.until <= a->span.from ||
        b->span.from <= a->span.from)
        return false;
    half = a->span.from / 2 + a->span.until / 2; /* without overflow */
    return b->span.from >= half && same_product(a, b);
}

bool ow_roles_follows(const struct ow_item *a, const struct ow_item *b)
{
    return linked(a, b) || refills(a, b);
}

static uint32_t hash_text(uint32_t h, const char *s)
{
    for (; s != NULL && *s != '\0'; s++)
        h = (h ^ (unsigned char)*s) * 16777619U; /* FNV-1a */
    return h;
}

/* Keys that tell most pairs apart without reading their strings again. */
static void set_keys(struct ow_item *it)
{
    const struct ow_product *p = it->drug.product;
    const struct ow_order *o = it->order;

    it->id_key = hash_text(2166136261U, o->id);
    it->drug_key = p != NULL ? hash_text(2166136261U, p->ingredient) ^
                                   (uint32_t)p->strength.num * 2654435761U ^
                                   (uint32_t)p->strength.den * 40503U ^ (uint32_t)p->form
                             : hash_text(1, it->drug.rxcui);
    it->links = o->prior != NULL || o->n_based_on > 0 || o->group != NULL ||
                o->n_identifiers > 0;
}

/* Nothing that could make `b` follow on `a`. */
static bool strangers(const struct ow_item *a, const struct ow_item *b)
{
    return a->drug_key != b->drug_key && a->id_key != b->id_key && !b->links;
}

static bool leads_to(const struct ow_item *from, const struct ow_item *to)
{
    for (; from != NULL; from = from->next)
        if (from == to)
            return true;
    return false;
}

static bool both_count(const struct ow_item *a, const struct ow_item *b)
{
    bool opioids = ow_item_opioid(a) && ow_item_opioid(b);

    return a->order->kind == b->order->kind &&
           (opioids || (a->drug.sedative != NULL && b->drug.sedative != NULL));
}

/* Does `b` go on with an order that `a` is a copy of, told by another server? That one
 * need not stand any more. */
static bool renews_copy(const struct ow_judge *j, const struct ow_item *a,
                        const struct ow_item *b)
{
    for (size_t i = 0; b->order->prior != NULL && i < j->n_items; i++) {
        const struct ow_item *t = &j->items[i];

        if (t != a && t != b && renews(t, b) && same_ingredient(t, a) &&
            share_identifier(t->order, a->order))
            return true;
    }
    return false;
}

/* What replaces `a`: of what has begun a linked order before a refill, else what begins
 * first. */
static struct ow_item *find_next(struct ow_judge *j, struct ow_item *const *sorted,
                                 size_t n, struct ow_item *a, bool *by_link)
{
    struct ow_item *refill = NULL;

    for (size_t k = 0; k < n; k++) {
        struct ow_item *b = sorted[k];

        if (b == a || strangers(a, b) || !both_count(a, b) || leads_to(b, a))
            continue;
        if (a < b && same_id(a, b) && !same_ingredient(a, b))
            ow_judge_note(j, ow_say(j->arena, OW_WORD_NOTE_SAME_ID, a->order->reference));
        if (linked(a, b) || renews_copy(j, a, b)) {
            if (refill != NULL && b->span.from > j->window.from &&
                refill->span.from < b->span.from)
                break; /* the other one takes over before that */
            *by_link = true;
            return b;
        }
        if (refill == NULL && refills(a, b))
            refill = b;
    }
    *by_link = false;
    return refill;
}

static void apply_next(const struct ow_judge *j, struct ow_item *a, struct ow_item *b,
                       bool by_link)
{
    bool child = by_link && is_child(b->order->intent);
    const char *why = ow_say(j->arena,
                             child     ? OW_WORD_INSTANCE_OF
                             : by_link ? OW_WORD_REPLACED_BY
                                       : OW_WORD_REPLACED_REFILL,
                             b->order->reference);

    a->next = b;
    if (b->span.from > j->window.from && b->span.from > a->taken.from) {
        /* goes on until the other one starts */
        if (b->span.from < a->taken.until)
            a->taken.until = b->span.from;
        if (a->reason == NULL)
            a->reason = ow_say(j->arena, OW_WORD_CUT_BY,
                               ow_say_date(j->arena, b->span.from, j->q->zone),
                               b->order->reference);
        return;
    }
    a->taken = (struct ow_span){ 0, 0 };
    a->reason = why;
    if (a->role != OW_ROLE_NOT_OPIOID)
        a->role = OW_ROLE_REPLACED;
}

static int by_item(const void *x, const void *y)
{
    return item_cmp(*(struct ow_item *const *)x, *(struct ow_item *const *)y);
}

void ow_roles_replace(struct ow_judge *j)
{
    struct ow_item **sorted = OW_NEW_N(j->arena, struct ow_item *, j->n_items);
    struct found {
        struct ow_item *next;
        bool by_link;
    } *found = OW_NEW_N(j->arena, struct found, j->n_items);
    size_t n = 0;

    for (size_t i = 0; i < j->n_items; i++)
        if (j->items[i].taken.until > j->items[i].taken.from) {
            set_keys(&j->items[i]);
            sorted[n++] = &j->items[i];
        }
    qsort(sorted, n, sizeof *sorted, by_item);
    for (size_t i = 0; i < n; i++) {
        found[i].next = find_next(j, sorted, n, sorted[i], &found[i].by_link);
        sorted[i]->next = found[i].next; /* seen by leads_to */
    }
    for (size_t i = 0; i < n; i++)
        if (found[i].next != NULL)
            apply_next(j, sorted[i], found[i].next, found[i].by_link);
}
