/*
 * A walk over libyaml's events. Every function takes the reader with one event in hand
 * (`ev`) and leaves it with the next one that is not its own. A fault of the syntax ends
 * the walk (`dead`): libyaml cannot go on behind it; every other fault is reported and
 * its node skipped.
 */
#include "daemon/yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <yaml.h>

#include "base/text.h"

struct reader {
    yaml_parser_t parser;
    yaml_event_t ev;
    bool dead; /* no event in hand, and none will come */
    const char *file, *data;
    size_t len;
    struct ow_arena *arena;
    ow_config_report_fn *report;
    void *arg;
    unsigned errors;
    struct ow_yaml *out;
};

/* --- reports --- */

static struct ow_yaml_place place_of(yaml_mark_t m)
{
    return (struct ow_yaml_place){ (unsigned)m.line + 1, (unsigned)m.column + 1 };
}

static void fault(struct reader *r, struct ow_yaml_place at, const char *fmt, ...)
    OW_PRINTF(3, 4);

static void fault(struct reader *r, struct ow_yaml_place at, const char *fmt, ...)
{
    char text[OW_ERR_SIZE];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    r->errors++;
    r->report(r->arg, r->file, at.line, at.column, text);
}

/* Line and column of a byte, for faults below the level of characters. */
static struct ow_yaml_place place_of_byte(const struct reader *r, size_t offset)
{
    struct ow_yaml_place at = { 1, 1 };

    for (size_t i = 0; i < offset && i < r->len; i++) {
        at.column++;
        if (r->data[i] == '\n')
            at = (struct ow_yaml_place){ at.line + 1, 1 };
    }
    return at;
}

static void syntax_fault(struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    const char *problem = p->problem ? p->problem : "cannot be read";

    if (p->error == YAML_READER_ERROR)
        fault(r, place_of_byte(r, p->problem_offset), "no valid text: %s", problem);
    else if (p->context)
        fault(r, place_of(p->problem_mark), "syntax: %s (%s that begins at line %zu)",
              problem, p->context, p->context_mark.line + 1);
    else
        fault(r, place_of(p->problem_mark), "syntax: %s", problem);
}

/* --- events --- */

static void next(struct reader *r)
{
    if (r->dead)
        return;
    yaml_event_delete(&r->ev);
    if (yaml_parser_parse(&r->parser, &r->ev))
        return;
    memset(&r->ev, 0, sizeof r->ev);
    r->dead = true;
    syntax_fault(r);
}

static bool at(const struct reader *r, yaml_event_type_t type)
{
    return !r->dead && r->ev.type == type;
}

static struct ow_yaml_place here(const struct reader *r)
{
    return place_of(r->ev.start_mark);
}

/* Step over the node in hand, whatever is in it. */
static void skip(struct reader *r)
{
    unsigned depth = 0;

    while (!r->dead) {
        bool opens = at(r, YAML_MAPPING_START_EVENT) || at(r, YAML_SEQUENCE_START_EVENT);
        bool ends = at(r, YAML_MAPPING_END_EVENT) || at(r, YAML_SEQUENCE_END_EVENT);

        depth += opens;
        depth -= ends && depth > 0;
        next(r);
        if (depth == 0)
            return;
    }
}

static const char *node_name(const struct reader *r)
{
    return at(r, YAML_SEQUENCE_START_EVENT)  ? "a list"
           : at(r, YAML_MAPPING_START_EVENT) ? "a group of keys"
           : at(r, YAML_ALIAS_EVENT)         ? "an alias"
                                             : "a value";
}

/* Anchors and tags would make a file mean more than it shows. */
static void refuse_properties(struct reader *r)
{
    const yaml_char_t *anchor = NULL, *tag = NULL;

    if (at(r, YAML_SCALAR_EVENT)) {
        anchor = r->ev.data.scalar.anchor;
        tag = r->ev.data.scalar.tag;
    } else if (at(r, YAML_MAPPING_START_EVENT)) {
        anchor = r->ev.data.mapping_start.anchor;
        tag = r->ev.data.mapping_start.tag;
    }
    if (anchor)
        fault(r, here(r), "anchors are not taken: write the value out");
    if (tag)
        fault(r, here(r), "tags are not taken: each key knows its type");
}

