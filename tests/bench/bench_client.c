/*
 * The client at full speed: what one request costs
 *
 * usage: bench_client URL IN_FLIGHT SECONDS BODY_FILE
 *
 * Compare as a ratio with a bare libcurl multi loop against the same server.
 */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/text.h"
#include "daemon/client.h"

static struct ow_client *client;
static struct ow_request request;
static char body[1 << 20];
static uint64_t done, bad;
static bool stop;

static void send_one(void);

static void on_reply(void *arg, enum ow_code code, const struct ow_response *resp,
                     bool sent, const struct ow_err *err)
{
    (void)arg;
    (void)sent;
    if (code == OW_OK && resp->status == 200)
        done++;
    else if (bad++ == 0 && code != OW_CANCELED)
        fprintf(stderr, "%s\n", resp ? "unexpected status" : err->text);
    if (!stop)
        send_one();
}

static void send_one(void)
{
    (void)ow_client_send(client, &request, 10000, on_reply, NULL);
}

static void on_end(uv_timer_t *t)
{
    stop = true;
    uv_stop(t->loop);
}

static double cpu_us(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static size_t read_body(const char *path)
{
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(body, 1, sizeof body, f) : 0;

    if (f)
        fclose(f);
    return n;
}

int main(int argc, char **argv)
{
    const struct ow_header headers[] = {
        {"Accept",         "application/fhir+json"  },
        { "Authorization", "Bearer 0123456789abcdef"},
        { "Content-Type",  "application/fhir+json"  }
    };
    struct ow_client_options options;
    uint64_t in_flight, seconds, begin;
    uv_timer_t end;
    struct ow_err err;
    double cpu;

    if (argc != 5 || !ow_parse_u64(argv[2], &in_flight) ||
        !ow_parse_u64(argv[3], &seconds)) {
        fprintf(stderr, "usage: bench_client URL IN_FLIGHT SECONDS BODY_FILE\n");
        return 64;
    }
    ow_client_options_default(&options);
    options.allow_private = true;
    options.per_host = (unsigned)in_flight;
    if (ow_client_open(uv_default_loop(), &options, &client, &err) != OW_OK)
        return 78;
    request = (struct ow_request){ .method = "POST",
                                   .url = argv[1],
                                   .headers = headers,
                                   .n_headers = OW_LEN(headers),
                                   .body = body,
                                   .body_len = read_body(argv[4]) };
    uv_timer_init(uv_default_loop(), &end);
    uv_timer_start(&end, on_end, seconds * 1000, 0);
    begin = uv_hrtime();
    cpu = cpu_us();
    for (uint64_t i = 0; i < in_flight; i++)
        send_one();
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    printf("%.0f req/s, cpu %.1f us/req, bad %llu\n",
           (double)done * 1e9 / (double)(uv_hrtime() - begin),
           (cpu_us() - cpu) / (double)(done ? done : 1), (unsigned long long)bad);
    uv_close((uv_handle_t *)&end, NULL);
    ow_client_close(client, NULL, NULL);
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    return bad != 0;
}
