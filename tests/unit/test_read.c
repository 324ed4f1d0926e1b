/*
 * Resources in, the chart as it was understood out: versions of FHIR, references,
 * dosages, and everything that must be refused with its place rather than lost.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "fhir/reference.h"
#include "tests/support/fhirkit.h"

static struct ow_arena arena;

static int setup(void **state)
{
    (void)state;
    ow_arena_init(&arena, (size_t)256 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ow_arena_done(&arena);
    return 0;
}

struct read_case {
    const char *name, *json;
    const char *error; /* of ow_reader_add or of the charts; NULL: none */
    const char *told;  /* NULL: not looked at */
};

#define RXNORM "'system':'http://www.nlm.nih.gov/research/umls/rxnorm'"
#define OXY    "'medicationCodeableConcept':{'coding':[{" RXNORM ",'code':'1049686'}]}"
#define RX                                                                               \
    "'resourceType':'MedicationRequest','id':'rx','status':'active','intent':'order',"   \
    "'subject':{'reference':'Patient/p'}"
#define HEAD  "Patient/p\norder MedicationRequest/rx active/order"
#define OXY_T HEAD " rxnorm|1049686"

static void check(const struct read_case *c)
{
    struct ow_reader_options opt = { 0 };
    struct ow_reader *r = ow_reader_new(&arena, &opt);
    const struct ow_chart *charts = NULL;
    struct ow_err err = { "" };
    size_t n = 0;
    enum ow_code code = ow_reader_add(r, kit_parse(&arena, c->json), &err);

    if (ow_reader_charts(r, &charts, &n, code == OW_OK ? &err : NULL) != OW_OK)
        code = OW_INPUT;
    if (strcmp(err.text, c->error ? c->error : "") != 0)
        fail_msg("%s: said '%s'", c->name, err.text);
    assert_int_equal(code != OW_OK, c->error != NULL);
    if (c->told && strcmp(kit_tell(&arena, charts, n), c->told) != 0)
        fail_msg("%s: expected\n%sgot\n%s", c->name, c->told,
                 kit_tell(&arena, charts, n));
}

static void check_all(const struct read_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++)
        check(&cases[i]);
}

