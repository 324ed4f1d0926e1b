/*
 * App: owns every long-lived object; start, run, stop
 *
 * Start is in one order and stop is the same backwards. Restart is recovery: what was
 * stored and not judged is judged, what was due may have been sent and is looked up
 * first.
 */
#pragma once

#include "daemon/config.h"

/* Runs until SIGTERM or SIGINT. `config` is borrowed. Returns an exit status of sysexits.
 */
int ow_app_run(const struct ow_config *config);
