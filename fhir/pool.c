#include "fhir/pool.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "fhir/reference.h"

static struct ow_item *item_push(struct ow_pool *p)
{
    OW_ARENA_GROW(p->arena, p->items, p->n, p->cap);
    p->items[p->n] = (struct ow_item){ .at = p->n };
    return &p->items[p->n++];
}

static const char *name_of(struct ow_pool *p, const struct ow_item *i, const char *path)
{
    const char *from_url;

    if (i->id)
        return ow_arena_printf(p->arena, "%s/%s", i->type, i->id);
    from_url = ow_reference_normal(p->arena, i->full_url);
    if (from_url)
        return from_url;
    if (i->full_url)
        return i->full_url;
    if (i->bundle > 1)
        return ow_arena_printf(p->arena, "%s at %s of Bundle %u", i->type, path,
                               i->bundle);
    return *path ? ow_arena_printf(p->arena, "%s at %s", i->type, path) : i->type;
}

static void time_read(struct ow_pool *p, struct ow_item *i, const char *text)
{
    struct ow_span span;

    if (text && ow_time_parse(text, p->zone, &span, NULL) == OW_OK) {
        i->has_updated = true;
        i->updated = span.from;
    }
}

struct ow_item *ow_pool_add(struct ow_pool *p, const cJSON *resource, const char *path,
                            const char *full_url, unsigned bundle)
{
    struct ow_item *i = item_push(p);
    const cJSON *meta = ow_json_object(resource, "meta");

    i->resource = resource;
    i->type = ow_json_string(resource, "resourceType");
    i->id = ow_json_string(resource, "id");
    i->full_url = full_url;
    i->bundle = bundle;
    i->name = name_of(p, i, path);
    i->named = i->id || full_url;
    i->version = ow_json_string(meta, "versionId");
    time_read(p, i, ow_json_string(meta, "lastUpdated"));
    return i;
}

void ow_pool_delete(struct ow_pool *p, const char *url, const char *when, unsigned bundle)
{
    const char *name = ow_reference_normal(p->arena, url);
    struct ow_item *i;

    /* request.url is relative ("MedicationRequest/rx9"): it has a slash, or is nothing */
    if (!name)
        return;
    i = item_push(p);
    i->name = name;
    i->type = ow_arena_strndup(p->arena, name, strcspn(name, "/"));
    i->named = true;
    i->bundle = bundle;
    time_read(p, i, when);
}

/* --- indexes --- */

static int by_place(const struct ow_item *a, const struct ow_item *b)
{
    return a->at < b->at ? -1 : a->at > b->at;
}

static int name_order(const void *pa, const void *pb)
{
    const struct ow_item *a = *(const struct ow_item *const *)pa;
    const struct ow_item *b = *(const struct ow_item *const *)pb;
    int d = strcmp(a->name, b->name);

    if (d == 0)
        d = (int)a->is_draft - (int)b->is_draft;
    return d != 0 ? d : by_place(a, b);
}

static int url_order(const void *pa, const void *pb)
{
    const struct ow_item *a = *(const struct ow_item *const *)pa;
    const struct ow_item *b = *(const struct ow_item *const *)pb;
    int d = strcmp(a->full_url, b->full_url);

    return d != 0 ? d : by_place(a, b);
}

static void index_build(struct ow_pool *p)
{
    if (p->n_indexed == p->n && p->by_name)
        return;
    p->by_name = OW_NEW_N(p->arena, const struct ow_item *, p->n);
    p->by_url = OW_NEW_N(p->arena, const struct ow_item *, p->n);
    p->n_by_url = 0;
    for (size_t i = 0; i < p->n; i++) {
        p->by_name[i] = &p->items[i];
        if (p->items[i].full_url && p->items[i].resource)
            p->by_url[p->n_by_url++] = &p->items[i];
    }
    if (p->n > 0) {
        qsort(p->by_name, p->n, sizeof(void *), name_order);
        qsort(p->by_url, p->n_by_url, sizeof(void *), url_order);
    }
    p->n_indexed = p->n;
}