static void orders_of_r4_and_r5_come_to_one_form(void **state)
{
    static const struct read_case cases[] = {
        {"R4 in full",
         "{" RX "," OXY ",'category':[{'coding':[{'code':'community'}]}],"
          "'identifier':[{'system':'urn:x','value':'1'},{'use':'official'}],"
          "'basedOn':[{'reference':'MedicationRequest/a/_history/2'}],"
          "'priorPrescription':{'reference':'https://ehr.test/fhir/MedicationRequest/b'},"
          "'groupIdentifier':{'value':'g'},'authoredOn':'2026-03-01',"
          "'requester':{'reference':'Practitioner/d'},"
          "'reasonCode':[{'coding':[{'system':'http://snomed.info/sct','code':'1'}]}],"
          "'dosageInstruction':[{'sequence':1,'text':'one every 6 h','timing':{'repeat':{"
          "'frequency':1,'frequencyMax':2,'period':6,'periodMax':8,'periodUnit':'h',"
          "'boundsDuration':{'value':10,'code':'d'}}},'asNeededBoolean':true,"
          "'doseAndRate':[{'type':{'coding':[{'code':'ordered'}]},'doseRange':{"
          "'low':{'value':1,'unit':'tablet'},'high':{'value':2,'unit':'tablet'}}}],"
          "'maxDosePerPeriod':{'numerator':{'value':6,'unit':'tablet'},"
          "'denominator':{'value':1,'code':'d'}}}],"
          "'dispenseRequest':{'quantity':{'value':40},'expectedSupplyDuration':"
          "{'value':10,'code':'d'},'numberOfRepeatsAllowed':2,"
          "'validityPeriod':{'start':'2026-03-01','end':'2026-03-30'}}}",                NULL,
         HEAD " community rxnorm|1049686 [#1 'one every 6 h' dose (ordered) 1 tablet-2 "
               "tablet timing frequency=1 frequencyMax=2 period=6 periodMax=8 h for 10 d "
               "prn max 6 tablet per 1 d] authored 2026-03-01 quantity 40 supply 10 d "
               "refills 2 valid 2026-03-01T00:00:00Z/2026-03-31T00:00:00Z id=urn:x|1 "
               "basedOn=MedicationRequest/a prior=MedicationRequest/b group=|g by "
               "Practitioner/d because sct|1\n"                                     },
        { "R5",
         "{" RX ",'medication':{'concept':{'coding':[{" RXNORM ",'code':'1049686'}]}},"
          "'dosageInstruction':[{'asNeeded':true,'asNeededFor':[{'text':'pain'}],"
          "'doseAndRate':[{'doseQuantity':{'value':10.50,'unit':'mg'}}],"
          "'maxDosePerPeriod':[{'numerator':{'value':4},'denominator':{'value':1,"
          "'unit':'d'}}]}],'reason':[{'concept':{'text':'back pain'}}]}",                NULL,
         OXY_T " [ dose 10.5 mg prn for='pain' max 4 per 1 d] because 'back pain'\n"},
        { "R5 status and a word nobody knows",
         "{'resourceType':'Bundle','entry':[{'resource':{'resourceType':"
          "'MedicationRequest','id':'a','status':'ended','intent':'order','subject':"
          "{'reference':'Patient/p'}," OXY "}},{'resource':{'resourceType':"
          "'MedicationStatement','id':'b','status':'recorded','subject':{'reference':"
          "'Patient/p'}," OXY ",'effectivePeriod':{'start':'2026-01-01'}}}]}",
         NULL,                                                                                 "Patient/p\norder MedicationRequest/a completed/order rxnorm|1049686\n"
          "order MedicationStatement/b other/-(recorded) rxnorm|1049686 authored "
          "2026-01-01T00:00:00Z effective 2026-01-01T00:00:00Z/open\n"},
        { "dispense",
         "{'resourceType':'MedicationDispense','id':'d','status':'completed','subject':"
          "{'reference':'Patient/p'}," OXY ",'authorizingPrescription':[{'reference':"
          "'MedicationRequest/rx'}],'quantity':{'value':60},'daysSupply':{'value':15,"
          "'unit':'days'},'whenHandedOver':'2026-02-01T10:00:00+01:00'}",                NULL,
         "Patient/p\norder MedicationDispense/d completed/- rxnorm|1049686 authored "
          "2026-02-01T09:00:00Z quantity 60 supply 15 days authorizing="
          "MedicationRequest/rx\n"                                                  },
        { "administration",
         "{'resourceType':'MedicationAdministration','id':'m','status':'completed',"
          "'subject':{'reference':'Patient/p'}," OXY ",'effectiveDateTime':'2026-02-01',"
          "'dosage':{'dose':{'value':5,'unit':'mg'},'rateRatio':{'numerator':{'value':1},"
          "'denominator':{'value':2}}}}",                                                NULL,
         "Patient/p\norder MedicationAdministration/m completed/- rxnorm|1049686 [ dose "
          "5 mgrate 1 per 2] authored 2026-02-01\n"                                 },
        { "two doses, times, days, event, code",
         "{" RX "," OXY ",'dosageInstruction':[{'doseAndRate':[{'doseQuantity':{'value':"
          "1}},{'rateQuantity':{'value':25,'code':'ug/h'}}],'timing':{'event':["
          "'2026-03-01T08:00:00Z'],'code':{'coding':[{'code':'BID'}]},'repeat':{"
          "'timeOfDay':['08:00:00','20:00:00'],'dayOfWeek':['mon'],'when':['HS'],"
          "'count':10,'boundsPeriod':{'end':'2026-04'}}}},{'asNeededCodeableConcept':"
          "{'text':'pain'},'route':{'text':'oral'}}]}",                                  NULL,
         OXY_T " [ dose 1 dose rate 25 ug/h timing event 2026-03-01T08:00:00Z code=|BID "
                "count=10 days=mon times=08:00:00,20:00:00 when=HS within "
                "open/2026-05-01T00:00:00Z] [ route='oral' prn for='pain']\n"       },
        { "doNotPerform",                        "{" RX "," OXY ",'doNotPerform':true}", NULL,
         HEAD " not-to-be-performed rxnorm|1049686\n"                               },
    };

    (void)state;
    check_all(cases, OW_LEN(cases));
}

#define BUNDLE(entries)                                                                  \
    "{'resourceType':'Bundle','type':'collection','entry':[" entries "]}"
#define MED                                                                              \
    "'resourceType':'Medication','code':{'coding':[{" RXNORM ",'code':'1049686'}]}"
#define ORDER_OF(reference)                                                              \
    "{'resource':{" RX ",'medicationReference':{'reference':'" reference "'}}}"

