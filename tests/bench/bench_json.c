/*
 * Bench: our strict reader against plain cJSON on the same bytes
 *
 * CPU time, best of alternating rounds, so that both see the same moments of the machine.
 * Plain cJSON mallocs and frees; ours scans, parses into an arena and restores the
 * numbers. The figure that counts is the ratio; the aim is at least 0.7.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "fhir/json.h"

enum { ROUNDS = 25, BYTES_A_ROUND = 4000000 };

#define AIM 0.7

static double cpu_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void order_write(struct ow_buf *b, int i, const char *nl, const char *in)
{
    ow_buf_printf(
        b,
        "{%s%s\"resourceType\":\"MedicationRequest\",%s%s\"id\":\"rx-%d\",%s%s"
        "\"meta\":{\"versionId\":\"3\",\"lastUpdated\":\"2026-03-02T08:00:05.120Z\"},%s%s"
        "\"status\":\"active\",\"intent\":\"order\",%s%s"
        "\"category\":[{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/"
        "medicationrequest-category\",\"code\":\"community\",\"display\":\"Community\"}]}],"
        "%s%s\"medicationCodeableConcept\":{\"coding\":[{\"system\":"
        "\"http://www.nlm.nih.gov/research/umls/rxnorm\",\"code\":\"1049686\",\"display\":"
        "\"oxycodone hydrochloride 20 MG Oral Tablet\"}],\"text\":\"Oxycodone 20 mg\"},%s%s"
        "\"subject\":{\"reference\":\"Patient/p1\"},\"authoredOn\":\"2026-03-01\",%s%s"
        "\"requester\":{\"reference\":\"Practitioner/d1\",\"display\":\"Dr. M\xc3\xbcller\"},"
        "%s%s\"dosageInstruction\":[{\"text\":\"1 tablet every 6 hours as needed\","
        "\"timing\":{\"repeat\":{\"frequency\":1,\"period\":6,\"periodUnit\":\"h\"}},"
        "\"asNeededBoolean\":true,\"doseAndRate\":[{\"doseQuantity\":{\"value\":1.00,"
        "\"unit\":\"tablet\"}}]}],%s%s\"dispenseRequest\":{\"quantity\":{\"value\":120},"
        "\"expectedSupplyDuration\":{\"value\":30,\"unit\":\"days\",\"system\":"
        "\"http://unitsofmeasure.org\",\"code\":\"d\"},\"numberOfRepeatsAllowed\":2}%s}",
        nl, in, nl, in, i, nl, in, nl, in, nl, in, nl, in, nl, in, nl, in, nl, in, nl, in,
        nl);
}

static void bundle_write(struct ow_buf *b, int n, const char *nl, const char *in)
{
    ow_buf_printf(
        b, "{\"resourceType\":\"Bundle\",%s\"type\":\"searchset\",%s\"entry\":[", nl, nl);
    for (int i = 0; i < n; i++) {
        ow_buf_printf(b,
                      "%s{\"fullUrl\":\"https://ehr.test/fhir/MedicationRequest/%d\","
                      "\"resource\":",
                      i > 0 ? "," : "", i);
        order_write(b, i, nl, in);
        ow_buf_printf(b, ",%s\"search\":{\"mode\":\"match\"}}", nl);
    }
    ow_buf_str(b, "]}");
}

static double plain(const char *text, size_t len, size_t times)
{
    double from = cpu_seconds();

    for (size_t i = 0; i < times; i++)
        cJSON_Delete(cJSON_ParseWithLength(text, len));
    return cpu_seconds() - from;
}

static double ours(struct ow_arena *arena, const char *text, size_t len, size_t times)
{
    double from = cpu_seconds();

    for (size_t i = 0; i < times; i++) {
        const cJSON *root;

        if (ow_json_parse(text, len, NULL, arena, &root, NULL) != OW_OK)
            abort();
        ow_arena_reset(arena);
    }
    return cpu_seconds() - from;
}

static bool measure(const char *name, const struct ow_buf *b)
{
    size_t times = BYTES_A_ROUND / b->len + 1;
    double best_plain = 1e9, best_ours = 1e9, mb = (double)(b->len * times) / 1e6;
    struct ow_arena arena;

    ow_arena_init(&arena, (size_t)256 << 20);
    for (int i = 0; i < ROUNDS; i++) {
        double p = plain(ow_buf_cstr(b), b->len, times);
        double o = ours(&arena, ow_buf_cstr(b), b->len, times);

        best_plain = p < best_plain ? p : best_plain;
        best_ours = o < best_ours ? o : best_ours;
    }
    ow_arena_done(&arena);
    printf("json.%s bytes=%zu plain=%.0f MB/s ours=%.0f MB/s ratio=%.2f%s\n", name,
           b->len, mb / best_plain, mb / best_ours, best_plain / best_ours,
           best_plain / best_ours >= AIM ? "" : " NOT REACHED (aim 0.7)");
    return best_plain / best_ours >= AIM;
}

int main(void)
{
    static const struct {
        const char *name;
        int orders;
        const char *nl, *in;
    } cases[] = {
        {"order.compact",      0,   "",   ""    },
        { "order.pretty",      0,   "\n", "    "},
        { "bundle10.compact",  10,  "",   ""    },
        { "bundle10.pretty",   10,  "\n", "    "},
        { "searchset.compact", 400, "",   ""    },
    };
    bool reached = true;

    for (size_t i = 0; i < OW_LEN(cases); i++) {
        struct ow_buf b;

        ow_buf_init(&b, (size_t)16 << 20);
        if (cases[i].orders > 0)
            bundle_write(&b, cases[i].orders, cases[i].nl, cases[i].in);
        else
            order_write(&b, 1, cases[i].nl, cases[i].in);
        reached &= measure(cases[i].name, &b);
        ow_buf_done(&b);
    }
    return reached ? 0 : 1;
}
