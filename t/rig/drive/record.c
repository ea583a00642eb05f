/* SPDX-License-Identifier: Apache-2.0 */
/* Records of requests: see record.h. */
#include "record.h"

#include <stdlib.h>

drive_record *drive_log_add(drive_log *log)
{
    if (log->n == log->room) {
        log->room = log->room ? log->room * 2 : 1024;
        log->records = realloc(log->records, log->room * sizeof *log->records);
        if (!log->records) {
            abort();
        }
    }
    log->records[log->n] = (drive_record){0};
    return &log->records[log->n++];
}

void drive_log_free(drive_log *log)
{
    free(log->records);
    *log = (drive_log){0};
}

bool drive_record_failed(const drive_record *record)
{
    return record->outcome > DRIVE_OK;
}

int64_t drive_record_latency(const drive_record *record)
{
    return record->done - record->due;
}

const char *drive_outcome_name(drive_outcome outcome)
{
    static const char *const names[] = {"pending", "ok", "wrong", "unsent", "unknown"};

    return names[outcome];
}

const char *drive_outcome_write(drive_outcome outcome)
{
    switch (outcome) {
    case DRIVE_OK:
        return "acknowledged";
    case DRIVE_WRONG:
    case DRIVE_UNSENT:
        return "failed";
    default:
        return "unknown";
    }
}
