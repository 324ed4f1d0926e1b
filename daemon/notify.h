/*
 * Notify: readiness, status and watchdog towards systemd
 *
 * A datagram to $NOTIFY_SOCKET; without it every call does nothing.
 */
#pragma once

#include "base/base.h"

/* `state` as sd_notify has it: "READY=1\nSTATUS=...". */
void ow_notify(const char *state);
/* Half of the watchdog's interval in ms, or 0 when systemd watches nothing. */
int64_t ow_notify_watchdog_ms(void);
/* A listening socket handed in under this name (LISTEN_FDNAMES), or -1. */
int ow_notify_listen_fd(const char *name);
