#include "fhir/datatype.h"

#include <string.h>

#include "base/text.h"

void ow_rd_init(struct ow_rd *r, struct ow_arena *arena, const struct ow_zone *zone,
                const char *root)
{
    r->arena = arena;
    r->zone = zone;
    r->refused = NULL;
    r->path_len = ow_copy(r->path, sizeof r->path, root);
}

/* One path for each object that is read: no printf here. */
size_t ow_rd_enter(struct ow_rd *r, const char *key, int i)
{
    size_t mark = r->path_len, n = strlen(key);
    char digits[12], *at = digits + sizeof digits;

    if (mark + n + sizeof digits + 4 > sizeof r->path)
        return mark; /* too deep to be named: the path stays that of the parent */
    r->path[r->path_len++] = '.';
    memcpy(r->path + r->path_len, key, n);
    r->path_len += n;
    if (i >= 0) {
        *--at = ']';
        do
            *--at = (char)('0' + i % 10);
        while (i /= 10);
        *--at = '[';
        memcpy(r->path + r->path_len, at, (size_t)(digits + sizeof digits - at));
        r->path_len += (size_t)(digits + sizeof digits - at);
    }
    r->path[r->path_len] = '\0';
    return mark;
}

void ow_rd_leave(struct ow_rd *r, size_t mark)
{
    r->path_len = mark;
    r->path[mark] = '\0';
}

void ow_rd_refuse(struct ow_rd *r, const char *key, const char *what)
{
    if (!r->refused)
        r->refused = ow_arena_printf(r->arena, "%s%s%s: %s", r->path, key ? "." : "",
                                     key ? key : "", what);
}

/* A member, noted when it is of another type. A primitive may be absent but for an
 * extension of its own, which is looked for in the same pass. */
static const cJSON *member(struct ow_rd *r, const cJSON *o, const char *key, int types,
                           const char *expected)
{
    const cJSON *v = NULL, *shadow = NULL;

    if (!o || (o->type & cJSON_Object) == 0)
        return NULL;
    for (const cJSON *c = o->child; c && (!v || v->type == cJSON_NULL); c = c->next) {
        if (c->string[0] == key[0] && strcmp(c->string, key) == 0)
            v = c;
        else if (c->string[0] == '_' && strcmp(c->string + 1, key) == 0)
            shadow = c;
    }
    if (v && (v->type & cJSON_NULL) != 0)
        v = NULL;
    if (v && (v->type & types) == 0) {
        ow_rd_refuse(r, key, expected);
        return NULL;
    }
    if (!v && (types & (cJSON_Object | cJSON_Array)) == 0 && cJSON_IsObject(shadow))
        ow_rd_refuse(r, key, "has no value, only an extension");
    return v;
}

const cJSON *ow_rd_object(struct ow_rd *r, const cJSON *o, const char *key)
{
    return member(r, o, key, cJSON_Object, "expected an object");
}

const cJSON *ow_rd_array(struct ow_rd *r, const cJSON *o, const char *key)
{
    return member(r, o, key, cJSON_Array, "expected an array");
}

const char *ow_rd_string(struct ow_rd *r, const cJSON *o, const char *key)
{
    const cJSON *v = member(r, o, key, cJSON_String, "expected a string");

    return v ? v->valuestring : NULL;
}

bool ow_rd_bool(struct ow_rd *r, const cJSON *o, const char *key, bool *ret)
{
    const cJSON *v = member(r, o, key, cJSON_True | cJSON_False,
                            "expected true or false");

    if (v)
        *ret = cJSON_IsTrue(v);
    return v != NULL;
}

bool ow_rd_number(struct ow_rd *r, const cJSON *o, const char *key, struct ow_number *ret)
{
    const cJSON *v = member(r, o, key, cJSON_Number, "expected a number");

    *ret = (struct ow_number){ .value = OW_ZERO };
    if (!v)
        return false;
    ret->has_value = ow_json_value_ratio(v, &ret->value);
    if (!ret->has_value) {
        ret->value = OW_ZERO;
        ow_rd_refuse(r, key, "a number with too many digits");
    }
    return ret->has_value;
}

