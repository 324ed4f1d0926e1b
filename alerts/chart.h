/*
 * Chart: the way into the judgement
 *
 * One patient as plain structs: what fhir/ read, in the words of FHIR R4 (other versions
 * are brought to this form), nothing decided yet. Strings and arrays are borrowed from
 * the arena the chart was built in. A pointer is NULL and a `has_` false where the source
 * said nothing; nothing absent is ever written as zero.
 */
#pragma once

#include "base/ratio.h"
#include "base/time.h"

struct ow_coding {
    const char *system, *code, *display;
};

struct ow_concept { /* CodeableConcept */
    const struct ow_coding *codings;
    size_t n_codings;
    const char *text;
};

struct ow_quantity { /* Quantity, SimpleQuantity, Duration */
    bool has_value;
    struct ow_ratio value;
    const char *comparator; /* < <= >= > ad */
    const char *unit, *system, *code;
};

struct ow_range {
    struct ow_quantity low, high;
};

struct ow_fraction { /* FHIR Ratio */
    struct ow_quantity numerator, denominator;
};

struct ow_number { /* a decimal or integer that may be absent */
    bool has_value;
    struct ow_ratio value;
};

enum ow_bounds {
    OW_BOUNDS_NONE,
    OW_BOUNDS_DURATION,
    OW_BOUNDS_RANGE,
    OW_BOUNDS_PERIOD,
};

struct ow_timing {
    const struct ow_span *events; /* each dateTime as its interval */
    size_t n_events;
    bool has_repeat;
    enum ow_bounds bounds;
    struct ow_quantity bounds_duration;
    struct ow_range bounds_range;
    struct ow_span
        bounds_period; /* until is exclusive: the end of the named day or instant */
    struct ow_number count, count_max;
    struct ow_number duration, duration_max;
    const char *duration_unit;
    struct ow_number frequency, frequency_max;
    struct ow_number period, period_max;
    const char *period_unit; /* s min h d wk mo a */
    const char *const *day_of_week;
    size_t n_day_of_week;
    const char *const *time_of_day;
    size_t n_time_of_day;
    const char *const *when;
    size_t n_when;
    struct ow_concept code;
};

struct ow_dose_rate { /* Dosage.doseAndRate */
    const char *type; /* code of its type: ordered, calculated; NULL */
    bool has_dose, has_dose_range;
    struct ow_quantity dose;
    struct ow_range dose_range;
    bool has_rate, has_rate_range, has_rate_ratio;
    struct ow_quantity rate;
    struct ow_range rate_range;
    struct ow_fraction rate_ratio;
};

struct ow_dosage {
    bool has_sequence;
    int64_t sequence;
    const char *text, *patient_instruction;
    bool has_timing;
    struct ow_timing timing;
    bool as_needed; /* asNeededBoolean true, or a reason given */
    struct ow_concept as_needed_for;
    struct ow_concept route, site, method;
    const struct ow_concept *additional;
    size_t n_additional;
    const struct ow_dose_rate *doses;
    size_t n_doses;
    const struct ow_fraction *max_per_period;
    size_t n_max_per_period;
    bool has_max_per_administration, has_max_per_lifetime;
    struct ow_quantity max_per_administration, max_per_lifetime;
    const char *refused; /* a modifier nobody here understands, in words; else NULL */
};

struct ow_ingredient {
    struct ow_concept item;
    bool has_strength;
    struct ow_fraction strength;
    bool inactive; /* isActive was false */
};

struct ow_medication {
    struct ow_concept
        code; /* codeable concept, or the code of the Medication referred to */
    struct ow_concept form;
    const struct ow_ingredient *ingredients;
    size_t n_ingredients;
    const char *reference; /* as written, when it was a reference */
    const char *display;   /* Reference.display */
    bool unresolved;       /* a reference to a Medication that is not in the data */
};

enum ow_order_kind {
    OW_REQUEST,
    OW_DISPENSE,
    OW_STATEMENT,
    OW_ADMINISTRATION,
};

enum ow_status {
    OW_STATUS_NONE, /* absent */
    OW_STATUS_ACTIVE,
    OW_STATUS_ON_HOLD,
    OW_STATUS_DRAFT,
    OW_STATUS_COMPLETED,
    OW_STATUS_STOPPED,
    OW_STATUS_CANCELLED,
    OW_STATUS_ENTERED_IN_ERROR,
    OW_STATUS_UNKNOWN,
    OW_STATUS_OTHER, /* a word R4 does not know; status_text has it */
};

enum ow_intent {
    OW_INTENT_NONE,
    OW_INTENT_ORDER,
    OW_INTENT_ORIGINAL_ORDER,
    OW_INTENT_REFLEX_ORDER,
    OW_INTENT_FILLER_ORDER,
    OW_INTENT_INSTANCE_ORDER,
    OW_INTENT_PROPOSAL,
    OW_INTENT_PLAN,
    OW_INTENT_OPTION,
    OW_INTENT_OTHER,
};

enum { /* MedicationRequest.category, a set */
       OW_CATEGORY_INPATIENT = 1 << 0,
       OW_CATEGORY_OUTPATIENT = 1 << 1,
       OW_CATEGORY_COMMUNITY = 1 << 2,
       OW_CATEGORY_DISCHARGE = 1 << 3,
};