/* --- scalars --- */

static bool is_null(const struct reader *r)
{
    const char *s = (const char *)r->ev.data.scalar.value;

    return r->ev.data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (*s == '\0' || ow_streq(s, "~") || ow_strcaseeq(s, "null"));
}

/* The text of the scalar in hand, or NULL with a report; not yet stepped over. */
static const char *scalar_text(struct reader *r)
{
    const char *s = (const char *)r->ev.data.scalar.value;
    size_t n = r->ev.data.scalar.length;

    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f) {
            fault(r, here(r), "a control character or line break inside");
            return NULL;
        }
    }
    return ow_arena_strndup(r->arena, s, n);
}

/* A key of a mapping, or NULL after skipping both it and its value. */
static const char *key_text(struct reader *r, const char *what)
{
    const char *text = NULL;

    refuse_properties(r);
    if (at(r, YAML_SCALAR_EVENT) && !is_null(r))
        text = scalar_text(r);
    else if (!r->dead)
        fault(r, here(r), "expected the name of a %s, found %s", what,
              at(r, YAML_SCALAR_EVENT) ? "nothing" : node_name(r));
    skip(r);
    if (!text)
        skip(r);
    return text;
}

/* section.group.key, for faults */
static const char *item_name(struct reader *r, const struct ow_yaml_item *it)
{
    const char *name = it->section;

    for (unsigned i = 0; i < it->depth; i++)
        name = ow_arena_printf(r->arena, "%s.%s", name, it->path[i]);
    return it->key ? ow_arena_printf(r->arena, "%s.%s", name, it->key) : name;
}

/* A list of words as one text with commas. */
static void list_read(struct reader *r, struct ow_yaml_item *item)
{
    const char *all = NULL;
    bool bad = false;

    next(r); /* into the list */
    while (!r->dead && !at(r, YAML_SEQUENCE_END_EVENT)) {
        const char *one = NULL;

        refuse_properties(r);
        if (!at(r, YAML_SCALAR_EVENT))
            fault(r, here(r), "%s: expected a word, found %s", item_name(r, item),
                  node_name(r));
        else
            one = scalar_text(r);
        bad = bad || !one;
        if (one)
            all = all ? ow_arena_printf(r->arena, "%s, %s", all, one) : one;
        skip(r);
    }
    next(r); /* its end */
    if (!bad && !r->dead)
        item->value = all ? all : "none";
}

static void value_read(struct reader *r, struct ow_yaml_item *item)
{
    item->value_at = here(r);
    refuse_properties(r);
    if (at(r, YAML_SEQUENCE_START_EVENT) && item->depth > 0) {
        list_read(r, item);
        return;
    }
    if (!at(r, YAML_SCALAR_EVENT))
        fault(r, here(r), "%s takes one value, not %s", item_name(r, item), node_name(r));
    else if (is_null(r))
        fault(r, here(r), "%s has no value: leave the key out, or write \"\"",
              item_name(r, item));
    else
        item->value = scalar_text(r);
    skip(r);
}

/* --- mappings --- */

/* Where we are: a section and groups in it. */
struct where {
    const char *section;
    const char *path[OW_YAML_DEPTH];
    unsigned depth;
};

static bool same_place(const struct ow_yaml_item *it, const struct where *w,
                       const char *key)
{
    bool same = it->depth == w->depth && ow_streq(it->section, w->section) &&
                ow_streq(it->key, key);

    for (unsigned i = 0; same && i < w->depth; i++)
        same = ow_streq(it->path[i], w->path[i]);
    return same;
}

static const struct ow_yaml_item *find(const struct reader *r, const struct where *w,
                                       const char *key)
{
    for (size_t i = 0; i < r->out->n; i++)
        if (same_place(&r->out->items[i], w, key))
            return &r->out->items[i];
    return NULL;
}