static void medications_are_found_however_they_are_referred_to(void **state)
{
    static const struct read_case cases[] = {
        {"relative",                                       BUNDLE(ORDER_OF("Medication/m") ",{'resource':{" MED ",'id':'m'}}"),
         NULL,                                                                                                                        OXY_T "\n"                                                            },
        { "absolute",
         BUNDLE(ORDER_OF("https://ehr.test/fhir/Medication/m") ",{'resource':{" MED
                                                                ",'id':'m'}}"),
         NULL,                                                                                                                        OXY_T "\n"                                                            },
        { "versioned",
         BUNDLE(ORDER_OF("Medication/m/_history/3") ",{'resource':{" MED ",'id':'m'}}"),
         NULL,                                                                                                                        OXY_T "\n"                                                            },
        { "urn:uuid",
         BUNDLE("{'fullUrl':'urn:uuid:1','resource':{" MED "}}," ORDER_OF("urn:uuid:1")),
         NULL,                                                                                                                        OXY_T "\n"                                                            },
        { "fullUrl that is no Type/id",
         BUNDLE("{'fullUrl':'https://x.test/a?b=1','resource':{" MED
                 "}}," ORDER_OF("https://x.test/a?b=1")),
         NULL,                                                                                                                        OXY_T "\n"                                                            },
        { "contained",
         "{" RX ",'contained':[{" MED ",'id':'c'}],'medicationReference':{'reference':"
          "'#c'}}",                                                                                                             NULL, OXY_T "\n"                                                            },
        { "R5 reference",
         BUNDLE("{'resource':{" RX ",'medication':{'reference':{'reference':"
                 "'Medication/m'}}}},{'resource':{" MED ",'id':'m'}}"),
         NULL,                                                                                                                        OXY_T "\n"                                                            },
        { "not in the data",
         "{" RX ",'medicationReference':{'reference':'Medication/m','display':'Oxy'}}",
         NULL,                                                                                                                        HEAD " unresolved Medication/m Oxy\n"                                 },
        { "contained and not there",                       "{" RX ",'medicationReference':{'reference':'#no'}}",
         NULL,                                                                                                                        HEAD " unresolved #no\n"                                              },
        { "logical identifier only",
         "{" RX ",'medicationReference':{'identifier':{'value':'1'},'display':'Oxy'}}",
         NULL,                                                                                                                        HEAD " unresolved - Oxy\n"                                            },
        { "ids fold no case",
         BUNDLE(ORDER_OF("Medication/M") ",{'resource':{" MED ",'id':'m'}}"),                                                   NULL,
         HEAD " unresolved Medication/M\n"                                                                                                                                                                  },
        { "combination product, ingredients by reference",
         "{" RX ",'contained':[{'resourceType':'Medication','id':'c','form':{'text':"
          "'tablet'},'ingredient':[{'itemCodeableConcept':{'text':'oxycodone'},"
          "'strength':{'numerator':{'value':5,'code':'mg'},'denominator':{'value':1}}},"
          "{'itemReference':{'reference':'#s'},'isActive':false}]},{'resourceType':"
          "'Substance','id':'s','code':{'text':'starch'}}],'medicationReference':"
          "{'reference':'#c'}}",                                                                                                NULL, HEAD " form='tablet' of 'oxycodone' 5 mg per 1 of 'starch' inactive\n"},
        { "a circle of contained references",
         "{" RX ",'contained':[{'resourceType':'Medication','id':'c','ingredient':["
          "{'itemReference':{'reference':'#c'}}]}],'medicationReference':{'reference':"
          "'#c'}}",                                                                                                             NULL, HEAD "\n"                                                             },
        { "refers to a Patient",
         BUNDLE(
              "{'resource':{'resourceType':'Patient','id':'p'}}," ORDER_OF("Patient/p")),
         NULL,                                                                                                                        HEAD " unresolved Patient/p refused: MedicationRequest.medication: refers to "
               "something that is no Medication\n"                                                                                                                                            },
        { "entered in error",
         BUNDLE(ORDER_OF("Medication/m") ",{'resource':{" MED
                                          ",'id':'m','status':'entered-in-error'}}"),
         NULL,                                                                                                                        OXY_T " refused: Medication.status: entered in error\n"               },
        { "a modifier on the Medication",
         BUNDLE(
              ORDER_OF("Medication/m") ",{'resource':{" MED
                                       ",'id':'m','modifierExtension':[{'url':'u'}]}}"),
         NULL,                                                                                                                        OXY_T " refused: modifierExtension on Medication\n"                   },
    };

    (void)state;
    check_all(cases, OW_LEN(cases));
}

