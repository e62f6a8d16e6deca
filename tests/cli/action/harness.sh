#!/usr/bin/env bash
# Plays recorded events through the Action's scripts against a local origin, in the current folder: harness.sh ACTION EVENTS.
# Prints a line an event: its name, the exit code, the status, and what origin has got. Placeholders in the events, such as
# @BAD@, become the ids of the history that is made here. VERBOSE=1 shows what the scripts say.
# shellcheck disable=SC2016 # what stands in single quotes here is text of scripts and of attackers
set -euo pipefail
action=$1 events=$2 here=$PWD
# A program stands in for the forge, by the calls that the scripts and rb make, and nothing else.
mkdir bin
printf '#!/bin/sh\nHARNESS=%s\n' "$here" >bin/gh
cat >>bin/gh <<'GH'
printf '%s\n' "gh $*" >>"$HARNESS/calls"
case "$1 $2" in
"api repos/acme/shop/collaborators/ada/permission") echo write ;;
"api repos/acme/shop/collaborators/"*) echo read ;;
"api --method") echo "$GOOD_OF_API" ;;
"pr create")
    [ -n "$GH_TOKEN" ] || exit 4
    while [ $# -gt 0 ]; do
        case $1 in --body-file) cp "$2" "$HARNESS/body" ;; --body-file=-) cat >"$HARNESS/body" ;; esac
        shift
    done
    echo https://forge.example/acme/shop/pull/42 ;;
"pr list") echo '[]' ;;
"issue comment") ;;
*) echo "unexpected: gh $*" >&2; exit 1 ;;
esac
GH
chmod +x bin/gh

export GIT_AUTHOR_NAME=Ada GIT_AUTHOR_EMAIL=ada@example.com GIT_COMMITTER_NAME=Ada GIT_COMMITTER_EMAIL=ada@example.com
export GIT_CONFIG_NOSYSTEM=1 HOME=$here
git init -q --bare -b main origin.git
git init -q -b main seed
cd seed
commit() { git add . && git commit -q -m "$1" && git rev-parse HEAD; }
mkdir src
printf '%s\n' 'sum=0' 'for price in "$@"; do' '    sum=$((sum + price))' 'done' 'echo "total: $sum"' >src/total.sh
printf '%s\n' '[ -z "${GH_TOKEN-}${GITHUB_TOKEN-}" ] || touch '"'$here/token-seen'" 'test "$(sh src/total.sh 100 250)" = "total: 350"' >check.sh
commit 'total: add up the prices' >/dev/null
echo one >a && GOOD=$(commit 'a: one')
echo two >a && BEFORE=$(commit 'a: two')
sed -i 's/sum + price/sum - price/' src/total.sh && BAD=$(commit 'total: simplify the loop')
echo 'A shop.' >README && AFTER=$(commit 'readme: say what this is')
git switch -q -c vouchers "$GOOD" && echo 'echo "voucher: $1"' >src/voucher.sh && commit 'vouchers: print one' >/dev/null
git switch -q main && git merge -q --no-ff --no-edit vouchers && MERGE=$(git rev-parse HEAD)
echo three >a && TIP=$(commit 'a: three')
# A release in which the change is undone.
git switch -q -c release && git revert --no-edit "$BAD" >/dev/null && git tag v2 && git switch -q main
# What a fork proposes: the forge has its commits, and no branch of the repository does.
git switch -q -c fork && echo evil >src/total.sh && FORKED=$(commit 'total: improve')
git push -q ../origin.git main v2 fork:refs/pull/41/head
cd ..
export GOOD_OF_API=$GOOD

# Nothing that an event said may have run, in whatever folder, and no token may have reached a check.
harm() { find "$here" \( -name 'pwned*' -o -name token-seen \) -printf 'HARM: %f\n' -delete | sort; }

