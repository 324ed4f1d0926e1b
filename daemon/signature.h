/*
 * Signature: does a named person stand behind what decides?
 *
 * With policy.require_signature every rule pack in force, and every configuration file
 * that speaks of rules, needs a detached Ed25519 signature by the key of the approver:
 * FILE.sig beside FILE, for a shipped pack also in the site's folder of packs. It is made
 * by
 *   openssl pkeyutl -sign -rawin -inkey key.pem -in FILE -out FILE.sig
 */
#pragma once

#include "daemon/packs.h"
#include "daemon/setting.h"

/* Remember the bytes of a configuration file that speaks of rules, and where. */
void ow_signature_needs(struct ow_snapshot *s, struct ow_place at, const char *data,
                        size_t len);

/* Report everything in force that is not signed. */
void ow_signatures_check(const struct ow_snapshot *s, const struct ow_pack_folders *f,
                         struct ow_reporter *to);