static void what_matters_and_is_malformed_is_refused_with_its_path(void **state)
{
    static const struct {
        const char *members, *told;
    } cases[] = {
        {OXY ",'modifierExtension':[{'url':'u'}]",
         "refused: modifierExtension on MedicationRequest"                                                                                      },
        { OXY ",'implicitRules':'urn:r'",
         "refused: MedicationRequest.implicitRules: rules that are not known here"                                                              },
        { OXY ",'doNotPerform':'true'",
         "refused: MedicationRequest.doNotPerform: expected true or false"                                                                      },
        { "'medicationCodeableConcept':'oxycodone'",
         "refused: MedicationRequest.medicationCodeableConcept: expected an object"                                                             },
        { "'note':[]",                                                                    "refused: MedicationRequest.medication[x]: is missing"},
        { OXY ",'medicationReference':{'reference':'Medication/m'}",
         "refused: MedicationRequest.medication[x]: given twice"                                                                                },
        { OXY ",'dosageInstruction':'1 daily'",
         "refused: MedicationRequest.dosageInstruction: expected an array of Dosage"                                                            },
        { OXY ",'dosageInstruction':[{'modifierExtension':[{'url':'u'}]}]",
         "[ refused: modifierExtension on MedicationRequest.dosageInstruction[0]]"                                                              },
        { OXY ",'dosageInstruction':[{},{'timing':{'repeat':{'frequency':'4'}}}]",
         "[] [ timing refused: MedicationRequest.dosageInstruction[1].timing.repeat."
          "frequency: expected a number]"                                                                                                       },
        { OXY ",'dosageInstruction':[{'timing':{'modifierExtension':[{'url':'u'}]}}]",
         "[ timing refused: modifierExtension on MedicationRequest.dosageInstruction[0]."
          "timing]"                                                                                                                             },
        { OXY ",'dosageInstruction':[{'timing':{'repeat':{'_frequency':{'extension':[]}}}"
              "}]",                                                              "[ timing refused: MedicationRequest.dosageInstruction[0].timing.repeat."
          "frequency: has no value, only an extension]"                                                             },
        { OXY ",'dosageInstruction':[{'timing':{'repeat':{'periodUnits':'d'}}}]",
         "[ timing refused: MedicationRequest.dosageInstruction[0].timing.repeat: has an "
          "element that FHIR R4 does not know]"                                                                                                 },
        { OXY ",'dosageInstruction':[{'doseAndRate':[{'doseQuantity':{'value':'5'}}]}]",
         "[ dose ? refused: MedicationRequest.dosageInstruction[0].doseAndRate[0]."
          "doseQuantity.value: expected a number]"                                                                                              },
        { OXY ",'dosageInstruction':[{'doseAndRate':[{'doseQuantity':{'value':1e40}}]}]",
         "[ dose ? refused: MedicationRequest.dosageInstruction[0].doseAndRate[0]."
          "doseQuantity.value: a number with too many digits]"                                                                                  },
        { OXY ",'dosageInstruction':[{'doseAndRate':{'doseQuantity':{'value':5}}}]",
         "[ refused: MedicationRequest.dosageInstruction[0].doseAndRate: expected an "
          "array]"                                                                                                                              },
        { OXY ",'dosageInstruction':['1 daily']",
         "[ refused: MedicationRequest.dosageInstruction[0]: expected an object]"                                                               },
        { OXY ",'dosageInstruction':[{'timing':{'event':['tomorrow']}}]",
         "[ timing refused: MedicationRequest.dosageInstruction[0].timing.event: expected "
          "FHIR times]"                                                                                                                         },
        { OXY ",'dosageInstruction':[{'timing':{'repeat':{'boundsPeriod':{'start':"
              "'2026-03-02','end':'2026-03-01'}}}}]",                            "[ timing refused: MedicationRequest.dosageInstruction[0].timing.repeat."
          "boundsPeriod: ends before it starts]"                                  },
        { OXY ",'dosageInstruction':[{'sequence':1.5}]",
         "[ refused: MedicationRequest.dosageInstruction[0].sequence: expected a whole "
          "number]"                                                                                                                             },
        { OXY ",'dosageInstruction':[{'asNeededBoolean':'yes'}]",
         "[ refused: MedicationRequest.dosageInstruction[0].asNeededBoolean: expected "
          "true or false]"                                                                                                                      },
        { OXY ",'dispenseRequest':{'modifierExtension':[{'url':'u'}]}",
         "refused: modifierExtension on MedicationRequest.dispenseRequest"                                                                      },
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct ow_reader *r = ow_reader_new(&arena, NULL);
        const struct ow_chart *charts;
        const char *json = ow_arena_printf(&arena, "{" RX ",%s}", cases[i].members);
        const char *told;
        size_t n;

        assert_int_equal(ow_reader_add(r, kit_parse(&arena, json), NULL), OW_OK);
        assert_int_equal(ow_reader_charts(r, &charts, &n, NULL), OW_OK);
        told = kit_tell(&arena, charts, n);
        if (!strstr(told, cases[i].told))
            fail_msg("expected %s in\n%s", cases[i].told, told);
    }
}

static void what_only_describes_and_is_malformed_becomes_a_note(void **state)
{
    static const struct read_case cases[] = {
        {"date",               "{" RX "," OXY ",'authoredOn':'yesterday'}",                      NULL,
         OXY_T
          "\nnote: MedicationRequest/rx: MedicationRequest.authoredOn: expected a FHIR "
          "date or time\n"                                                                                       },
        { "only an extension",
         "{" RX "," OXY ",'_authoredOn':{'extension':[{'url':'u'}]}}",                           NULL,
         OXY_T
          "\nnote: MedicationRequest/rx: MedicationRequest.authoredOn: has no value, "
          "only an extension\n"                                                                                  },
        { "quantity",          "{" RX "," OXY ",'dispenseRequest':{'quantity':{'value':'60'}}}",
         NULL,                                                                                         OXY_T
          "\nnote: MedicationRequest/rx: MedicationRequest.dispenseRequest.quantity."
          "value: expected a number\n"                                                             },
        { "null is absent",    "{" RX "," OXY ",'authoredOn':null,'dosageInstruction':null}",
         NULL,                                                                                         OXY_T "\n"},
    };

    (void)state;
    check_all(cases, OW_LEN(cases));
}

static void older_fhir_is_named_and_its_orders_stay_visible(void **state)
{
    static const struct read_case cases[] = {
        {"DSTU2",
         "{'resourceType':'MedicationOrder','id':'o','patient':{'reference':'Patient/p'}}",
         "MedicationOrder is FHIR DSTU2; FHIR R4, R4B or R5 expected",                   NULL            },
        { "STU3 dose",
         "{" RX "," OXY ",'dosageInstruction':[{'doseQuantity':{'value':1}}]}",
         "a dose outside doseAndRate is FHIR STU3; FHIR R4, R4B or R5 expected",         OXY_T
          " [ refused: MedicationRequest.dosageInstruction[0]: FHIR STU3 dose, R4 has "
          "it in doseAndRate] refused: MedicationRequest: not in the form of FHIR R4 "
          "or R5\nmissing: a dose outside doseAndRate is FHIR STU3; FHIR R4, R4B or "
          "R5 expected\n"},
        { "STU3 requester",
         BUNDLE("{'resource':{" RX "," OXY
                 ",'requester':{'agent':{'reference':'Practitioner/1'}}}}"),
         "entry[0].resource: requester.agent is FHIR STU3; FHIR R4, R4B or R5 expected", NULL            },
    };

    (void)state;
    check_all(cases, OW_LEN(cases));
}

