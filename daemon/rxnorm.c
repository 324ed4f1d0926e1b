#include "daemon/rxnorm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alerts/knowledge.h"
#include "base/text.h"
#include "daemon/files.h"
#include "daemon/rrf.h"

enum {
    PATH_BYTES = 4096,
    PASSES_MOST = 12, /* a pack of a brand of a product of a component is four */
    NAME_MOST = 4000, /* what a field of our tables holds */
};

/* --- concepts --- */

static size_t slot_of(const struct ow_rxnorm *g, uint64_t rxcui)
{
    size_t i = (size_t)(rxcui * 0x9e3779b97f4a7c15ULL >> 20) & (g->n_slots - 1);

    while (g->slots[i] != 0 && g->concepts[g->slots[i] - 1].rxcui != rxcui)
        i = (i + 1) & (g->n_slots - 1);
    return i;
}

static void slots_grow(struct ow_rxnorm *g)
{
    g->n_slots = g->n_slots > 0 ? g->n_slots * 2 : 1024;
    free(g->slots);
    g->slots = ow_alloc_zero(g->n_slots * sizeof *g->slots);
    for (size_t i = 0; i < g->n_concepts; i++)
        g->slots[slot_of(g, g->concepts[i].rxcui)] = (uint32_t)i + 1;
}

static size_t concept_find(const struct ow_rxnorm *g, uint64_t rxcui)
{
    uint32_t at = g->slots[slot_of(g, rxcui)];

    return at != 0 ? at - 1 : SIZE_MAX;
}

static size_t concept_add(struct ow_rxnorm *g, uint64_t rxcui)
{
    size_t i = concept_find(g, rxcui);

    if (i != SIZE_MAX)
        return i;
    if (g->n_concepts * 2 >= g->n_slots)
        slots_grow(g);
    if (g->n_concepts == g->cap_concepts) {
        g->cap_concepts = g->cap_concepts > 0 ? g->cap_concepts * 2 : 512;
        g->concepts = ow_realloc(g->concepts, g->cap_concepts * sizeof *g->concepts);
    }
    i = g->n_concepts++;
    g->concepts[i] = (struct ow_rx_concept){ .rxcui = rxcui, .ingredient = SIZE_MAX };
    g->slots[slot_of(g, rxcui)] = (uint32_t)i + 1;
    return i;
}

/* --- files --- */

struct pass {
    struct ow_rxnorm *g;
    const char *folder;
    ow_config_report_fn *report;
    void *arg;
    bool grown; /* a pass over relations found something new */
};

/* A number of RxNorm in a field; a row without one is malformed. */
static bool number(struct ow_rrf *r, size_t field, uint64_t *ret)
{
    if (ow_parse_u64(ow_rrf_field(r, field), ret) && *ret > 0)
        return true;
    ow_rrf_fault(r, field, "an RxNorm number was expected");
    return false;
}

static enum ow_code each_row(struct pass *p, const char *name, size_t n_fields,
                             void row(struct pass *p, struct ow_rrf *r),
                             struct ow_err *err)
{
    char path[PATH_BYTES];
    struct ow_rrf r;
    enum ow_code code;

    if (!ow_path_join(p->folder, name, path, sizeof path))
        return ow_err_set(err, OW_INPUT, "%s: path is too long", name);
    code = ow_rrf_open(&r, path, n_fields, p->report, p->arg, err);
    if (code != OW_OK)
        return ow_err_prefix(err, code, "%s", path);
    while (ow_rrf_next(&r))
        row(p, &r);
    p->g->malformed += r.malformed;
    ow_rrf_close(&r);
    /* Once is enough: the same rows would be told again by the next pass. */
    if (p->g->malformed > 0)
        return ow_err_set(err, OW_INPUT, "%s: %zu malformed row%s", path, r.malformed,
                          r.malformed == 1 ? "" : "s");
    return OW_OK;
}

enum { CONSO_FIELDS = 18, REL_FIELDS = 16, SAT_FIELDS = 13, SAB_FIELDS = 25 };

