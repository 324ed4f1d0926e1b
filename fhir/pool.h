/*
 * Pool: the resources that came in, found by name and by fullUrl
 *
 * Each keeps the Bundle it came in, so that urn:uuid references resolve there first.
 * Versions of one resource are settled here: the newest stays, and where nothing tells
 * which is newer and they differ, both stay.
 */
#pragma once

#include "fhir/order.h"

struct ow_item {
    const cJSON *resource; /* NULL: a deletion */
    const char *type, *id;
    const char *name; /* Type/id; else its fullUrl; else "Type at entry[3]" */
    const char *full_url;
    const char *version;
    bool named; /* has an id or a fullUrl: can be a version of another */
    bool has_updated, is_draft, selected, dropped;
    ow_time updated;
    unsigned bundle; /* 0: came alone */
    size_t at;       /* position in the pool */
    const char *patient;
};

struct ow_pool {
    struct ow_arena *arena;
    const struct ow_zone *zone;
    struct ow_item *items;
    size_t n, cap;
    size_t n_indexed; /* items when the indexes were built */
    const struct ow_item **by_name, **by_url;
    size_t n_by_url;
    unsigned n_bundles;
};

/* `path` is where it stood, for a resource without a name. */
struct ow_item *ow_pool_add(struct ow_pool *p, const cJSON *resource, const char *path,
                            const char *full_url, unsigned bundle);
/* A deletion, as a history Bundle tells it; `url` is its request.url or fullUrl. */
void ow_pool_delete(struct ow_pool *p, const char *url, const char *when,
                    unsigned bundle);

/* Settle versions; each decision that someone might ask about goes to `note`. */
void ow_pool_settle(struct ow_pool *p, void (*note)(void *arg, const char *text),
                    void *arg);

/* The item of a fullUrl (the same Bundle's first) or a normal reference; NULL: none. */
const struct ow_item *ow_pool_find(struct ow_pool *p, unsigned bundle,
                                   const char *reference);

/* A resolver for what `item` holds. The view must live as long as it is used. */
struct ow_pool_view {
    struct ow_pool *pool;
    const struct ow_item *item;
};
struct ow_resolver ow_pool_resolver(const struct ow_pool_view *view);
