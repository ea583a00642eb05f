/* SPDX-License-Identifier: Apache-2.0 */
/* rf_classify: each number that failovers are known for, and what must never be taken for one. */
#include "rf_classify.h"
#include "tap.h"

int main(void)
{
    static const struct {
        rf_cause cause;
        const char *name;
        rf_evidence evidence;
        unsigned codes[16];
    } rows[] = {
        {RF_CAUSE_NONE, "none", RF_EVIDENCE_GOOD, {0}},
        {RF_CAUSE_UNREACHABLE, "unreachable", RF_EVIDENCE_FAILED, {2002, 2003}},
        {RF_CAUSE_TIMEOUT, "timeout", RF_EVIDENCE_FAILED, {0}},
        {RF_CAUSE_LOST, "lost", RF_EVIDENCE_FAILED, {2006, 2013, 2055, 1152, 1158, 1159, 1160, 1161, 1184, 5013, 5014}},
        {RF_CAUSE_SHUTDOWN, "shutdown", RF_EVIDENCE_FAILED, {1053, 1927, 3032, 3168, 3169, 1317, 1047}},
        {RF_CAUSE_READ_ONLY, "read-only", RF_EVIDENCE_FAILED, {1290, 1836, 1792, 1874}},
        {RF_CAUSE_NAME, "name", RF_EVIDENCE_NEUTRAL, {2005}},
        {RF_CAUSE_BUSY, "busy", RF_EVIDENCE_NEUTRAL, {1040, 1203, 1226, 1135, 1041}},
        {RF_CAUSE_BLOCKED, "blocked", RF_EVIDENCE_NEUTRAL, {1129}},
        {RF_CAUSE_REFUSED, "refused", RF_EVIDENCE_NEUTRAL, {1045, 1049, 1044, 1130, 1227, 1251, 1698, 1820, 1862, 2049, 2059, 2061, 3118, 4151}},
        {RF_CAUSE_TLS, "tls", RF_EVIDENCE_NEUTRAL, {2026, 3159}},
        {RF_CAUSE_PROTOCOL, "protocol", RF_EVIDENCE_NEUTRAL, {2007, 2012, 2027, 2047, 2054, 1043}},
        /* Lock waits, deadlocks, bad statements, idle disconnects, and whatever comes. */
        {RF_CAUSE_OTHER, "other", RF_EVIDENCE_NEUTRAL, {1205, 1213, 1146, 1064, 4031, 1, 999, 2000, 2008, 9999, 65535, 4294967295u}},
    };

    is_int(rf_classify_code(0), RF_CAUSE_NONE, "0 is no error");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *advice = rf_cause_advice(rows[i].cause);

        is_int(rows[i].cause, i, "causes have a row each");
        is_str(rf_cause_name(rows[i].cause), rows[i].name, "the name %s is stable", rows[i].name);
        is_int(rf_classify_evidence(rows[i].cause), rows[i].evidence, "%s: evidence", rows[i].name);
        ok(strlen(advice) > 20 && advice[strlen(advice) - 1] == '.', "%s: advice is a sentence", rows[i].name);
        for (size_t k = 0; k < 16 && rows[i].codes[k]; k++)
            is_str(rf_cause_name(rf_classify_code(rows[i].codes[k])), rows[i].name, "%u is %s", rows[i].codes[k], rows[i].name);
    }
    is_str(rf_cause_name((rf_cause)77), "other", "a cause out of range has a name");
    is_str(rf_cause_name((rf_cause)-1), "other", " below too");
    is_int(rf_classify_evidence((rf_cause)77), RF_EVIDENCE_NEUTRAL, " and proves nothing");
    return tap_done();
}
