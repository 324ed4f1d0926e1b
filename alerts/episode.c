#include "alerts/episode.h"

#include <string.h>

#include "base/text.h"

static const struct ow_episode *episode_find(const struct ow_episode *known, size_t n,
                                             const char *rule, const char *cause)
{
    const struct ow_episode *last = NULL;

    for (size_t i = 0; i < n; i++) {
        if (ow_streq(known[i].rule, rule) && ow_streq(known[i].cause, cause) &&
            (!last || known[i].number > last->number))
            last = &known[i];
    }
    return last;
}

static bool finding_exists(const struct ow_verdict *v, const struct ow_episode *e)
{
    for (size_t i = 0; i < v->n_findings; i++) {
        if (v->findings[i].tier > OW_TIER_INFO &&
            ow_streq(v->findings[i].rule, e->rule) &&
            ow_streq(v->findings[i].cause, e->cause))
            return true;
    }
    return false;
}

static bool may_resolve(const struct ow_episode *e, const struct ow_verdict *v,
                        bool incomplete)
{
    if (incomplete || finding_exists(v, e))
        return false;
    return !(v->at_least && ow_streq(e->rule, "med-threshold"));
}

/* One finding against what is known; false when it was told before and has not changed.
 */
static bool episode_next(const struct ow_episode *last, const struct ow_finding *f,
                         struct ow_episode *ret)
{
    *ret = (struct ow_episode){ .rule = f->rule,
                                .cause = f->cause,
                                .number = last ? last->number : 1,
                                .tier = f->tier,
                                .open = true,
                                .reason = f->reason,
                                .finding = f };
    if (!last)
        return true;
    if (!last->open) {
        ret->number = last->number + 1;
        return true;
    }
    ret->revision = last->revision + 1;
    ret->opened = last->opened;
    return last->tier != f->tier;
}

void ow_episodes_plan(const struct ow_episode *known, size_t n_known,
                      const struct ow_verdict *v, bool incomplete, struct ow_arena *arena,
                      const struct ow_episode **ret, size_t *n, size_t *n_unchanged)
{
    struct ow_episode *out = OW_NEW_N(arena, struct ow_episode, v->n_findings + n_known);
    size_t n_out = 0;

    *n_unchanged = 0;
    for (size_t i = 0; i < v->n_findings; i++) {
        const struct ow_finding *f = &v->findings[i];

        if (f->tier == OW_TIER_INFO || f->silent != NULL)
            continue;
        if (episode_next(episode_find(known, n_known, f->rule, f->cause), f, &out[n_out]))
            n_out++;
        else
            ++*n_unchanged;
    }
    for (size_t i = 0; i < n_known; i++) {
        if (!known[i].open || !may_resolve(&known[i], v, incomplete))
            continue;
        out[n_out] = known[i];
        out[n_out].open = false;
        out[n_out].revision++;
        out[n_out].finding = NULL;
        n_out++;
    }
    *ret = out;
    *n = n_out;
}
