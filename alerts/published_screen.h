/*
 * Screens: urine drug screens as the published rules read them (recommendation 10)
 *
 * Only a text result counts, by its beginning: "pos" or "neg" in any case. Coded values
 * and interpretations are not looked at.
 */
#pragma once

#include "alerts/published.h"

/* 2022: no screen since the day 12 months and a day ago, today included. */
bool ow_pub22_holds_no_screen(struct ow_pub *u, struct ow_pub_case *c);
/* 2022: a result that the orders of 31 to 1 days before it do not explain. */
bool ow_pub22_holds_unexpected(struct ow_pub *u, struct ow_pub_case *c);
/* 2016: likewise, in its four sets, to yesterday. */
bool ow_pub16_holds_no_screen(struct ow_pub *u, struct ow_pub_case *c);
/* 2016: cocaine, PCP or an opiate positive, whatever is ordered and whoever asks. */
bool ow_pub16_holds_unexpected(struct ow_pub *u, struct ow_pub_case *c);
