#!/usr/bin/env bash
# What the Action does, by MODE: rollback, auto-revert, bisect, gate or rehearse. What one script puts out is an input of the
# next, and an output of the Action.
# shellcheck source=action/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
here=$(dirname "${BASH_SOURCE[0]}")

installed=$("$here/install.sh")
[ -z "$installed" ] || export PATH=$installed:$PATH
case ${MODE:-} in
gate | rehearse) exec "$here/$MODE.sh" ;;
rollback | auto-revert | bisect) ;;
*) fail 2 "'${MODE:-}' is no mode: rollback, auto-revert, bisect, gate or rehearse" ;;
esac

# A step of it, whose outputs are inputs of the next.
step() {
    local outputs code=0 line name value
    outputs=$(mktemp)
    GITHUB_OUTPUT=$outputs "$here/$1" || code=$?
    while IFS= read -r line; do
        name=${line%%=*} value=${line#*=}
        case $name in
        target) export TARGET=$value ;;
        base) export BASE=$value ;;
        good) export GOOD=$value ;;
        bad) export BAD=$value ;;
        reason) export REASON=$value ;;
        status) status=$value ;;
        url) url=$value ;;
        esac
        output "$name" "$value"
    done <"$outputs"
    rm -f "$outputs"
    [ "$code" = 0 ] || exit "$code"
}

status=asked url=
# A target that the workflow's own file names needs no event: its job decides who may.
if [ -z "${TARGET:-}" ] || [ "$MODE" != rollback ]; then step event.sh; fi
[ "$status" = asked ] || exit 0
if [ "$MODE" != rollback ]; then
    step bisect.sh
    [ "$MODE" = auto-revert ] || exit 0
fi
step rollback.sh
if [ "${REPLY_TO_COMMENT:-false}" = true ] && [ "${GITHUB_EVENT_NAME:-}" = issue_comment ] && [ -n "$url" ]; then
    gh issue comment "$(jq -r '.issue.number' "$GITHUB_EVENT_PATH")" --repo "$GITHUB_REPOSITORY" --body "$url" >/dev/null
fi
