# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154
# What build, release, deploy and teardown share: how they speak, ask, and call AWS. Sourced by bash.

progress() { printf '%s %s\n' "$(date +%H:%M:%S)" "$*" >&2; }
fail() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }
usage_error() { printf '%s: %s (--help)\n' "${0##*/}" "$*" >&2; exit 2; }

# The comment at the head of a script is its --help: from the line that begins with "# usage" to the first empty one.
help() { sed -n '/^# usage/,/^$/s/^# \{0,1\}//p' "$0"; exit 0; }

# value OPTION COUNT: there must be one more word than the option itself.
value() { [ "$2" -ge 2 ] || usage_error "$1 needs a value"; }

# confirm QUESTION: 0 only if somebody at a terminal answers yes, or --yes was given.
confirm() {
    [ -z "${yes:-}" ] || return 0
    [ -t 0 ] || fail "$1: nobody is there to answer; --yes answers"
    local answer
    read -r -p "$1 [y/N] " answer
    [ "$answer" = y ] || [ "$answer" = yes ]
}

# The AWS CLI: throttled and broken answers are asked for again by itself; no pager; RDS_AWS_ENDPOINT leads to a stand-in.
aws_() {
    AWS_PAGER='' AWS_RETRY_MODE=standard AWS_MAX_ATTEMPTS=${AWS_MAX_ATTEMPTS:-8} \
        aws ${region:+--region "$region"} ${RDS_AWS_ENDPOINT:+--endpoint-url "$RDS_AWS_ENDPOINT"} "$@"
}

# Sets account and region.
require_aws() {
    command -v aws >/dev/null || fail "the AWS CLI is missing: https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html"
    region=${region:-${AWS_REGION:-${AWS_DEFAULT_REGION:-$(aws configure get region || true)}}}
    [ -n "$region" ] || fail "no region: --region, AWS_REGION or 'aws configure set region'"
    account=$(aws_ sts get-caller-identity --query Account --output text) ||
        fail "AWS does not know you. Sign in (aws configure, aws sso login, AWS_PROFILE), then run the same command again"
}

# stack_output STACK KEY: empty if there is no such stack or output; fails if AWS does not say so.
stack_output() {
    local text
    text=$(aws_ cloudformation describe-stacks --stack-name "$1" \
        --query "Stacks[0].Outputs[?OutputKey=='$2'].OutputValue" --output text 2>"$work/error") || {
        grep -q 'does not exist' "$work/error" || { cat "$work/error" >&2; return 1; }
        return 0
    }
    [ "$text" = None ] || printf '%s' "$text"
}

# bucket_of STACK: the bucket of its storage stack; a sentence and the end if there is none.
bucket_of() {
    local name
    name=$(stack_output "$1-storage" ArtifactBucket) || exit 1
    [ -n "$name" ] || fail "there is no bucket: stack '$1-storage' does not exist in $region. deploy --stack $1 --storage-only makes it"
    printf '%s' "$name"
}

# exists BUCKET KEY: whether the bucket has exactly this key.
exists() {
    [ "$(aws_ s3api list-objects-v2 --bucket "$1" --prefix "$2" --max-items 1 --query "Contents[?Key=='$2'].Key" --output text)" = "$2" ]
}
