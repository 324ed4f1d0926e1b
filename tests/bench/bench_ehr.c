/*
 * A FHIR server that costs next to nothing, so that figures show the daemon
 *
 * usage: bench_ehr PORT [ORDERS]
 *
 * Any patient exists and has ORDERS active orders (default 4: two opioids, a
 * benzodiazepine, an antihypertensive). Searches by patient answer with one page, other
 * searches with none; every transaction succeeds. PORT 0 takes a free one; it is printed.
 *
 * Below /silent/ nothing is ever answered: a daemon that asks there stores notifications
 * and judges nothing.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/text.h"
#include "daemon/server.h"

enum { ORDERS_MOST = 200, ANSWER_MAX = 1 << 20, DAY_S = 86400 };

static int64_t n_orders = 4;
static struct ow_buf answer;
static char today[16];

static const struct {
    const char *code, *name;
} drugs[] = {
    {"1049621", "oxycodone hydrochloride 5 MG Oral Tablet"},
    { "892582", "morphine sulfate 15 MG Oral Tablet"      },
    { "197901", "lorazepam 1 MG Oral Tablet"              },
    { "314076", "lisinopril 10 MG Oral Tablet"            },
};

static void add_order(int64_t i, const char *patient)
{
    ow_buf_printf(
        &answer,
        "%s{\"resource\":{\"resourceType\":\"MedicationRequest\",\"id\":\"%s-%lld\","
        "\"meta\":{\"versionId\":\"1\"},\"status\":\"active\",\"intent\":\"order\","
        "\"medicationCodeableConcept\":{\"coding\":[{\"system\":"
        "\"http://www.nlm.nih.gov/research/umls/rxnorm\",\"code\":\"%s\",\"display\":"
        "\"%s\"}]},\"subject\":{\"reference\":\"Patient/%s\"},\"authoredOn\":\"%s\","
        "\"requester\":{\"reference\":\"Practitioner/prac1\"},\"dosageInstruction\":[{"
        "\"timing\":{\"repeat\":{\"frequency\":2,\"period\":1,\"periodUnit\":\"d\"}},"
        "\"doseAndRate\":[{\"doseQuantity\":{\"value\":1,\"unit\":\"tablet\",\"system\":"
        "\"http://unitsofmeasure.org\",\"code\":\"{tbl}\"}}]}],\"dispenseRequest\":{"
        "\"expectedSupplyDuration\":{\"value\":30,\"unit\":\"days\",\"system\":"
        "\"http://unitsofmeasure.org\",\"code\":\"d\"}}},\"search\":{\"mode\":\"match\"}}",
        i ? "," : "", patient, (long long)i, drugs[(size_t)i % OW_LEN(drugs)].code,
        drugs[(size_t)i % OW_LEN(drugs)].name, patient, today);
}

static void say_search(const char *patient)
{
    ow_buf_printf(&answer, "{\"resourceType\":\"Bundle\",\"type\":\"searchset\"");
    if (patient) {
        ow_buf_printf(&answer, ",\"entry\":[");
        for (int64_t i = 0; i < n_orders; i++)
            add_order(i, patient);
        ow_buf_char(&answer, ']');
    }
    ow_buf_char(&answer, '}');
}

static void say_patient(const char *id)
{
    ow_buf_printf(&answer,
                  "{\"resourceType\":\"Patient\",\"id\":\"%s\",\"birthDate\":"
                  "\"1970-01-01\"}",
                  id);
}

/* The id of patient=Patient/x in a query, or NULL. */
static const char *patient_of(const char *query, char *ret, size_t size)
{
    static const char *const forms[] = { "patient=Patient/", "patient=Patient%2F" };

    for (size_t i = 0; i < OW_LEN(forms); i++) {
        const char *at = strstr(query, forms[i]);

        if (at) {
            ow_copy(ret, size, at + strlen(forms[i]));
            ret[strcspn(ret, "&")] = '\0';
            return ret;
        }
    }
    return NULL;
}

static void say(const struct ow_request *req)
{
    char id[80];

    if (ow_streq(req->method, "POST"))
        ow_buf_printf(&answer,
                      "{\"resourceType\":\"Bundle\",\"type\":"
                      "\"transaction-response\",\"entry\":[{\"response\":{"
                      "\"status\":\"201\"}},{\"response\":{\"status\":\"201\"}}]}");
    else if (ow_starts_with(req->path, "/fhir/Patient/"))
        say_patient(req->path + strlen("/fhir/Patient/"));
    else if (ow_streq(req->path, "/fhir/MedicationRequest"))
        say_search(patient_of(req->query, id, sizeof id));
    else
        say_search(NULL);
}

static void on_request(struct ow_exchange *x, const struct ow_request *req, void *arg)
{
    static const struct ow_header header = { "Content-Type", "application/fhir+json" };

    (void)arg;
    if (ow_starts_with(req->path, "/silent/"))
        return; /* freed with the process */
    ow_buf_reset(&answer);
    say(req);
    ow_exchange_reply(
        x, &(struct ow_response){ 200, &header, 1, ow_buf_cstr(&answer), answer.len });
}

static void on_signal(uv_signal_t *s, int signum)
{
    (void)signum;
    uv_stop(s->loop);
}

int main(int argc, char **argv)
{
    uv_loop_t *loop = uv_default_loop();
    struct ow_server_options options = { .address = "127.0.0.1", .fd = -1 };
    struct ow_server *server;
    struct timespec now;
    struct tm day;
    struct ow_err err;
    uv_signal_t term;
    int64_t port;

    if (argc < 2 || argc > 3 || !ow_parse_i64(argv[1], &port) ||
        (argc == 3 && !ow_parse_i64(argv[2], &n_orders)) || n_orders < 0 ||
        n_orders > ORDERS_MOST) {
        fprintf(stderr, "usage: bench_ehr PORT [ORDERS]\n");
        return 64;
    }
    clock_gettime(CLOCK_REALTIME, &now);
    now.tv_sec -= 2 * DAY_S;
    gmtime_r(&now.tv_sec, &day);
    strftime(today, sizeof today, "%Y-%m-%d", &day);
    ow_buf_init(&answer, ANSWER_MAX);
    ow_server_limits_default(&options.limits);
    options.port = (int)port;
    if (ow_server_open(loop, &options, on_request, NULL, &server, &err) != OW_OK) {
        fprintf(stderr, "%s\n", err.text);
        return 78;
    }
    printf("%d\n", ow_server_port(server));
    fflush(stdout);
    uv_signal_init(loop, &term);
    uv_signal_start(&term, on_signal, SIGTERM);
    uv_run(loop, UV_RUN_DEFAULT);
    return 0;
}
