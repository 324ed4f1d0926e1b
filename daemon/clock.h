/*
 * Clock: the only place that asks the time
 */
#pragma once

#include "base/time.h"

ow_time ow_clock_utc(void);     /* wall clock: for what others read, never for waiting */
int64_t ow_clock_mono(void);    /* ms; never goes back */
int64_t ow_clock_mono_us(void); /* the same in µs, to measure with */
