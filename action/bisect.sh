#!/usr/bin/env bash
# Finds the change that broke BASE between GOOD and BAD, along first parents, with CHECK, which a shell runs in a folder of
# its own, without the workflow's tokens. Output: `target`, the commit.
# shellcheck source=action/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

[ -n "${CHECK:-}" ] || fail 2 "the input check is missing: the command that fails"
fetch_base
good=$(commit_of_base "${GOOD:-}")
bad=$(commit_of_base "${BAD:-}")
[ "$good" != "$bad" ] || fail 5 "there is no change between the good commit and the bad one"
git merge-base --is-ancestor "$good" "$bad" || fail 5 "no change leads from ${good:0:12} to ${bad:0:12}"

found() {
    say "broken since: $(one_line "$(git log -1 --format='%h %s' "$1")")"
    output target "$1"
    output status found
}

folder=$(mktemp -d)
cleanup() {
    git worktree remove --force "$folder/tree" 2>/dev/null || true
    rm -rf "$folder"
}
trap cleanup EXIT

# rb looks at both ends, and inside the merge that turned bad.
if rb bisect --help >/dev/null 2>&1; then
    code=0
    env -u GH_TOKEN -u GITHUB_TOKEN rb bisect --check "$(as_check "$CHECK")" --good "$good" --bad "$bad" --json \
        2> >(harmless) >"$folder/found.json" || code=$?
    [ "$code" = 0 ] || fail "$code" "$(jq -r '.error.message // "the check cannot tell which change it was"' "$folder/found.json")"
    found "$(jq -r .culprit.commit_id "$folder/found.json")"
    exit
fi

# A release of rb without `bisect`: git does it, in a work tree of its own.
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=core.hooksPath GIT_CONFIG_VALUE_0=/dev/null
git worktree add --quiet --detach "$folder/tree" "$bad"
cd "$folder/tree"
# The check finds nothing that the one before has left, and no token. 125 says that it cannot tell.
cat >"$folder/check" <<'CHECK'
#!/bin/sh
git clean -qfdx && exec env -i PATH="$PATH" HOME="$1" LANG=C.UTF-8 CI=true sh -c "$2" </dev/null
CHECK
chmod +x "$folder/check"
mkdir "$folder/home"
passes() { git checkout --quiet --force --detach "$1" && "$folder/check" "$folder/home" "$CHECK" 2>&1 | harmless; }

# The ends first: a check that fails at GOOD, or passes at BAD, tells nothing of what lies between.
if passes "$bad"; then fail 5 "the check passes at ${bad:0:12}: it is not what broke, or it fails only now and then"; fi
passes "$good" || fail 5 "the check fails at ${good:0:12} already: name an earlier commit with the input good"
git bisect start --first-parent "$bad" "$good" | harmless
git bisect run "$folder/check" "$folder/home" "$CHECK" 2>&1 | harmless || fail 7 "the check cannot tell which change it was"
found "$(git rev-parse --verify refs/bisect/bad)"