# play NAME MODE EVENT-NAME [VARIABLE=VALUE…]
play() {
    local name=$1 mode=$2 event=$3 code=0
    shift 3
    rm -rf clone calls body event.json output summary
    : >calls
    : >output
    git clone -q origin.git clone
    # A comment on a pull request of a fork is read in a clone that has the fork's commits, too.
    git -C clone fetch -q origin refs/pull/41/head
    sed "s/@GOOD@/$GOOD/g; s/@BEFORE@/$BEFORE/g; s/@BAD@/$BAD/g; s/@AFTER@/$AFTER/g; s/@MERGE@/$MERGE/g; s/@TIP@/$TIP/g; s/@FORKED@/$FORKED/g" \
        "$events/$name.json" >event.json
    (
        cd clone
        env -u GIT_AUTHOR_NAME -u GIT_AUTHOR_EMAIL -u GIT_COMMITTER_NAME -u GIT_COMMITTER_EMAIL PATH="$here/bin:$PATH" \
            GITHUB_EVENT_PATH="$here/event.json" GITHUB_EVENT_NAME="$event" GITHUB_REPOSITORY=acme/shop GH_TOKEN=token-of-the-job \
            GITHUB_OUTPUT="$here/output" GITHUB_STEP_SUMMARY="$here/summary" MODE="$mode" "$@" "$action/run.sh"
    ) >log 2>&1 || code=$?
    [ -z "${VERBOSE:-}" ] || sed 's/^/    /' log calls output
    local got
    got=$(git -C origin.git for-each-ref --format='%(refname:lstrip=2)' refs/heads | grep -v '^main$' | paste -sd, || true)
    [ "$(git -C origin.git rev-parse main)" = "$TIP" ] || got="$got main:$(git -C origin.git log -1 --format=%s main)"
    printf '%s: %s %s%s%s\n' "$mode $name${*:+ ($*)}" "$code" "$(sed -n 's/^status=//p' output | tail -n 1)" "${got:+ -> }" \
        "$(sed "s/${BAD:0:12}/BAD/; s/${MERGE:0:12}/MERGE/; s/${BEFORE:0:12}/BEFORE/; s/${AFTER:0:12}/AFTER/" <<<"$got")" | sed "s/$BAD/BAD/; s/$GOOD/GOOD/"
    # What was proposed is held to what git makes of it: undone by git, the tip has this tree.
    local branch
    for branch in $(git -C origin.git for-each-ref --format='%(refname)' refs/heads/rollback); do
        printf '    %s by %s; check: %s; report: %s\n' "$(git -C origin.git log -1 --format=%s "$branch")" \
            "$(git -C origin.git log -1 --format='%an, parent %p' "$branch" | sed "s/$(git -C origin.git rev-parse --short "$TIP")/TIP/; s/parent [0-9a-f].*/parent another/")" \
            "$(git --git-dir=origin.git --work-tree=clone checkout -q -f "$branch" -- . && cd clone && sh check.sh && echo passes || echo fails)" \
            "$([ -s body ] && echo yes || echo no)"
        [ -n "${KEEP:-}" ] || git -C origin.git update-ref -d "$branch"
    done
    git -C origin.git update-ref refs/heads/main "$TIP"
    harm
}

# The controls: the harm is seen where it is done.
echo 'controls:'
eval "true $(jq -r .comment.body "$events/comment-shell.json" | sed 's,^/rollback,,')" 2>/dev/null || true
(cd seed && GH_TOKEN=secret sh check.sh) 2>/dev/null || true
harm
echo 'events:'

