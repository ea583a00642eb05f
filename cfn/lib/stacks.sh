# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# Stacks of CloudFormation, one change set at a time: created, shown, executed, watched. Sourced after operator.sh.

# Seconds between two looks at AWS; a rehearsal may be in a greater hurry.
poll=${RDS_AWS_POLL:-10}

# stack_status STACK: "none" if there is no such stack.
stack_status() {
    aws_ cloudformation describe-stacks --stack-name "$1" --query 'Stacks[0].StackStatus' --output text 2>"$work/error" || {
        grep -q 'does not exist' "$work/error" || { cat "$work/error" >&2; return 1; }
        echo none
    }
}

# events STACK: what happened that has not been told yet.
events() {
    local id time resource what reason
    touch "$work/told"
    # A stack that is being deleted may be gone between two looks.
    aws_ cloudformation describe-stack-events --stack-name "$1" --max-items 100 --output text --query \
        'reverse(StackEvents)[].[EventId, Timestamp, LogicalResourceId, ResourceStatus, ResourceStatusReason]' 2>/dev/null >"$work/events" || return 0
    while IFS=$'\t' read -r id time resource what reason; do
        [[ $time > $since ]] || continue
        ! grep -qxF "$id" "$work/told" || continue
        echo "$id" >>"$work/told"
        [ "$reason" != None ] || reason=''
        progress "  $resource: $what${reason:+: $reason}"
    done <"$work/events"
}

# wait_stack STACK: until nothing is in progress; sets status. Interrupting it stops nothing at AWS.
wait_stack() {
    while status=$(stack_status "$1") && [[ $status == *_IN_PROGRESS && $status != REVIEW_IN_PROGRESS ]]; do
        events "$1"
        sleep "$poll"
    done
    events "$1"
}

# delete_stack STACK: and wait; fails with AWS's own reason.
delete_stack() {
    aws_ cloudformation delete-stack --stack-name "$1"
    # By its id a deleted stack can still be asked for, by its name it is gone.
    wait_stack "$1"
    [ "$status" = none ] || [ "$status" = DELETE_COMPLETE ] ||
        fail "stack $1 is $status; the lines above say what could not be deleted. After a repair run the same command again"
}

# parameters_of FILE: names of a template's parameters.
parameters_of() { awk '/^[A-Za-z]/ { inside = /^Parameters:/ } inside && /^  [A-Za-z0-9]+:/ { sub(/:.*/, ""); print $1 }' "$1"; }

# apply STACK FILE SOURCE [KEY=VALUE ...]: creates the stack or changes it to the template; SOURCE is --template-body or --template-url
# with its value. What is not given keeps its value, or the template's default. Does nothing when nothing would change.
apply() {
    local stack=$1 file=$2 source=$3 type set key given options=()
    shift 3
    since=$(date --utc +%Y-%m-%dT%H:%M:%S)
    wait_stack "$stack"
    case $status in
    none|REVIEW_IN_PROGRESS) type=CREATE ;;
    # What served once is deleted by the script that asks about its data.
    DELETE_FAILED) fail "stack $stack is $status: cfn/bin/teardown goes on with that; then run this again" ;;
    ROLLBACK_COMPLETE|ROLLBACK_FAILED)
        confirm "stack $stack is $status: its creation failed once. Delete what is left of it and begin again?" || fail 'nothing was changed'
        delete_stack "$stack"
        type=CREATE ;;
    UPDATE_ROLLBACK_FAILED) fail "stack $stack is $status: aws cloudformation continue-update-rollback --stack-name $stack, then run this again" ;;
    *) type=UPDATE ;;
    esac
    [ $type = CREATE ] || aws_ cloudformation describe-stacks --stack-name "$stack" --query 'Stacks[0].Parameters[].ParameterKey' --output text |
        tr '\t' '\n' >"$work/parameters"
    for key in $(parameters_of "$file"); do
        for given in "$@"; do
            [ "${given%%=*}" != "$key" ] || { options+=("ParameterKey=$key,ParameterValue=${given#*=}"); continue 2; }
        done
        if [ $type = UPDATE ] && grep -qxF "$key" "$work/parameters"; then options+=("ParameterKey=$key,UsePreviousValue=true"); fi
    done
    local content
    content=deploy-$(printf '%s\n' "$source" "${options[@]}" | cat - "$file" | sha256sum | cut -c 1-12)
    # One that an interrupted run left behind, if AWS still offers to execute it.
    set=$(aws_ cloudformation list-change-sets --stack-name "$stack" --output text --query \
        "Summaries[?starts_with(ChangeSetName, '$content-') && ExecutionStatus=='AVAILABLE'].ChangeSetName | [0]" 2>/dev/null) || set=None
    if [ "$set" = None ]; then
        set=$content-$(date +%s)-$$
        # shellcheck disable=SC2086
        aws_ cloudformation create-change-set --stack-name "$stack" --change-set-name "$set" --change-set-type $type \
            --capabilities CAPABILITY_IAM $source ${options:+--parameters "${options[@]}"} >/dev/null
    fi
    local state reason
    while IFS=$'\t' read -r state reason < <(aws_ cloudformation describe-change-set --stack-name "$stack" --change-set-name "$set" \
        --query '[Status, StatusReason]' --output text) && [[ $state == *_PENDING || $state == *_IN_PROGRESS ]]; do
        sleep "$poll"
    done
    if [ "$state" = FAILED ]; then
        aws_ cloudformation delete-change-set --stack-name "$stack" --change-set-name "$set" >/dev/null
        [[ $reason == *"didn't contain changes"* || $reason == *'No updates'* ]] || fail "stack $stack: AWS refuses the change: $reason"
        progress "stack $stack: nothing to change"
        return
    fi
    [ "$state" = CREATE_COMPLETE ] || fail "stack $stack: the change set is $state ${reason:-}"
    progress "stack $stack, $type:"
    aws_ cloudformation describe-change-set --stack-name "$stack" --change-set-name "$set" --output text --query \
        'Changes[].ResourceChange.[Action, LogicalResourceId, ResourceType, Replacement]' | while IFS=$'\t' read -r action resource kind replaced; do
        progress "  $action $resource ($kind)$([ "$replaced" != True ] || echo ', REPLACED: the old one is deleted')"
    done
    confirm "execute this change of stack $stack in $region, account $account?" ||
        fail "nothing was changed; the change set $set of stack $stack is kept for a look in the console"
    aws_ cloudformation execute-change-set --stack-name "$stack" --change-set-name "$set"
    wait_stack "$stack"
    case $status in
    CREATE_COMPLETE|UPDATE_COMPLETE) progress "stack $stack: $status" ;;
    *) fail "stack $stack is $status; the lines above say why. Nothing is lost: run the same command again after a repair" ;;
    esac
}
