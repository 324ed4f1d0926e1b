/*
 * Overlay: what a configuration says of rules, beside its rule pack
 *
 * The sections `rules` and `clinics`: for each rule its mode, exclusions and numbers, and
 * the day from which that holds; the same once more for each clinic. Out of them and the
 * pack come the policies of everybody and of each clinic, one for each stretch of time
 * between two such days.
 */
#pragma once

#include "daemon/setting.h"
#include "daemon/yaml.h"

struct ow_overlay_rule {
    bool has_mode, has_excluded;
    enum ow_mode mode;
    unsigned excluded;
    const char *from; /* 2026-04-01; NULL: of the clinic, or always */
    ow_time at;       /* the same as instant; OW_TIME_MIN: always */
};

struct ow_policy_stretch {
    ow_time from;
    const struct ow_policy *policy;
};

struct ow_overlay {
    const char *clinic; /* Organization/north; NULL: everybody */
    const char *from;   /* of all rules that name no day */
    struct ow_overlay_rule rules[OW_RULE_N];
    struct ow_config_number params[OW_PARAM_N];
    struct ow_place param_places[OW_PARAM_N];
    struct ow_policy_stretch *stretches; /* in order; the first reaches back for ever */
    size_t n_stretches;
    struct ow_overlay *next; /* of the clinics, in order of name */
};

/* Take one item of the sections rules or clinics; faults are reported. */
void ow_overlay_take(struct ow_snapshot *s, struct ow_reporter *to, const char *file,
                     const struct ow_yaml_item *it);

/* Policies out of `base` (the pack and the section policy) and all overlays. */
void ow_overlay_build(struct ow_snapshot *s, struct ow_reporter *to,
                      const struct ow_policy *base);

/* The two sections as text. `base`: what "preset" stands for. */
void ow_overlay_print(const struct ow_config *c, struct ow_buf *out);