static bool is_rxnorm(const struct ow_rrf *r, size_t field)
{
    return ow_streq(ow_rrf_field(r, field), "RXNORM");
}

/* RXNCONSO, first time: the ingredients. */
static void see_ingredient(struct pass *p, struct ow_rrf *r)
{
    struct ow_rxnorm *g = p->g;
    const char *name = ow_rrf_field(r, 15);
    uint64_t rxcui;

    if (!is_rxnorm(r, 12) || !ow_streq(ow_rrf_field(r, 13), "IN") ||
        !number(r, 1, &rxcui))
        return;
    for (size_t i = 0; i < g->n_ingredients; i++) {
        struct ow_rx_ingredient *in = &g->ingredients[i];

        if (!ow_strcaseeq(in->name, name) || (in->rxcui != 0 && in->rxcui != rxcui))
            continue;
        in->rxcui = rxcui;
        in->confirmed = true;
    }
}

static const struct {
    const char *name, *inverse;
} relas[] = {
    [OW_RX_INGREDIENT] = {"has_ingredient", "ingredient_of"},
    [OW_RX_COMPONENT] = { "consists_of",   "constitutes"  },
    [OW_RX_GENERIC] = { "tradename_of",  "has_tradename"},
    [OW_RX_CONTENT] = { "contains",      "contained_in" },
    [OW_RX_FORM] = { "has_dose_form", "dose_form_of" },
};

/* Relations are mostly without the mark that others have. */
static bool in_force(const char *suppress)
{
    return suppress[0] == '\0' || ow_streq(suppress, "N");
}

/* A relation between concepts, of the kinds above, as from, rela, to; the release has
 * most both ways. */
static bool relation(struct ow_rrf *r, uint64_t *from, enum ow_rx_rela *rela,
                     uint64_t *to)
{
    const char *word = ow_rrf_field(r, 8);

    if (!is_rxnorm(r, 11) || word[0] == '\0' || !ow_streq(ow_rrf_field(r, 3), "CUI") ||
        !ow_streq(ow_rrf_field(r, 7), "CUI") || !in_force(ow_rrf_field(r, 15)))
        return false;
    for (size_t i = 0; i < OW_LEN(relas); i++) {
        bool straight = ow_streq(word, relas[i].name);

        if (!straight && !ow_streq(word, relas[i].inverse))
            continue;
        *rela = (enum ow_rx_rela)i;
        return number(r, straight ? 5 : 1, from) && number(r, straight ? 1 : 5, to);
    }
    return false;
}

/* RXNREL: whatever leads to something of ours is ours. An ingredient is a beginning and
 * no step: what is a brand of it, or a product line, is no product. */
static void see_relation(struct pass *p, struct ow_rrf *r)
{
    struct ow_rxnorm *g = p->g;
    enum ow_rx_rela rela;
    uint64_t from, to;
    size_t target, i;

    if (!relation(r, &from, &rela, &to) || rela == OW_RX_FORM)
        return;
    target = concept_find(g, to);
    if (target == SIZE_MAX)
        return;
    if (rela == OW_RX_INGREDIENT ? g->concepts[target].ingredient == SIZE_MAX
                                 : !g->concepts[target].ours)
        return;
    i = concept_add(g, from);
    p->grown = p->grown || !g->concepts[i].ours;
    g->concepts[i].ours = true;
}

/* RXNREL, last time: the links that go out from what is ours. */
static void see_link(struct pass *p, struct ow_rrf *r)
{
    struct ow_rxnorm *g = p->g;
    enum ow_rx_rela rela;
    uint64_t from, to;
    size_t i;

    if (!relation(r, &from, &rela, &to))
        return;
    i = concept_find(g, from);
    if (i == SIZE_MAX || !g->concepts[i].ours)
        return;
    if (g->n_links == g->cap_links) {
        g->cap_links = g->cap_links > 0 ? g->cap_links * 2 : 1024;
        g->links = ow_realloc(g->links, g->cap_links * sizeof *g->links);
    }
    g->links[g->n_links++] = (struct ow_rx_link){ i, concept_add(g, to), rela };
}

