# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2154
# Steps: said when they begin, and remembered when they are done. Sourced by run.

say() { printf 'run: %s %s\n' "$(date +%H:%M:%S)" "$*"; }
fail() { printf 'run: %s\n' "$*" >&2; exit 1; }

# step once|always NAME TITLE COMMAND...: "once" counts for this release on this host, and in images made of it.
step() {
    how=$1 name=$2 title=$3
    shift 3
    if [ "$how" = once ] && [ -e "$state/done/$RELEASE.$name" ]; then
        say "$title: done before"
    elif [ -n "$dry" ]; then
        say "$title: to do"
    else
        say "$title"
        "$@"
        if [ "$how" = once ]; then
            mkdir -p "$state/done"
            : >"$state/done/$RELEASE.$name"
        fi
    fi
}

# within SECONDS COMMAND...: until it succeeds; fails when the time is over.
within() {
    until=$(($(date +%s) + $1))
    shift
    until "$@"; do
        [ "$(date +%s)" -lt "$until" ] || return 1
        sleep 2
    done
}

# put MODE OWNER FILE: standard input as a file that is never there half, nor for a moment with other rights.
put() {
    mkdir -p "$(dirname "$3")"
    rm -f "$3.new"
    (umask 077; cat >"$3.new")
    chown "$2" "$3.new"
    chmod "$1" "$3.new"
    mv -f "$3.new" "$3"
}
