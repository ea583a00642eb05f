#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# For RDSFailoverNotify: posts each change as JSON to a web hook, with curl. "text" is what Slack, Mattermost and the like show.
#
#   RDSFailoverNotify /usr/local/lib/rdsfailover/notify-webhook.sh /etc/apache2/rdsfailover-webhook
#
# The file holds one line, the hook's URL. It is a secret: readable by httpd's user alone, and never on a command line, where every
# user of this host could read it.
set -eu

url_file=$1

# Suspicions come and go within milliseconds; nobody is to be told of one.
case "$RDSFAILOVER_EVENT $RDSFAILOVER_FROM $RDSFAILOVER_STATE" in
"state available suspect" | "state suspect available") exit 0 ;;
esac

# The values have no control characters; quotes and backslashes are escaped all the same.
json_string() { printf '"%s"' "$(printf '%s' "$1" | sed 's/[\\"]/\\&/g')"; }
field() { printf '%s:%s' "$(json_string "$1")" "$(json_string "$2")"; }

text="$RDSFAILOVER_DATABASE is $RDSFAILOVER_STATE (was $RDSFAILOVER_FROM${RDSFAILOVER_CAUSE:+, $RDSFAILOVER_CAUSE}) on $RDSFAILOVER_HOST"
body="{$(field text "$text"),$(field event "$RDSFAILOVER_EVENT"),$(field database "$RDSFAILOVER_DATABASE"),$(
    field from "$RDSFAILOVER_FROM"),$(field state "$RDSFAILOVER_STATE"),$(field cause "$RDSFAILOVER_CAUSE"),$(
    field writer "$RDSFAILOVER_WRITER"),$(field order "$RDSFAILOVER_ORDER"),$(field epoch "$RDSFAILOVER_EPOCH"),$(
    field host "$RDSFAILOVER_HOST"),$(field time "$RDSFAILOVER_TIME")}"

# The URL comes by way of a configuration on standard input, the body as an argument: it is no secret.
sed -n '1{s/[\\"]/\\&/g;s/.*/url = "&"/p;}' "$url_file" |
    exec curl --config - --fail --silent --show-error --max-time 20 --retry 2 --retry-delay 2 \
    --header 'Content-Type: application/json' --data "$body" --output /dev/null
