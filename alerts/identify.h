/*
 * Identify: which drug an order is of
 *
 * Looks at the codings of the medication, then at those of its ingredients: of RxNorm, or
 * an NDC or local code that a table maps to it. Of several known codings the most
 * specific wins: a product over a drug component over an ingredient; among equals the
 * first, and a note says when they are different drugs.
 *
 * What no table knows stays unknown, whatever its name: a name is good enough to raise a
 * doubt ("looks like oxycodone", "lorazepam beside an opioid"), never to clear one.
 * `like` and `sedative` carry that doubt. Known and no opioid are the sedatives of the
 * table and the members of a few published code sets (antagonists, stimulants).
 */
#pragma once

#include "alerts/knowledge.h"
#include "base/arena.h"

enum ow_drug_kind {
    OW_DRUG_OPIOID, /* a product or drug component of the table */
    OW_DRUG_BARE,   /* an opioid by its code, without strength or dose form */
    OW_DRUG_OTHER,  /* known, and no opioid */
    OW_DRUG_UNKNOWN,
};

struct ow_drug {
    enum ow_drug_kind kind;
    const struct ow_product *product;   /* of an OPIOID; else NULL */
    const struct ow_sedative *sedative; /* also, or only, a sedative; else NULL */
    const char *name;                   /* for people; never NULL */
    const char *rxcui;                  /* NULL when no coding is of RxNorm */
    const char *ingredient;             /* of an opioid, where known */
    bool buprenorphine, methadone;
    const char *like;   /* UNKNOWN: the word that looks like an opioid, or NULL */
    bool nameless;      /* UNKNOWN: nothing tells what it is */
    const char *reason; /* UNKNOWN and BARE: why */
    const struct ow_mapping *mapped; /* how its code became an RxNorm one, or NULL */
    const char *other; /* name of a different product among the codings, or NULL */
};

/* RxNorm number of a coding: its own, or what an NDC or a local code stands for, when
 * *mapped (if wanted) is the row. NULL when there is none. */
const char *ow_coding_rxcui(const struct ow_coding *c, const struct ow_knowledge *kb,
                            const struct ow_mapping **mapped);

void ow_identify(const struct ow_medication *m, const struct ow_knowledge *kb,
                 struct ow_arena *arena, struct ow_drug *ret);