static int link_order(const void *a, const void *b)
{
    const struct ow_rx_link *x = a, *y = b;

    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    if (x->rela != y->rela)
        return x->rela < y->rela ? -1 : 1;
    return (x->to > y->to) - (x->to < y->to);
}

static void links_sort(struct ow_rxnorm *g)
{
    size_t n = 0;

    if (g->n_links > 0)
        qsort(g->links, g->n_links, sizeof *g->links, link_order);
    for (size_t i = 0; i < g->n_links; i++)
        if (n == 0 || link_order(&g->links[n - 1], &g->links[i]) != 0)
            g->links[n++] = g->links[i];
    g->n_links = n;
}

const struct ow_rx_link *ow_rxnorm_links(const struct ow_rxnorm *g, size_t from,
                                         enum ow_rx_rela rela, size_t *n)
{
    const struct ow_rx_link key = { from, 0, rela };
    size_t low = 0, high = g->n_links, end;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (link_order(&g->links[middle], &key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    end = low;
    while (end < g->n_links && g->links[end].from == from && g->links[end].rela == rela)
        end++;
    *n = end - low;
    return g->links + low;
}

/* RXNCONSO, second time: names. One atom of a concept has its normal name; others are
 * synonyms. One that is not suppressed wins. */
static void see_name(struct pass *p, struct ow_rrf *r)
{
    static const char *const kinds[] = { "SCD",  "SBD",  "GPCK", "BPCK",
                                         "SCDC", "SBDC", "DF",   "IN" };
    bool suppressed = !ow_streq(ow_rrf_field(r, 17), "N");
    const char *tty = ow_rrf_field(r, 13), *name = ow_rrf_field(r, 15);
    struct ow_rx_concept *c;
    uint64_t rxcui;
    size_t i, k = 0;

    while (k < OW_LEN(kinds) && !ow_streq(tty, kinds[k]))
        k++;
    if (k == OW_LEN(kinds) || !is_rxnorm(r, 12) || !number(r, 1, &rxcui))
        return;
    i = concept_find(p->g, rxcui);
    if (i == SIZE_MAX)
        return;
    c = &p->g->concepts[i];
    if (!ow_utf8_valid(name, strlen(name)) || strpbrk(name, "\t\r") != NULL ||
        strlen(name) > NAME_MOST || name[0] == '\0') {
        ow_rrf_fault(r, 15, "the name is no text that a table can hold");
        return;
    }
    if (c->name != NULL && (suppressed || !c->suppressed))
        return;
    c->tty = kinds[k];
    c->name = ow_arena_strdup(&p->g->arena, name);
    c->suppressed = suppressed;
}

static void ndc_add(struct ow_rxnorm *g, struct ow_rrf *r, size_t concept)
{
    struct ow_rx_ndc row = { .concept = concept };

    if (!ow_ndc_normal(ow_rrf_field(r, 11), row.ndc)) {
        ow_rrf_fault(r, 11, "an NDC of eleven digits was expected");
        return;
    }
    if (g->n_ndcs == g->cap_ndcs) {
        g->cap_ndcs = g->cap_ndcs > 0 ? g->cap_ndcs * 2 : 1024;
        g->ndcs = ow_realloc(g->ndcs, g->cap_ndcs * sizeof *g->ndcs);
    }
    g->ndcs[g->n_ndcs++] = row;
}

static void see_attribute(struct pass *p, struct ow_rrf *r)
{
    const char *name = ow_rrf_field(r, 9);
    struct ow_rx_concept *c;
    uint64_t rxcui;
    size_t i;

    if (!is_rxnorm(r, 10) || !ow_streq(ow_rrf_field(r, 12), "N") ||
        (!ow_streq(name, "NDC") && !ow_starts_with(name, "RXN_")) ||
        !number(r, 1, &rxcui))
        return;
    i = concept_find(p->g, rxcui);
    if (i == SIZE_MAX)
        return;
    c = &p->g->concepts[i];
    if (ow_streq(name, "RXN_STRENGTH"))
        c->strength = ow_arena_strdup(&p->g->arena, ow_rrf_field(r, 11));
    else if (ow_streq(name, "RXN_HUMAN_DRUG"))
        c->human = true;
    else if (ow_streq(name, "RXN_VET_DRUG"))
        c->vet = true;
    else if (ow_streq(name, "NDC") && c->ours)
        ndc_add(p->g, r, i);
}

static int ndc_order(const void *a, const void *b)
{
    const struct ow_rx_ndc *x = a, *y = b;
    int c = strcmp(x->ndc, y->ndc);

    return c != 0 ? c : (x->concept > y->concept) - (x->concept < y->concept);
}

static void ndcs_sort(struct ow_rxnorm *g)
{
    size_t n = 0;

    if (g->n_ndcs > 0)
        qsort(g->ndcs, g->n_ndcs, sizeof *g->ndcs, ndc_order);
    for (size_t i = 0; i < g->n_ndcs; i++)
        if (n == 0 || ndc_order(&g->ndcs[n - 1], &g->ndcs[i]) != 0)
            g->ndcs[n++] = g->ndcs[i];
    g->n_ndcs = n;
}

/* RXNSAB: the version of the source RXNORM ends with _YYMMDDF. */
static void see_source(struct pass *p, struct ow_rrf *r)
{
    const char *version = ow_rrf_field(r, 7), *at = strrchr(version, '_');

    if (!is_rxnorm(r, 4) || at == NULL || strspn(at + 1, "0123456789") != 6)
        return;
    (void)snprintf(p->g->release, sizeof p->g->release, "20%.2s-%.2s", at + 1, at + 3);
}

/* --- the whole --- */

static enum ow_code relations_read(struct pass *p, struct ow_err *err)
{
    enum ow_code code = OW_OK;

    p->grown = true;
    for (int i = 0; code == OW_OK && p->grown; i++) {
        if (i == PASSES_MOST)
            return ow_err_set(err, OW_INPUT,
                              "RXNREL.RRF: still more concepts after %d passes", i);
        p->grown = false;
        code = each_row(p, "RXNREL.RRF", REL_FIELDS, see_relation, err);
    }
    return code;
}

enum ow_code ow_rxnorm_read(struct ow_rxnorm *g, const char *folder,
                            ow_config_report_fn *report, void *arg, struct ow_err *err)
{
    char inner[PATH_BYTES], probe[PATH_BYTES];
    struct pass p = { .g = g, .folder = folder, .report = report, .arg = arg };
    enum ow_code code;

    ow_arena_init(&g->arena, SIZE_MAX);
    slots_grow(g);
    if (ow_path_join(folder, "rrf/RXNCONSO.RRF", probe, sizeof probe) &&
        ow_is_file(probe) && ow_path_join(folder, "rrf", inner, sizeof inner))
        p.folder = inner;
    code = each_row(&p, "RXNCONSO.RRF", CONSO_FIELDS, see_ingredient, err);
    for (size_t i = 0; code == OW_OK && i < g->n_ingredients; i++) {
        size_t at;

        if (!g->ingredients[i].confirmed)
            continue;
        at = concept_add(g, g->ingredients[i].rxcui);
        g->concepts[at].ingredient = i;
    }
    if (code == OW_OK)
        code = relations_read(&p, err);
    if (code == OW_OK)
        code = each_row(&p, "RXNREL.RRF", REL_FIELDS, see_link, err);
    links_sort(g);
    if (code == OW_OK)
        code = each_row(&p, "RXNCONSO.RRF", CONSO_FIELDS, see_name, err);
    if (code == OW_OK)
        code = each_row(&p, "RXNSAT.RRF", SAT_FIELDS, see_attribute, err);
    ndcs_sort(g);
    if (code == OW_OK && ow_path_join(p.folder, "RXNSAB.RRF", probe, sizeof probe) &&
        ow_is_file(probe))
        code = each_row(&p, "RXNSAB.RRF", SAB_FIELDS, see_source, err);
    return code;
}

void ow_rxnorm_done(struct ow_rxnorm *g)
{
    free(g->concepts);
    free(g->slots);
    free(g->links);
    free(g->ndcs);
    ow_arena_done(&g->arena);
}