bool ow_rd_int(struct ow_rd *r, const cJSON *o, const char *key, int64_t *ret)
{
    struct ow_number n;

    if (!ow_rd_number(r, o, key, &n))
        return false;
    if (n.value.den != 1) {
        ow_rd_refuse(r, key, "expected a whole number");
        return false;
    }
    *ret = n.value.num;
    return true;
}

/* Items of an array, for sizes; FHIR has no empty arrays but bad senders do. */
static size_t count(const cJSON *array)
{
    size_t n = 0;

    for (const cJSON *c = array ? array->child : NULL; c; c = c->next)
        n++;
    return n;
}

size_t ow_rd_strings(struct ow_rd *r, const cJSON *o, const char *key,
                     const char *const **ret)
{
    const cJSON *array = ow_rd_array(r, o, key), *c;
    size_t n = 0;
    const char **list;

    *ret = NULL;
    if (count(array) == 0)
        return 0;
    list = OW_NEW_N(r->arena, const char *, count(array));
    cJSON_ArrayForEach(c, array)
    {
        if (cJSON_IsString(c))
            list[n++] = c->valuestring;
        else
            ow_rd_refuse(r, key, "expected strings");
    }
    *ret = list;
    return n;
}

void ow_rd_modifier(struct ow_rd *r, const cJSON *o)
{
    const cJSON *m = ow_json_get(o, "modifierExtension");

    if (!m || r->refused)
        return;
    if (cJSON_IsArray(m) && !m->child)
        return;
    r->refused = ow_arena_printf(r->arena, "modifierExtension on %s", r->path);
}

static struct ow_quantity quantity_of(struct ow_rd *r, const cJSON *q)
{
    struct ow_quantity ret = { .value = OW_ZERO };
    struct ow_number n;

    ret.has_value = ow_rd_number(r, q, "value", &n);
    ret.value = n.value;
    ret.comparator = ow_rd_string(r, q, "comparator");
    ret.unit = ow_rd_string(r, q, "unit");
    ret.system = ow_rd_string(r, q, "system");
    ret.code = ow_rd_string(r, q, "code");
    return ret;
}

bool ow_rd_quantity(struct ow_rd *r, const cJSON *o, const char *key,
                    struct ow_quantity *ret)
{
    const cJSON *q = ow_rd_object(r, o, key);
    size_t mark;

    *ret = (struct ow_quantity){ .value = OW_ZERO };
    if (!q)
        return false;
    mark = ow_rd_enter(r, key, -1);
    *ret = quantity_of(r, q);
    ow_rd_leave(r, mark);
    return true;
}

bool ow_rd_range(struct ow_rd *r, const cJSON *o, const char *key, struct ow_range *ret)
{
    const cJSON *v = ow_rd_object(r, o, key);
    size_t mark;

    *ret = (struct ow_range){ .low.value = OW_ZERO, .high.value = OW_ZERO };
    if (!v)
        return false;
    mark = ow_rd_enter(r, key, -1);
    ow_rd_quantity(r, v, "low", &ret->low);
    ow_rd_quantity(r, v, "high", &ret->high);
    ow_rd_leave(r, mark);
    return true;
}

struct ow_fraction ow_rd_fraction_of(struct ow_rd *r, const cJSON *v)
{
    struct ow_fraction ret;

    ow_rd_quantity(r, v, "numerator", &ret.numerator);
    ow_rd_quantity(r, v, "denominator", &ret.denominator);
    return ret;
}

bool ow_rd_fraction(struct ow_rd *r, const cJSON *o, const char *key,
                    struct ow_fraction *ret)
{
    const cJSON *v = ow_rd_object(r, o, key);
    size_t mark;

    *ret = (struct ow_fraction){ .numerator.value = OW_ZERO,
                                 .denominator.value = OW_ZERO };
    if (!v)
        return false;
    mark = ow_rd_enter(r, key, -1);
    *ret = ow_rd_fraction_of(r, v);
    ow_rd_leave(r, mark);
    return true;
}