struct ow_order {
    /* The resource it was read from, for fhir/ to give back changed; nobody else looks.
     */
    const void *raw;
    enum ow_order_kind kind;
    const char *reference; /* MedicationRequest/rx9 */
    const char *id;        /* rx9; NULL when the resource had none */
    const char *source;    /* name of the server it came from; NULL offline */
    enum ow_status status;
    const char *status_text;
    enum ow_intent intent;
    unsigned categories;
    bool do_not_perform;
    const char *refused; /* a modifier nobody here understands, in words; else NULL */
    bool is_draft;       /* an entry of a hook's context.draftOrders */
    bool selected;       /* named by context.selections, or every draft of order-sign */

    struct ow_medication medication;
    const struct ow_dosage *dosages;
    size_t n_dosages;

    bool has_authored;
    struct ow_span
        authored;       /* authoredOn, whenHandedOver, effective start, as an interval */
    bool has_effective; /* effectivePeriod of a statement or administration */
    struct ow_span effective;

    struct ow_quantity
        supply_quantity; /* dispenseRequest.quantity or dispense.quantity */
    struct ow_quantity supply_duration; /* expectedSupplyDuration or daysSupply */
    bool has_refills;
    int64_t refills;
    bool has_validity;
    struct ow_span validity; /* dispenseRequest.validityPeriod */

    const char *const *identifiers; /* "system|value" */
    size_t n_identifiers;
    const char *const *based_on; /* references, Type/id */
    size_t n_based_on;
    const char *prior;              /* priorPrescription */
    const char *group;              /* groupIdentifier as system|value */
    const char *const *authorizing; /* authorizingPrescription of a dispense */
    size_t n_authorizing;

    const char *prescriber; /* reference of requester, Type/id; or the recorder */
    const char *recorder;
    const char *performer; /* dispensing pharmacy of a dispense */
    const char *encounter;
    const struct ow_concept *reasons;
    size_t n_reasons;
};

struct ow_patient {
    const char *reference; /* Patient/p1 */
    bool has_birth;
    struct ow_span birth; /* a partial birthDate is an interval */
    const char *gender;
    bool deceased;
};

/*
 * Everything else that rules ask about: a Condition, Observation, Procedure, Encounter,
 * ServiceRequest, CarePlan, ... brought to one shape.
 */
struct ow_record {
    const char *type;         /* resource type */
    const char *reference;    /* Condition/c1 */
    const char *status;       /* status, or clinicalStatus code of a Condition */
    const char *verification; /* verificationStatus code of a Condition */
    const char *intent;
    const struct ow_concept *categories;
    size_t n_categories;
    struct ow_concept code;
    const struct ow_concept
        *more; /* reasonCode, Encounter.type, diagnosis use, discharge disposition */
    const char *const *more_of; /* the element each of them stood in: "type" */
    size_t n_more;
    bool has_when; /* onset, effective, performed, occurrence, period, created */
    struct ow_span when;
    const char *when_of; /* the element it stood in: "performedPeriod" */
    bool has_recorded;   /* recordedDate, issued, authoredOn, lastUpdated of meta */
    struct ow_span recorded;
    const char *recorded_of; /* likewise; "lastUpdated" for meta's */
    bool has_updated;
    struct ow_span updated;   /* meta.lastUpdated */
    bool component;           /* a component of the resource, not the whole of it */
    struct ow_concept value;  /* valueCodeableConcept; or .text = valueString */
    const char *value_string; /* valueString alone */
    struct ow_quantity value_quantity;
    const char *const *links; /* references it holds to others, Type/id */
    size_t n_links;
    const char *encounter, *author;
    const char *const *performers; /* performer.actor, or performer */
    size_t n_performers;
};

enum ow_hook {
    OW_HOOK_NONE, /* an event or a plain Bundle: every rule */
    OW_HOOK_PATIENT_VIEW,
    OW_HOOK_ORDER_SELECT,
    OW_HOOK_ORDER_SIGN,
};

enum { /* kinds of resources, a set */
       OW_KIND_CONDITION = 1 << 0,
       OW_KIND_OBSERVATION = 1 << 1,
       OW_KIND_PROCEDURE = 1 << 2,
       OW_KIND_ENCOUNTER = 1 << 3,
       OW_KIND_SERVICE_REQUEST = 1 << 4,
       OW_KIND_CARE_PLAN = 1 << 5,
       OW_KIND_DISPENSE = 1 << 6,
       OW_KIND_CONSENT = 1 << 7, /* Consent, DocumentReference */
       OW_KIND_ALL = (1 << 8) - 1,
};

struct ow_chart {
    struct ow_patient patient;
    /* Kinds that nobody looked for: that none is in the chart says nothing. A rule that
     * asks for the absence of something is undecided then. */
    unsigned not_asked;
    enum ow_hook hook;
    /* Where the patient is seen: of the encounter that the orders name, else of the
     * latest. NULL: nothing says. */
    const char *clinic;            /* Organization/x: its service provider */
    const char *location;          /* Location/x */
    const struct ow_order *orders; /* of every kind, in the order of the source */
    size_t n_orders;
    const struct ow_record *records;
    size_t n_records;
    /* What could not be had, in words for the card ("medications: server answered 503").
     * With any of these the total is "at least". */
    const char *const *missing;
    size_t n_missing;
    /* What was left out on purpose, for the trace ("1 resource of another patient"). */
    const char *const *notes;
    size_t n_notes;
};