static void bundles_are_read_whatever_their_state(void **state)
{
    static const struct read_case cases[] = {
        {"empty, without entry",
         "{'resourceType':'Bundle','type':'searchset','total':0}",                        NULL,                                      ""                                                                     },
        { "a bad entry does not hide the others",
         BUNDLE("1,{'resource':{'id':'x'}},{'resource':{" RX "," OXY "}}"),
         "entry[0]: expected an object",                                                                                             OXY_T "\nmissing: entry[0]: expected an object\nmissing: entry[1].resource: "
                "expected a resource with its resourceType\n"                                                                                                       },
        { "entry is no array",                    "{'resourceType':'Bundle','entry':{}}",
         "Bundle.entry: expected an array",                                                                                          ""                                                                     },
        { "outcome that hurts",
         BUNDLE(
              "{'resource':{" RX "," OXY "}},{'search':{'mode':'outcome'},'resource':"
              "{'resourceType':'OperationOutcome','issue':[{'severity':'warning','code':"
              "'incomplete','diagnostics':'Jane Doe','expression':"
              "['MedicationRequest.status']}]}}"),
         NULL,                                                                                                                       OXY_T "\nmissing: entry[1].resource: the server says warning/incomplete at "
                "MedicationRequest.status\n"                                                                                                                                                  },
        { "outcome that warns of something else",
         BUNDLE("{'resource':{" RX "," OXY "}},{'resource':{'resourceType':"
                 "'OperationOutcome','issue':[{'severity':'warning','code':"
                 "'processing'}]}}"),
         NULL,                                                                                                                       OXY_T "\nnote: entry[1].resource: the server says warning/processing\n"},
        { "outcome that only informs",
         BUNDLE("{'resource':{" RX "," OXY "}},{'resource':{'resourceType':"
                 "'OperationOutcome','issue':[{'severity':'information','code':"
                 "'informational'}]}}"),
         NULL,                                                                                                                       OXY_T
          "\nnote: entry[1].resource: the server says information/informational\n"                                                                                                            },
        { "answers of a batch",
         BUNDLE("{'response':{'status':'200 OK'},'resource':{'resourceType':'Bundle',"
                 "'entry':[{'resource':{" RX "," OXY "}}]}},{'response':{'status':"
                 "'503 Service Unavailable'}}"),
         NULL,                                                                                                                       OXY_T "\nmissing: entry[1]: the server answered 503\n"                 },
        { "no id, no fullUrl",
         BUNDLE("{'resource':{'resourceType':'MedicationRequest','status':'active',"
                 "'subject':{'reference':'Patient/p'}," OXY "}}"),
         NULL,                                                                                                                       "Patient/p\norder MedicationRequest at entry[0].resource active/- "
          "rxnorm|1049686\n"                                                                                                                                                                  },
        { "urn:uuid all over",
         BUNDLE("{'fullUrl':'urn:uuid:p','resource':{'resourceType':'Patient'}},"
                 "{'fullUrl':'urn:uuid:r','resource':{'resourceType':'MedicationRequest',"
                 "'status':'active','subject':{'reference':'urn:uuid:p'}," OXY "}}"),
         NULL,                                                                                                                       "urn:uuid:p\norder urn:uuid:r active/- rxnorm|1049686\n"               },
        { "deleted since, as a history tells it",
         BUNDLE("{'request':{'method':'DELETE','url':'MedicationRequest/rx'},'response':"
                 "{'lastModified':'2026-03-02T00:00:00Z'}},{'resource':{" RX "," OXY
                 ",'meta':{'versionId':'1','lastUpdated':'2026-03-01T00:00:00Z'}}},"
                 "{'resource':{'resourceType':'Patient','id':'p'}}"),
         NULL,                                                                                                                       "Patient/p\nnote: MedicationRequest/rx came in several versions: the newest "
          "taken\n"                                                                                                                                                                           },
        { "nested too deeply",
         BUNDLE("{'resource':" BUNDLE("{'resource':" BUNDLE(
              "{'resource':" BUNDLE("{'resource':" BUNDLE("{}") "}") "}") "}") "}"),
         "entry[0].resource.entry[0].resource.entry[0].resource.entry[0].resource: Bundles "
          "nested too deeply",                                                                                                       NULL                                                                   },
        { "not a resource",                       "[1]",                                  "expected a FHIR resource, a JSON object", NULL                                                                   },
        { "id is a number",                       "{'resourceType':'Patient','id':5}",
         "expected a string as id",                                                                                                  NULL                                                                   },
    };

    (void)state;
    check_all(cases, OW_LEN(cases));
}