check='CHECK=sh check.sh'
play comment-path rollback issue_comment "$check" REPLY_TO_COMMENT=true
play comment-commit rollback issue_comment
play comment-range rollback issue_comment
play comment-chat rollback issue_comment
play comment-forged rollback issue_comment
play comment-edited rollback issue_comment
play comment-edited-by-its-author rollback issue_comment
play comment-impersonated rollback issue_comment
play comment-bot rollback issue_comment
play comment-fork-commit rollback issue_comment
play comment-shell rollback issue_comment
play comment-option rollback issue_comment
play comment-log-command rollback issue_comment
play other-repository rollback issue_comment
play label-merged rollback pull_request
play label-fork-merged rollback pull_request_target
play label-fork-open rollback pull_request_target
play label-other rollback pull_request
play dispatch-path rollback workflow_dispatch
play dispatch-path rollback workflow_dispatch 'BASE=$(touch${IFS}pwned)'
play dispatch-path rollback workflow_dispatch BASE=--upload-pack=pwned
play dispatch-outside rollback workflow_dispatch
play push-broken auto-revert push "$check"
play push-broken auto-revert push 'CHECK=true'
play push-broken auto-revert push 'CHECK=false'
play push-broken bisect push "$check"
play push-broken auto-revert push "$check" PUSH_DIRECTLY=true
play push-forced auto-revert push "$check"
play push-new-branch auto-revert push "$check"
play push-other-branch auto-revert push "$check"
play workflow-failed auto-revert workflow_run "$check"
play workflow-of-a-fork auto-revert workflow_run "$check"
play workflow-of-another-repository auto-revert workflow_run "$check"
play workflow-passed auto-revert workflow_run "$check"
play push-broken rollback push
# Gates and rehearsals read no event.
play push-broken gate push "COMMITS=$BAD"
play push-broken gate push "COMMITS=$BAD" REF=v2
play push-broken gate push "COMMITS=$BAD $GOOD" REF=v2
play push-broken gate push 'COMMITS=--help'
play push-broken gate push 'COMMITS=abcdef1;touch pwned'
for drift in 20 2; do
    printf '{"time":"%s","metric":"validation_drift","value":%s}\n' "$(date -u +%FT%TZ)" $drift >samples-$drift.jsonl
    play push-broken gate push PROCEDURE=matriz SAMPLES=../samples-$drift.jsonl
done
play push-broken gate push PROCEDURE=--help SAMPLES=../samples-2.jsonl
play push-broken gate push
play push-broken rehearse push "RANGE=$GOOD..HEAD" "$check"
mkdir parts && cp clone/part-1.jsonl parts
play push-broken rehearse push PARTS=../parts MIN_REVERTIBLE=95
play push-broken rehearse push PARTS=../nowhere
play push-broken rehearse push 'RANGE=--help'
play push-broken rehearse push "RANGE=$GOOD..HEAD" 'SHARD=1/1;touch pwned'
# A branch that does not take the push: the result goes to a pull request.
printf '#!/bin/sh\n[ "$1" != refs/heads/main ]\n' >origin.git/hooks/update && chmod +x origin.git/hooks/update
play push-broken auto-revert push "$check" PUSH_DIRECTLY=true
# The jobs of GitLab, as its template has them; there the push opens the merge request.
git -C origin.git config receive.advertisePushOptions true
printf '#!/bin/sh\nenv | grep ^GIT_PUSH_OPTION_ | sort >%s/options\n' "$here" >origin.git/hooks/post-receive
chmod +x origin.git/hooks/post-receive
job() { # a part of the line, VARIABLE=VALUE…
    local line code=0
    line=$(sed -n "s,^    - \\(.*$1.*\\),\\1,p" "$action/gitlab.yml")
    shift
    rm -f options
    (cd clone && env PATH="$here/bin:$PATH" GITLAB_CI=true RB_SCRIPTS="$action" BASE=main NAME=bot EMAIL=bot@example.com CI_PIPELINE_ID=7 \
        GITLAB_USER_LOGIN=ada "$@" bash -ec "$line") >log 2>&1 || code=$?
    [ -z "${VERBOSE:-}" ] || sed 's/^/    /' log
    printf '%s: %s' "$line" "$code"
    ! [ -f options ] || paste -sd' ' options | sed 's/^/ -> /' | tr -d '\n'
    echo
    git -C origin.git for-each-ref --format='delete %(refname)' refs/heads/rollback | git -C origin.git update-ref --stdin
    harm
}
rm -rf clone && git clone -q origin.git clone
job MODE=rollback TARGET=src/total.sh
git -C clone branch -q -D rollback/d51fef56047d
job MODE=rollback 'TARGET=$(touch pwned)'
job GOOD= "CI_COMMIT_BEFORE_SHA=$GOOD" "CI_COMMIT_SHA=$TIP" "$check"
job FOUND=/p
job 'TARGET=$FOUND' "FOUND=$(sed -n 's/^FOUND=//p' clone/rb.env)"
# The same twice, while its pull request waits.
KEEP=1
play comment-path rollback issue_comment
play comment-path rollback issue_comment