bool ow_rd_time(struct ow_rd *r, const cJSON *o, const char *key, struct ow_span *ret)
{
    const char *text = ow_rd_string(r, o, key);

    if (!text)
        return false;
    if (ow_time_parse(text, r->zone, ret, NULL) == OW_OK)
        return true;
    ow_rd_refuse(r, key, "expected a FHIR date or time");
    return false;
}

bool ow_rd_period(struct ow_rd *r, const cJSON *o, const char *key, struct ow_span *ret)
{
    const cJSON *p = ow_rd_object(r, o, key);
    struct ow_span span = { OW_TIME_MIN, OW_TIME_MAX }, side;
    bool any = false;
    size_t mark;

    if (!p)
        return false;
    mark = ow_rd_enter(r, key, -1);
    if (ow_rd_time(r, p, "start", &side)) {
        span.from = side.from;
        any = true;
    }
    if (ow_rd_time(r, p, "end", &side)) {
        span.until = side.until;
        any = true;
    }
    if (any && span.until <= span.from) {
        ow_rd_refuse(r, NULL, "ends before it starts");
        any = false;
    }
    ow_rd_leave(r, mark);
    if (any)
        *ret = span;
    return any;
}

static struct ow_coding coding_of(struct ow_rd *r, const cJSON *c)
{
    return (struct ow_coding){ .system = ow_rd_string(r, c, "system"),
                               .code = ow_rd_string(r, c, "code"),
                               .display = ow_rd_string(r, c, "display") };
}

struct ow_concept ow_rd_concept_of(struct ow_rd *r, const cJSON *node)
{
    struct ow_concept ret = { .text = ow_rd_string(r, node, "text") };
    const cJSON *list = ow_rd_array(r, node, "coding"), *c;
    bool lone = !list && ow_json_string(node, "code");
    struct ow_coding *codings;
    size_t n = lone ? 1 : count(list);

    if (n == 0)
        return ret;
    codings = OW_NEW_N(r->arena, struct ow_coding, n);
    ret.codings = codings;
    if (lone)
        codings[ret.n_codings++] = coding_of(r, node);
    cJSON_ArrayForEach(c, list)
    {
        size_t mark = ow_rd_enter(r, "coding", (int)ret.n_codings);

        if (!cJSON_IsObject(c))
            ow_rd_refuse(r, NULL, "expected an object");
        codings[ret.n_codings++] = coding_of(r, c);
        ow_rd_leave(r, mark);
    }
    return ret;
}

bool ow_rd_concept(struct ow_rd *r, const cJSON *o, const char *key,
                   struct ow_concept *ret)
{
    const cJSON *v = ow_rd_object(r, o, key);
    size_t mark;

    *ret = (struct ow_concept){ 0 };
    if (!v)
        return false;
    mark = ow_rd_enter(r, key, -1);
    *ret = ow_rd_concept_of(r, v);
    ow_rd_leave(r, mark);
    return true;
}

size_t ow_rd_concepts(struct ow_rd *r, const cJSON *o, const char *key,
                      const struct ow_concept **ret)
{
    const cJSON *v = ow_json_get(o, key), *c;
    struct ow_concept *list;
    size_t n = cJSON_IsArray(v) ? count(v) : cJSON_IsObject(v) ? 1 : 0;

    *ret = NULL;
    if (n == 0)
        return 0;
    list = OW_NEW_N(r->arena, struct ow_concept, n);
    n = 0;
    for (c = cJSON_IsArray(v) ? v->child : v; c; c = cJSON_IsArray(v) ? c->next : NULL) {
        const cJSON *concept = ow_json_object(c, "concept");

        list[n++] = ow_rd_concept_of(r, concept ? concept : c);
    }
    *ret = list;
    return n;
}

const char *ow_rd_reference(struct ow_rd *r, const cJSON *o, const char *key)
{
    const cJSON *v = ow_rd_object(r, o, key);

    return v ? ow_json_string(v, "reference") : NULL;
}

const char *ow_rd_identifier(struct ow_rd *r, const cJSON *identifier)
{
    const char *system = ow_json_string(identifier, "system");
    const char *value = ow_json_string(identifier, "value");

    if (!value)
        return NULL;
    return ow_arena_printf(r->arena, "%s|%s", system ? system : "", value);
}