static void versions_are_settled_and_nothing_is_lost_in_doubt(void **state)
{
#define VERSION(v, status)                                                               \
    "{'resource':{'resourceType':'MedicationRequest','id':'rx','status':'" status        \
    "','subject':{'reference':'Patient/p'}," OXY "," v "}}"
    static const struct read_case cases[] = {
        {"higher versionId",
         BUNDLE(VERSION("'meta':{'versionId':'9'}",
         "active") "," VERSION("'meta':{'versionId':'10'}",                                                                            "stopped")),
         NULL,                                                                                                                                            "Patient/p\norder MedicationRequest/rx stopped/- rxnorm|1049686\nnote: "
          "MedicationRequest/rx came in several versions: the newest taken\n"},
        { "later lastUpdated",
         BUNDLE(VERSION(
              "'meta':{'lastUpdated':'2026-03-02T00:00:00Z'}", "stopped") "," VERSION("'meta':{'lastUpdated':'2026-03-01T00:00:00Z'}",
         "active")),
         NULL,                                                                                                                                            "Patient/p\norder MedicationRequest/rx stopped/- rxnorm|1049686\nnote: "
          "MedicationRequest/rx came in several versions: the newest taken\n"},
        { "the same twice",
         BUNDLE(VERSION("'x':1",                               "active") "," VERSION("'x':1",                                          "active")),  NULL,
         "Patient/p\norder MedicationRequest/rx active/- rxnorm|1049686\n"                 },
        { "different and undated",
         BUNDLE(VERSION("'x':1",                               "active") "," VERSION("'x':2",                                          "stopped")), NULL,
         "Patient/p\norder MedicationRequest/rx active/- rxnorm|1049686\n"
          "order MedicationRequest/rx stopped/- rxnorm|1049686\n"
          "note: MedicationRequest/rx came twice with different contents and nothing tells "
          "which is newer: both kept\n"                                                    },
    };

    (void)state;
    check_all(cases, OW_LEN(cases));
}

#define ORDER(id, subject)                                                               \
    "{'resource':{'resourceType':'MedicationRequest','id':'" id                          \
    "','status':'active'," subject OXY "}}"
#define OF(p) "'subject':{'reference':'" p "'},"

static void every_order_finds_its_patient_or_is_an_error(void **state)
{
    static const struct read_case cases[] = {
        {"charts sorted by patient, orders in the order of the source",
         BUNDLE(ORDER("2",                                                                          OF("Patient/b")) "," ORDER("1",    OF("Patient/b")) "," ORDER(
              "3", OF("Patient/a")) ",{'resource':{'resourceType':'Patient','id':"
                               "'c','birthDate':'1980-05','gender':'female','deceasedBoolean':true}}"),
         NULL, "Patient/a\norder MedicationRequest/3 active/- rxnorm|1049686\n"
          "Patient/b\norder MedicationRequest/2 active/- rxnorm|1049686\n"
          "order MedicationRequest/1 active/- rxnorm|1049686\n"
          "Patient/c born 1980-05-01T00:00:00Z/1980-06-01T00:00:00Z female deceased\n" },
        { "no subject, one patient",
         BUNDLE(ORDER("1", "") ",{'resource':{'resourceType':'Patient','id':'a'}}"),
         NULL,                                                                                                                            "Patient/a\norder MedicationRequest/1 active/- rxnorm|1049686\n"                                                                                                                                                                        },
        { "no subject, two patients",
         BUNDLE(ORDER("1",                      "") "," ORDER("2",                             OF("Patient/a")) "," ORDER(
              "3",                                                                                                                            OF("Patient/b"))),
         "MedicationRequest: subject names no patient, and the data hold 2", NULL },
        { "no subject, no patient",                                                                     BUNDLE(ORDER("1",                        "")),
         "MedicationRequest: subject names no patient, and the data hold 0",                                                                 NULL                                                                                                                                             },
        { "a Group is counted, not read",
         BUNDLE(ORDER("1",                        OF("Group/g")) "," ORDER("2",                                                     OF("Patient/a"))), NULL,
         "Patient/a\norder MedicationRequest/2 active/- rxnorm|1049686\n"
          "note: 1 resource of another subject left out\n" },
        { "merged, the old record says so",
         BUNDLE(ORDER("1",                   OF("Patient/old")) "," ORDER(
              "2",OF("Patient/new")) ","
                                 "{'resource':{'resourceType':'Patient','id':'old','link':[{'type':"
                                 "'replaced-by','other':{'reference':'Patient/new'}}]}}"),
         NULL,                                                                                                                                                                                               "Patient/new\norder MedicationRequest/1 active/- rxnorm|1049686\n"
          "order MedicationRequest/2 active/- rxnorm|1049686\n"
          "note: Patient/old: merged into this patient\n" },
        { "merged, the new record says so",
         BUNDLE(ORDER(
              "1",                                                        OF("Patient/old")) ",{'resource':{'resourceType':'Patient',"
                                 "'id':'new','link':[{'type':'replaces','other':{'reference':"
                                 "'Patient/old'}}]}}"),
         NULL,                                                                                                                                        "Patient/new\norder MedicationRequest/1 active/- rxnorm|1049686\n"                                                                                                                                                                                    },
        { "merged in a circle",
         BUNDLE(ORDER(
              "1",                                                                                  OF("Patient/x")) ",{'resource':{'resourceType':'Patient',"
                               "'id':'x','link':[{'type':'replaced-by','other':{'reference':'Patient/y'"
                               "}}]}},{'resource':{'resourceType':'Patient','id':'y','link':[{'type':"
                               "'replaced-by','other':{'reference':'Patient/x'}}]}}"),
         NULL,                                                                                                                                        NULL                                   },
    };

    (void)state;
    check_all(cases, OW_LEN(cases));
}

