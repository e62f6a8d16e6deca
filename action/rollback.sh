#!/usr/bin/env bash
# Rolls TARGET (a path, a commit or a range of two commits) of BASE back on a branch of its own, pushes that, and opens a
# pull request. BASE itself is pushed to only where PUSH_DIRECTLY is true, and never with force.
# shellcheck source=action/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

[ -n "${TARGET:-}" ] || fail 2 "the input target is missing: a path, a commit or a range of two commits"
[ "$(printf '%s' "$TARGET" | tr -d '\000-\037\177')" = "$TARGET" ] || fail 2 "the target has control characters"
case "/$TARGET/" in
/-* | /:* | *//* | */../* | */.git/*) fail 2 "'$TARGET' is neither a path of the repository nor a commit" ;;
esac
fetch_base

# What it is: an id is a commit, whatever files are called; else it is a path.
asked=()
if [[ $TARGET =~ ^([0-9a-fA-F]{7,64})\.\.([0-9a-fA-F]{7,64})$ ]]; then
    to=${BASH_REMATCH[2]}
    from=$(commit_of_base "${BASH_REMATCH[1]}")
    to=$(commit_of_base "$to")
    asked=("$from..$to") name=${from:0:12}-${to:0:12}
elif [[ $TARGET =~ ^[0-9a-fA-F]{7,64}$ ]]; then
    id=$(commit_of_base "$TARGET")
    asked=("$id") name=${id:0:12}
    [ "$(git rev-list --no-walk --parents "$id" | wc -w)" -le 2 ] || asked+=(-m 1)
else
    asked=(--file "$TARGET") name=$(printf '%s' "$TARGET" | git hash-object --stdin | cut -c1-12)
fi
[ -z "${CHECK:-}" ] || asked+=(--check "$(as_check "$CHECK")")
[ "${ALLOW_LOSS:-false}" != true ] || asked+=(--allow-loss)
[ -z "${REASON:-}" ] || asked+=(--reason "$(one_line "$REASON")")
branch=rollback/$name

if git ls-remote --exit-code origin "refs/heads/$branch" >/dev/null; then
    say "$branch is there already: its pull request waits, or it was not deleted after it"
    output branch "$branch"
    output status waiting
    exit 0
fi

export GIT_AUTHOR_NAME=${NAME:-rb} GIT_AUTHOR_EMAIL=${EMAIL:-rb@users.noreply.invalid}
export GIT_COMMITTER_NAME=$GIT_AUTHOR_NAME GIT_COMMITTER_EMAIL=$GIT_AUTHOR_EMAIL
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
code=0
# The token is not for the checks, nor for what they start. The remote's branch is named, so that the result is known to be for it.
env -u GH_TOKEN -u GITHUB_TOKEN rb revert "${asked[@]}" --onto "refs/remotes/origin/$BASE" --branch "$branch" --yes --json \
    2> >(harmless) >"$folder/receipt.json" || code=$?
if [ "$code" = 3 ]; then
    say "nothing to do: it is rolled back already"
    output status nothing-to-do
    exit 0
elif [ "$code" != 0 ]; then
    jq -r '.error | select(.) | .message' "$folder/receipt.json" >"$folder/why" 2>/dev/null || true
    output status "$([ "$code" = 1 ] && echo conflict || echo refused)"
    printf '::error::%s\n' "$(one_line "rb revert ended with $code: $(cat "$folder/why")")" >&2
    exit "$code"
fi
commit=$(git rev-parse --verify "refs/heads/$branch")
rb report --format md >"$folder/report.md"
[ -z "${GITHUB_STEP_SUMMARY:-}" ] || cat "$folder/report.md" >>"$GITHUB_STEP_SUMMARY"
output commit "$commit"
output branch "$branch"

push() { git -c core.hooksPath=/dev/null push --quiet "$@"; }

if [ "${PUSH_DIRECTLY:-false}" = true ]; then
    if push origin "$commit:refs/heads/$BASE"; then
        say "pushed to $BASE: ${commit:0:12}"
        output status pushed
        exit 0
    fi
    say "$BASE was not accepted: a pull request is opened instead"
fi

title=$(git log -1 --format=%s "$commit")
if [ -n "${GITLAB_CI:-}" ]; then
    # GitLab opens the request by itself when it is pushed to so.
    push -o merge_request.create -o "merge_request.target=$BASE" -o "merge_request.title=$title" origin "$commit:refs/heads/$branch" ||
        fail 8 "the result is the branch $branch, which origin did not accept"
    output status proposed
    exit 0
fi
# The remote's host can have any name.
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=rb.forge GIT_CONFIG_VALUE_0=github
rb publish "$(jq -r .outcome.operation_id "$folder/receipt.json")" --push=origin --branch "$branch" --pr --yes --json \
    2> >(harmless) >"$folder/published.json" || fail 8 "the result is the branch $branch, which could not be published"
url=$(jq -r '.pull_request.url // empty' "$folder/published.json")
output url "$url"
output status proposed
say "proposed: $(one_line "$url")"
