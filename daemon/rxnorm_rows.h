/*
 * RxNorm rows: what a concept of a release is as a row of our tables
 *
 * Ingredient and strength of a product are those of its components; what a pack holds is
 * told by the products it contains, never by its name. What cannot be a row (two opioids,
 * a strength in other units, a pack of different strengths) is left out with the reason.
 */
#pragma once

#include "daemon/rxnorm.h"

enum { OW_RX_PARTS = 16 };

struct ow_rx_drug {
    size_t n_ingredients;            /* of the kind asked for */
    size_t ingredients[OW_RX_PARTS]; /* places in the list of ingredients, by name */
    const char *strength, *unit;     /* of opioids only */
    const char *parts;               /* "4.5+0.38": two salts added; else "" */
    const char *others;              /* "acetaminophen 325 MG; ..." */
    const char *form;                /* dose form; "" for a component */
    uint64_t form_rxcui;
    const char *inner_form; /* of a pack: the dose form of what it holds */
    int wear_hours;         /* "72 HR ..." at the head of its name; 0: none */
};

enum ow_rx_answer {
    OW_RX_NONE,     /* none of the ingredients, no product, suppressed, veterinary */
    OW_RX_LEFT_OUT, /* `why` says why */
    OW_RX_DRUG,
};

/* Concept as an opioid product, or as a sedative one (strength does not matter there). */
enum ow_rx_answer ow_rx_drug_read(struct ow_rxnorm *g, size_t concept, bool opioid,
                                  struct ow_rx_drug *ret, const char **why);
