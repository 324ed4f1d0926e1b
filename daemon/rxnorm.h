/*
 * RxNorm: what a release says of some ingredients
 *
 * Read in passes over the files, none of which is ever whole in memory: the ingredients
 * by name or number; what has them, pass by pass, until nothing more is found
 * (component has_ingredient ingredient, product consists_of component, brand tradename_of
 * generic, pack contains product); then the names, the strengths, and the NDCs of what
 * was found. Memory grows with these concepts only. [NLM, RxNorm Technical
 * Documentation: RXNREL is read "RXCUI2 RELA RXCUI1"]
 */
#pragma once

#include "base/arena.h"
#include "daemon/config.h"

struct ow_rx_ingredient {
    const char *name;
    uint64_t rxcui; /* 0: to be found by its name */
    bool opioid, sedative;
    bool confirmed; /* the release has it under this name */
};

struct ow_rx_concept {
    uint64_t rxcui;
    bool ours;         /* has one of the ingredients, at whatever distance */
    size_t ingredient; /* of an ingredient asked for: its place; else SIZE_MAX */
    const char *tty, *name;
    const char *strength; /* attribute RXN_STRENGTH */
    bool suppressed, human, vet;
};

enum ow_rx_rela {
    OW_RX_INGREDIENT, /* component has_ingredient ingredient */
    OW_RX_COMPONENT,  /* product consists_of component */
    OW_RX_GENERIC,    /* brand tradename_of generic */
    OW_RX_CONTENT,    /* pack contains product */
    OW_RX_FORM,       /* product has_dose_form form */
};

struct ow_rx_link {
    size_t from, to;
    enum ow_rx_rela rela;
};

struct ow_rx_ndc {
    char ndc[12];
    size_t concept;
};

struct ow_rxnorm {
    struct ow_arena arena;
    struct ow_rx_ingredient *ingredients; /* borrowed; numbers are filled in */
    size_t n_ingredients;
    struct ow_rx_concept *concepts;
    size_t n_concepts, cap_concepts;
    uint32_t *slots; /* place + 1 by number; half of them free */
    size_t n_slots;
    struct ow_rx_link *links; /* in order of from, rela, to */
    size_t n_links, cap_links;
    struct ow_rx_ndc *ndcs; /* in order of ndc, concept */
    size_t n_ndcs, cap_ndcs;
    char release[16]; /* "2025-03"; "" when the files do not say */
    size_t malformed;
};

/* Read a release's folder, or its subfolder rrf. OW_INPUT when files are missing; rows
 * that are malformed are reported and counted. */
OW_MUST_USE enum ow_code ow_rxnorm_read(struct ow_rxnorm *g, const char *folder,
                                        ow_config_report_fn *report, void *arg,
                                        struct ow_err *err);
void ow_rxnorm_done(struct ow_rxnorm *g);

/* Links of one kind that go out from a concept. */
const struct ow_rx_link *ow_rxnorm_links(const struct ow_rxnorm *g, size_t from,
                                         enum ow_rx_rela rela, size_t *n);
