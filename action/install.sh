#!/usr/bin/env bash
# Sees that there is rb: the one on the path, or the static binary of a release of ACTION_REPOSITORY, held to its checksum,
# whose folder it prints.
# shellcheck source=action/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

if command -v rb >/dev/null && rb --version 2>/dev/null | grep -q '^rb [0-9]'; then
    say "$(rb --version) is on the path"
    exit 0
fi
case $(uname -s)-$(uname -m) in
Linux-x86_64) target=x86_64-unknown-linux-musl ;;
Linux-aarch64) target=aarch64-unknown-linux-musl ;;
*) fail 5 "there is no release for $(uname -s) on $(uname -m): put rb on the path before this step" ;;
esac
[[ ${RB_VERSION:-} =~ ^v[0-9]+\.[0-9]+\.[0-9]+$ ]] || fail 2 "name the release with the input version, such as v0.1.0, or put rb on the path"
folder=${RUNNER_TEMP:-$(mktemp -d)}/rb-$RB_VERSION
mkdir -p "$folder"
name=rb-${RB_VERSION#v}-$target.tar.gz
gh release download "$RB_VERSION" --repo "$ACTION_REPOSITORY" --dir "$folder" --clobber --pattern "$name" --pattern SHA256SUMS
(cd "$folder" && grep -F "  $name" SHA256SUMS | sha256sum --check --strict --quiet) || fail 5 "$name is not what its release says"
tar -xzf "$folder/$name" -C "$folder" --strip-components=1
[ -z "${GITHUB_PATH:-}" ] || printf '%s\n' "$folder/bin" >>"$GITHUB_PATH"
say "installed: $("$folder/bin/rb" --version)"
printf '%s\n' "$folder/bin"