static void one_patient_only_when_asked_for_one(void **state)
{
    struct ow_reader_options opt = { .patient = "Patient/a", .source = "ehr" };
    struct ow_reader *r = ow_reader_new(&arena, &opt);
    const struct ow_chart *charts;
    size_t n;

    (void)state;
    assert_int_equal(
        ow_reader_add(r,
                      kit_parse(&arena, BUNDLE(ORDER("1", OF("Patient/a")) "," ORDER(
                                            "2", OF("Patient/b")) "," ORDER("3", ""))),
                      NULL),
        OW_OK);
    ow_reader_missing(r, "the weather");
    assert_int_equal(ow_reader_charts(r, &charts, &n, NULL), OW_OK);
    assert_string_equal(kit_tell(&arena, charts, n),
                        "Patient/a\norder MedicationRequest/1 active/- rxnorm|1049686\n"
                        "order MedicationRequest/3 active/- rxnorm|1049686\n"
                        "missing: the weather\n"
                        "note: 1 resource of another subject left out\n");
    assert_string_equal(charts[0].orders[0].source, "ehr");
    r = ow_reader_new(&arena, &opt);
    assert_int_equal(ow_reader_charts(r, &charts, &n, NULL), OW_OK);
    assert_string_equal(kit_tell(&arena, charts, n), "Patient/a\n");
}

static void drafts_belong_to_the_patient_of_the_hook(void **state)
{
    struct ow_reader_options opt = { .patient = "Patient/a",
                                     .hook = OW_HOOK_ORDER_SELECT };
    struct ow_reader *r = ow_reader_new(&arena, &opt);
    const struct ow_chart *charts;
    size_t n;

    (void)state;
    assert_int_equal(
        ow_reader_add_drafts(
            r,
            kit_parse(&arena,
                      BUNDLE(ORDER("1", OF("Patient/b")) "," ORDER(
                          "2", "") ",{'fullUrl':'urn:uuid:9','resource':{'resourceType':"
                                   "'MedicationRequest','status':'draft'," OXY "}}")),
            kit_parse(&arena, "['MedicationRequest/2','urn:uuid:9']"), NULL),
        OW_OK);
    assert_int_equal(
        ow_reader_add(r, kit_parse(&arena, BUNDLE(ORDER("1", OF("Patient/a")))), NULL),
        OW_OK);
    assert_int_equal(
        ow_reader_add_draft(
            r, kit_parse(&arena, "{'resourceType':'MedicationRequest','id':'4'," OXY "}"),
            true, NULL),
        OW_OK);
    assert_int_equal(ow_reader_charts(r, &charts, &n, NULL), OW_OK);
    assert_int_equal(charts[0].hook, OW_HOOK_ORDER_SELECT);
    assert_string_equal(
        kit_tell(&arena, charts, n),
        "Patient/a\norder MedicationRequest/1 active/- draft rxnorm|1049686\n"
        "order MedicationRequest/2 active/- draft selected rxnorm|1049686\n"
        "order urn:uuid:9 draft/- draft selected rxnorm|1049686\n"
        "order MedicationRequest/1 active/- rxnorm|1049686\n"
        "order MedicationRequest/4 -/- draft selected rxnorm|1049686\n"
        "note: draft MedicationRequest/1 names another subject: read as this patient's\n");
}

static void other_resources_become_records(void **state)
{
#define SUBJECT "'subject':{'reference':'Patient/p'}"
    static const struct read_case cases[] = {
        {"Condition",
         "{'resourceType':'Condition','id':'c'," SUBJECT ",'clinicalStatus':{'coding':[{"
          "'code':'active'}]},'verificationStatus':{'coding':[{'code':'confirmed'}]},"
          "'category':[{'coding':[{'code':'problem-list-item'}]}],'code':{'coding':[{"
          "'system':'http://snomed.info/sct','code':'254837009'}]},'onsetDateTime':"
          "'2025-12-31','recordedDate':'2026-01-02','encounter':{'reference':"
          "'Encounter/e'}}",                                                   NULL,
         "Patient/p\nrecord Condition/c active confirmed category=|problem-list-item "
          "code=sct|254837009 when 2025-12-31 recorded 2026-01-02 links=Encounter/e\n"                                                               },
        { "Observation with components",
         "{'resourceType':'Observation','id':'o','status':'final'," SUBJECT ",'code':"
          "{'text':'panel'},'effectiveDateTime':'2026-01-01','interpretation':[{'coding':"
          "[{'code':'POS'}]}],'component':[{'code':{'text':'a'},'valueString':'Positive'},"
          "{'code':{'text':'b'},'valueQuantity':{'value':3.5,'unit':'mg'}}]}", NULL,
         "Patient/p\nrecord Observation/o final code='panel' more=|POS when 2026-01-01\n"
          "record Observation/o final code='a' when 2026-01-01 value='Positive'\n"
          "record Observation/o final code='b' when 2026-01-01 value 3.5 mg\n"                                                                       },
        { "Encounter",
         "{'resourceType':'Encounter','id':'e','status':'finished'," SUBJECT ",'class':"
          "{'code':'AMB'},'type':[{'text':'visit'}],'period':{'start':'2026-01-01',"
          "'end':'2026-01-02'},'participant':[{'type':[{'text':'oncology'}],'individual':"
          "{'reference':'Practitioner/1'}}],'diagnosis':[{'condition':{'reference':"
          "'Condition/c'},'use':{'text':'AD'}}],'hospitalization':{'dischargeDisposition':"
          "{'text':'hospice'}}}",                                              NULL,
         "Patient/p\nrecord Encounter/e finished category=|AMB more='visit' more='hospice' "
          "more='AD' more='oncology' when 2026-01-01T00:00:00Z/2026-01-03T00:00:00Z "
          "links=Practitioner/1,Condition/c\n"                                                                                                       },
        { "a modifier nobody knows",
         "{'resourceType':'Condition','id':'c'," SUBJECT
          ",'modifierExtension':[{'url':'u'}],'code':{'text':'x'}}",           NULL, "Patient/p\nnote: Condition/c: modifierExtension on Condition\n"},
        { "R5 procedure, recorded from meta",
         "{'resourceType':'Procedure','id':'x','status':'completed'," SUBJECT
          ",'code':{'text':'x'},'occurrencePeriod':{'start':'2026-01-01'},'meta':"
          "{'lastUpdated':'2026-02-01T00:00:00Z'}}",                           NULL,
         "Patient/p\nrecord Procedure/x completed code='x' when 2026-01-01T00:00:00Z/open "
          "recorded 2026-02-01T00:00:00Z\n"                                                                                                          },
        { "shared with every patient",
         BUNDLE(
              "{'resource':{'resourceType':'PractitionerRole','id':'r','specialty':["
              "{'text':'oncology'}]}},{'resource':{'resourceType':'Patient','id':'p'}},"
              "{'resource':{'resourceType':'Practitioner','id':'x'}}"),
         NULL,                                                                       "Patient/p\nrecord PractitionerRole/r more='oncology'\n"        },
    };

    (void)state;
    check_all(cases, OW_LEN(cases));
}

