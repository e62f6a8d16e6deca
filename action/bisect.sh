#!/usr/bin/env bash
# Finds the change that broke BASE between GOOD and BAD, along first parents, with CHECK, which a shell runs in a work tree
# of its own, without the workflow's tokens. Output: `target`, the commit.
# shellcheck source=action/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

[ -n "${CHECK:-}" ] || fail 2 "the input check is missing: the command that fails"
fetch_base
good=$(commit_of_base "${GOOD:-}")
bad=$(commit_of_base "${BAD:-}")
[ "$good" != "$bad" ] || fail 5 "there is no change between the good commit and the bad one"
git merge-base --is-ancestor "$good" "$bad" || fail 5 "no change leads from ${good:0:12} to ${bad:0:12}"

folder=$(mktemp -d)
cleanup() {
    git worktree remove --force "$folder/tree" 2>/dev/null || true
    rm -rf "$folder"
}
trap cleanup EXIT
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=core.hooksPath GIT_CONFIG_VALUE_0=/dev/null
git worktree add --quiet --detach "$folder/tree" "$bad"
cd "$folder/tree"

# The check finds nothing that the one before has left, and no token. 125 says that it cannot tell, as git bisect has it.
cat >"$folder/check" <<'CHECK'
#!/bin/sh
git clean -qfdx && exec env -i PATH="$PATH" HOME="$1" LANG=C.UTF-8 CI=true sh -c "$2" </dev/null
CHECK
chmod +x "$folder/check"
mkdir "$folder/home"
passes() { git checkout --quiet --force --detach "$1" && "$folder/check" "$folder/home" "$CHECK" 2>&1 | harmless; }

# The ends first: a check that fails at GOOD, or passes at BAD, tells nothing of what lies between.
if passes "$bad"; then fail 4 "the check passes at ${bad:0:12}: it is not what broke, or it fails only now and then"; fi
passes "$good" || fail 4 "the check fails at ${good:0:12} already: name an earlier commit with the input good"
git bisect start --first-parent "$bad" "$good" | harmless
git bisect run "$folder/check" "$folder/home" "$CHECK" 2>&1 | harmless || fail 4 "the check cannot tell which change it was"
found=$(git rev-parse --verify refs/bisect/bad)
say "broken since: $(one_line "$(git log -1 --format='%h %s' "$found")")"
output target "$found"
output status found
