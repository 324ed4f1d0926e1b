#include "daemon/source_attributes.h"

#include <stdio.h>
#include <string.h>

#include "base/jw.h"
#include "base/text.h"

static const struct source {
    const char *key, *citation, *url, *released;
} sources[] = {
#define SOURCE(key, citation, url, released) { key, citation, url, released },
#include "daemon/sources.def"
#undef SOURCE
};

/* That of the key itself, else that of the guideline whose recommendation it is. */
static const struct source *source_of(const char *key)
{
    const struct source *guideline = NULL;

    for (size_t i = 0; i < OW_LEN(sources); i++) {
        size_t n = strlen(sources[i].key);

        if (ow_streq(key, sources[i].key))
            return &sources[i];
        if (ow_starts_with(key, sources[i].key) && ow_starts_with(key + n, "-R"))
            guideline = &sources[i];
    }
    return guideline;
}

static void write_sources(struct ow_jw *w, const char *keys)
{
    char key[80];

    ow_jw_karray(w, "bibliographicCitation");
    while (!ow_streq(keys, "none") && *keys) {
        size_t n = strcspn(keys, ",");
        const struct source *s;

        snprintf(key, sizeof key, "%.*s", (int)n, keys);
        s = source_of(key);
        ow_jw_object(w);
        ow_jw_kstring(w, "key", key);
        ow_jw_kstring(w, "citation", s ? s->citation : NULL);
        ow_jw_kstring(w, "url", s ? s->url : NULL);
        ow_jw_kstring(w, "released", s ? s->released : NULL);
        ow_jw_end(w);
        keys += n;
        keys += strspn(keys, ", ");
    }
    ow_jw_end(w);
}

static void write_use(struct ow_jw *w, const struct ow_policy *p, enum ow_rule rule)
{
    unsigned uses = ow_rule_use(rule)->uses, silent = p->rules[rule].silenced_by;

    ow_jw_kobject(w, "uses");
    ow_jw_kbool(w, "race", false);
    ow_jw_kbool(w, "ethnicity", false);
    ow_jw_kbool(w, "language", false);
    ow_jw_kbool(w, "sexualOrientation", false);
    ow_jw_kbool(w, "genderIdentity", false);
    ow_jw_kbool(w, "sex", false);
    ow_jw_kbool(w, "dateOfBirth",
                (uses & OW_USES_BIRTH) != 0 || (silent & OW_EXCLUDE_MINOR) != 0);
    ow_jw_kbool(w, "socialDeterminantsOfHealth", false);
    ow_jw_kbool(w, "healthStatusAssessments", (uses & OW_USES_ASSESSMENTS) != 0);
    ow_jw_end(w);
    ow_jw_karray(w, "inputs");
    ow_jw_string(w, "medication orders and dispenses");
    if ((uses & OW_USES_CONDITIONS) != 0 || (silent & OW_EXCLUDE_ILLNESS) != 0)
        ow_jw_string(w, "conditions, procedures, encounters and plans");
    if ((uses & OW_USES_RESULTS) != 0)
        ow_jw_string(w, "laboratory results");
    ow_jw_end(w);
}

static void write_params(struct ow_jw *w, const struct ow_policy *p,
                         const struct ow_pack_chain *chain, enum ow_rule rule)
{
    char text[OW_RATIO_TEXT];

    ow_jw_karray(w, "silentFor");
    for (unsigned i = 0; i < OW_EXCLUDE_N; i++)
        if ((p->rules[rule].silenced_by & 1u << i) != 0)
            ow_jw_string(w, ow_exclusion_name(1u << i));
    ow_jw_end(w);
    ow_jw_karray(w, "parameters");
    for (unsigned i = 0; i < OW_PARAM_N; i++) {
        const struct ow_param_info *info = ow_param_info((enum ow_param)i);

        if (info->rule != rule)
            continue;
        ow_jw_object(w);
        ow_jw_kstring(w, "name", info->key);
        ow_ratio_decimal(p->params[i], text);
        ow_jw_key(w, "value");
        ow_jw_raw(w, text, strlen(text));
        ow_jw_kstring(w, "meaning", info->words);
        ow_jw_kstring(w, "source", ow_pack_source(chain, rule, info->key));
        ow_jw_end(w);
    }
    ow_jw_end(w);
}

void ow_source_attributes(const struct ow_policy *p, const struct ow_pack_chain *chain,
                          struct ow_buf *out)
{
    for (size_t i = 0; i < OW_RULE_N; i++) {
        enum ow_rule rule = (enum ow_rule)i;
        struct ow_jw w;

        ow_jw_init(&w, out);
        ow_jw_object(&w);
        ow_jw_kstring(&w, "rule", ow_rule_name(rule));
        ow_jw_kstring(&w, "type", "evidence-based");
        ow_jw_kstring(&w, "intendedUse", ow_rule_use(rule)->intended);
        ow_jw_kstring(&w, "mode", ow_mode_name(p->rules[i].mode));
        ow_jw_kstring(&w, "policy", p->name);
        ow_jw_kstring(&w, "policyVersion", p->version);
        ow_jw_kstring(&w, "policySha256", p->sha256);
        write_sources(&w, ow_pack_source(chain, rule, "mode"));
        ow_jw_kstring(&w, "developer", "the opiward project");
        ow_jw_kstring(&w, "software", "opiward " OW_VERSION);
        ow_jw_kstring(&w, "fundingSource", NULL); /* nobody declared one */
        write_use(&w, p, rule);
        write_params(&w, p, chain, rule);
        ow_jw_end(&w);
        ow_buf_char(out, '\n');
    }
}