static void unresolved_medications_are_listed_once(void **state)
{
    struct ow_reader *r = ow_reader_new(&arena, NULL);
    const char *const *list;

    (void)state;
    assert_int_equal(
        ow_reader_add(
            r,
            kit_parse(
                &arena,
                BUNDLE(ORDER_OF("Medication/b") "," ORDER_OF("https://x/Medication/a") "," ORDER_OF(
                    "Medication/b/_history/1") "," ORDER_OF("#c") "," ORDER_OF("Medication/d") ",{'resource':{" MED
                                                                                               ",'id':'d'}}")),
            NULL),
        OW_OK);
    assert_int_equal(ow_reader_unresolved(r, &list), 2);
    assert_string_equal(list[0], "Medication/a");
    assert_string_equal(list[1], "Medication/b");
}

static void references_come_to_type_and_id(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"Patient/p1",                                                                           "Patient/p1"         },
        { "https://ehr.test/fhir/r4/Patient/p.1-x",                                              "Patient/p.1-x"      },
        { "Patient/p1/_history/3",                                                               "Patient/p1"         },
        { "MedicationRequest/MedicationRequest/1",                                               "MedicationRequest/1"},
        { "/MedicationRequest/1",                                                                "MedicationRequest/1"},
        { "Patient/eABC.def-ghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0123456789",
         "Patient/eABC.def-ghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0123456789"                        },
        { "Patient/p1#x",                                                                        "Patient/p1"         },
        { "urn:uuid:5d0f3c1e-8f5e-5a0b-9c55-0f9a5b7f1c20",                                       NULL                 },
        { "#contained",                                                                          NULL                 },
        { "Patient?identifier=a|b",                                                              NULL                 },
        { "p1",                                                                                  NULL                 },
        { "patient/p1",                                                                          NULL                 },
        { "Patient/",                                                                            NULL                 },
        { "Patient/..",                                                                          NULL                 },
        { "Patient/a b",                                                                         NULL                 },
        { "",                                                                                    NULL                 },
    };

    (void)state;
    for (size_t i = 0; i < OW_LEN(cases); i++) {
        const char *got = ow_reference_normal(&arena, cases[i].in);

        if (!ow_streq(got, cases[i].out))
            fail_msg("%s gave %s", cases[i].in, got ? got : "nothing");
    }
    assert_null(ow_reference_normal(&arena, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders_of_r4_and_r5_come_to_one_form),
        cmocka_unit_test(medications_are_found_however_they_are_referred_to),
        cmocka_unit_test(what_matters_and_is_malformed_is_refused_with_its_path),
        cmocka_unit_test(what_only_describes_and_is_malformed_becomes_a_note),
        cmocka_unit_test(older_fhir_is_named_and_its_orders_stay_visible),
        cmocka_unit_test(bundles_are_read_whatever_their_state),
        cmocka_unit_test(versions_are_settled_and_nothing_is_lost_in_doubt),
        cmocka_unit_test(every_order_finds_its_patient_or_is_an_error),
        cmocka_unit_test(one_patient_only_when_asked_for_one),
        cmocka_unit_test(drafts_belong_to_the_patient_of_the_hook),
        cmocka_unit_test(other_resources_become_records),
        cmocka_unit_test(unresolved_medications_are_listed_once),
        cmocka_unit_test(references_come_to_type_and_id),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