/* Add an item; one that is there already is reported and still read, for its faults. */
static struct ow_yaml_item *item_add(struct reader *r, const struct where *w,
                                     const char *key, struct ow_yaml_place key_at)
{
    const struct ow_yaml_item *before = find(r, w, key);
    struct ow_yaml *out = r->out;
    struct ow_yaml_item add = {
        .section = w->section, .depth = w->depth, .key = key, .key_at = key_at
    };

    memcpy(add.path, w->path, sizeof add.path);
    if (before)
        fault(r, key_at, "%s%s is given twice, first in line %u",
              key || w->depth ? "" : "section ", item_name(r, &add), before->key_at.line);
    OW_ARENA_GROW(r->arena, out->items, out->n, out->cap);
    out->items[out->n] = add;
    return &out->items[out->n++];
}

/* How many groups a section may hold within each other. */
static unsigned depth_of(const char *section)
{
    return ow_streq(section, "rules") || ow_streq(section, "clients") ? 1
           : ow_streq(section, "clinics")                             ? 2
                                                                      : 0;
}

static void section_read(struct reader *r, const struct where *w)
{
    while (!r->dead && !at(r, YAML_MAPPING_END_EVENT)) {
        struct ow_yaml_place key_at = here(r);
        const char *key = key_text(r, "key");
        struct where in = *w;

        if (key && !r->dead && at(r, YAML_MAPPING_START_EVENT) &&
            w->depth < depth_of(w->section)) {
            in.path[in.depth++] = key;
            item_add(r, &in, NULL, key_at)->value_at = here(r);
            refuse_properties(r);
            next(r);
            section_read(r, &in); /* at most OW_YAML_DEPTH deep */
        } else if (key && !r->dead) {
            value_read(r, item_add(r, w, key, key_at));
        }
        if (r->out->n >= OW_YAML_ITEMS) {
            fault(r, key_at, "more than %d keys", OW_YAML_ITEMS);
            r->dead = true;
        }
    }
    next(r); /* the end of the mapping */
}

static void root_read(struct reader *r)
{
    while (!r->dead && !at(r, YAML_MAPPING_END_EVENT)) {
        struct ow_yaml_place key_at = here(r);
        const char *section = key_text(r, "section");
        const struct where w = { .section = section };

        if (!section || r->dead)
            continue;
        item_add(r, &w, NULL, key_at)->value_at = here(r);
        refuse_properties(r);
        if (at(r, YAML_MAPPING_START_EVENT)) {
            next(r);
            section_read(r, &w);
            continue;
        }
        if (!at(r, YAML_SCALAR_EVENT) || !is_null(r))
            r->out->items[r->out->n - 1].value = node_name(r);
        skip(r);
    }
    next(r);
}

static void document_read(struct reader *r)
{
    next(r); /* behind the start of the document */
    refuse_properties(r);
    if (at(r, YAML_MAPPING_START_EVENT)) {
        next(r);
        root_read(r);
    } else if (!r->dead) {
        if (!at(r, YAML_SCALAR_EVENT) || !is_null(r))
            fault(r, here(r), "expected sections such as 'fhir:', found %s",
                  node_name(r));
        skip(r);
    }
    next(r); /* behind its end */
    if (at(r, YAML_DOCUMENT_START_EVENT))
        fault(r, here(r), "a second document: one file is one document");
}

enum ow_code ow_yaml_read(const char *file, const char *data, size_t len,
                          struct ow_arena *arena, ow_config_report_fn *report, void *arg,
                          struct ow_yaml *ret)
{
    struct reader r = { .file = file,
                        .data = data,
                        .len = len,
                        .arena = arena,
                        .report = report,
                        .arg = arg,
                        .out = ret };

    *ret = (struct ow_yaml){ NULL, 0, 0 };
    ow_assert(yaml_parser_initialize(&r.parser));
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)data, len);
    next(&r); /* the start of the stream */
    next(&r);
    if (at(&r, YAML_DOCUMENT_START_EVENT))
        document_read(&r);
    yaml_event_delete(&r.ev);
    yaml_parser_delete(&r.parser);
    return r.errors > 0 ? OW_CONFIG : OW_OK;
}
