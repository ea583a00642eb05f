#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# For RDSFailoverNotify: publishes each change to an SNS topic, with the AWS command line interface (version 2).
#
#   RDSFailoverNotify /usr/local/lib/rdsfailover/notify-sns.sh arn:aws:sns:eu-west-1:123456789012:database
#
# The host's role needs sns:Publish on that topic. docs/directives.md says what is in the environment.
set -eu

topic=$1
region=${topic#arn:*:sns:}
region=${region%%:*}

# Suspicions come and go within milliseconds; nobody is to be woken for one.
case "$RDSFAILOVER_EVENT $RDSFAILOVER_FROM $RDSFAILOVER_STATE" in
"state available suspect" | "state suspect available") exit 0 ;;
esac

# A subject is ASCII, and at most 100 characters long.
subject=$(printf '%s is %s (%s)' "$RDSFAILOVER_DATABASE" "$RDSFAILOVER_STATE" "$RDSFAILOVER_HOST" | LC_ALL=C tr -cd ' -~' | cut -c 1-100)
message=$(env | LC_ALL=C sort | sed -n 's/^RDSFAILOVER_//p')

# No metadata service, no credentials: better to give up well within the 30 s that there are.
export AWS_EC2_METADATA_SERVICE_NUM_ATTEMPTS=2 AWS_MAX_ATTEMPTS=3 HOME=/nonexistent
exec aws sns publish --region "$region" --topic-arn "$topic" --subject "$subject" --message "$message" \
    --cli-connect-timeout 5 --cli-read-timeout 10 --output text >/dev/null
