/*
 * Fact: the inside of the facts, for the files that read them
 *
 * Records and orders are gone through once each; every code is looked up once, for all
 * sets together. A fact that nothing made true is false, or undecided when a kind of
 * resource that could have made it true was not looked for.
 */
#pragma once

#include "alerts/facts.h"

enum { FACT_EVIDENCE = 8 }; /* resources named at most */

struct fact_draft {
    bool yes, undecided;
    const char *by[FACT_EVIDENCE];
    size_t n_by;
};

struct fact_book {
    struct ow_judge *j;
    struct fact_draft f[OW_FACT_N];
};

void fact_yes(struct fact_book *b, enum ow_fact_id id, const char *by);

/* What was told of an event; the latest stays. A future one is none. */
void fact_event(struct fact_book *b, enum ow_event e, struct ow_span when,
                const char *by);

void facts_of_records(struct fact_book *b);
void facts_of_orders(struct fact_book *b);