/* First position whose string is not below `key`. */
static size_t lower_bound(const struct ow_item *const *list, size_t n, bool url,
                          const char *key)
{
    size_t low = 0, high = n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (strcmp(url ? list[mid]->full_url : list[mid]->name, key) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* Among equal fullUrls the same Bundle's, else the first that was kept. */
static const struct ow_item *find_url(struct ow_pool *p, unsigned bundle, const char *url)
{
    const struct ow_item *any = NULL;

    for (size_t i = lower_bound(p->by_url, p->n_by_url, true, url);
         i < p->n_by_url && strcmp(p->by_url[i]->full_url, url) == 0; i++) {
        const struct ow_item *it = p->by_url[i];

        if (it->bundle == bundle && !it->dropped)
            return it;
        if (!any || any->dropped)
            any = it;
    }
    return any;
}

static const struct ow_item *find_name(struct ow_pool *p, const char *name)
{
    for (size_t i = lower_bound(p->by_name, p->n, false, name);
         i < p->n && strcmp(p->by_name[i]->name, name) == 0; i++) {
        if (p->by_name[i]->resource && !p->by_name[i]->dropped)
            return p->by_name[i];
    }
    return NULL;
}

const struct ow_item *ow_pool_find(struct ow_pool *p, unsigned bundle,
                                   const char *reference)
{
    const struct ow_item *found;
    const char *name;

    index_build(p);
    found = find_url(p, bundle, reference);
    if (found)
        return found;
    name = ow_reference_normal(p->arena, reference);
    return name ? find_name(p, name) : NULL;
}

/* --- versions --- */

/* Above zero when `a` is the newer one, zero when nothing tells. */
static int newer(const struct ow_item *a, const struct ow_item *b)
{
    uint64_t va, vb;

    if (a->version && b->version && ow_parse_u64(a->version, &va) &&
        ow_parse_u64(b->version, &vb) && va != vb)
        return va > vb ? 1 : -1;
    if (a->has_updated && b->has_updated && a->updated != b->updated)
        return a->updated > b->updated ? 1 : -1;
    if (!a->resource != !b->resource) /* a history tells the newest first */
        return a->at < b->at ? 1 : -1;
    return 0;
}

/* Settle `b` against the `a` that leads so far; gives the one that leads from here. */
static struct ow_item *settle_pair(struct ow_pool *p, struct ow_item *a,
                                   struct ow_item *b,
                                   void (*note)(void *arg, const char *text), void *arg)
{
    int d = newer(a, b);

    if (d == 0 && (!a->resource || ow_json_same(a->resource, b->resource) ||
                   strcmp(a->type, "Patient") == 0)) {
        b->dropped = true;
        return a;
    }
    if (d == 0) {
        note(arg, ow_arena_printf(p->arena,
                                  "%s came twice with different contents and nothing "
                                  "tells which is newer: both kept",
                                  a->name));
        return a;
    }
    note(arg, ow_arena_printf(p->arena, "%s came in several versions: the newest taken",
                              a->name));
    (d > 0 ? b : a)->dropped = true;
    return d > 0 ? a : b;
}

void ow_pool_settle(struct ow_pool *p, void (*note)(void *arg, const char *text),
                    void *arg)
{
    struct ow_item *lead = NULL;

    index_build(p);
    for (size_t i = 0; i < p->n; i++) {
        struct ow_item *it = &p->items[p->by_name[i]->at];

        if (lead && it->named && lead->named && strcmp(it->name, lead->name) == 0 &&
            it->is_draft == lead->is_draft)
            lead = settle_pair(p, lead, it, note, arg);
        else
            lead = it;
    }
    for (size_t i = 0; i < p->n; i++) {
        if (!p->items[i].resource)
            p->items[i].dropped = true;
    }
}

/* --- resolver --- */

static const cJSON *contained_find(const cJSON *holder, const char *id)
{
    const cJSON *list = ow_json_array(holder, "contained"), *c;

    cJSON_ArrayForEach(c, list)
    {
        if (ow_streq(ow_json_string(c, "id"), id))
            return c;
    }
    return NULL;
}

static const cJSON *view_find(const void *arg, const cJSON *from, const char *reference)
{
    const struct ow_pool_view *v = arg;
    const struct ow_item *found;

    if (reference[0] == '#') {
        const cJSON *c = contained_find(from, reference + 1);

        return c ? c : contained_find(v->item->resource, reference + 1);
    }
    found = ow_pool_find(v->pool, v->item->bundle, reference);
    return found ? found->resource : NULL;
}

static const char *view_normal(const void *arg, const cJSON *from, const char *reference)
{
    const struct ow_pool_view *v = arg;
    const struct ow_item *found;

    (void)from;
    if (reference[0] == '#')
        return NULL;
    index_build(v->pool);
    found = find_url(v->pool, v->item->bundle, reference);
    return found ? found->name : ow_reference_normal(v->pool->arena, reference);
}

struct ow_resolver ow_pool_resolver(const struct ow_pool_view *view)
{
    return (struct ow_resolver){ .find = view_find, .normal = view_normal, .arg = view };
}
