#!/bin/sh
# Installs rb from this folder: install.sh [PREFIX], with PREFIX ~/.local unless given. install.sh --uninstall [PREFIX] takes
# out what it put there, and the folders that it made. Nothing that is there already is overwritten.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
uninstall=false
[ "${1:-}" != --uninstall ] || { uninstall=true; shift; }
prefix=${1:-$HOME/.local}
list=$prefix/share/rb/installed

if $uninstall; then
    [ -f "$list" ] || { echo "rb is not installed in $prefix" >&2; exit 1; }
    # Files first, then folders from below; one that holds something else stays. What this shell reads is removed last.
    sort -r "$list" | while IFS= read -r path; do
        if [ -L "$prefix/$path" ] || [ -f "$prefix/$path" ]; then rm -f "$prefix/$path"; else rmdir "$prefix/$path" 2>/dev/null || true; fi
    done
    echo "rb is gone from $prefix"
    exit
fi
cd "$here"
files=$(find bin share ! -type d | sort)
for path in $files; do
    if [ -e "$prefix/$path" ] || [ -L "$prefix/$path" ]; then
        echo "$prefix/$path is there already; nothing was installed (take an older rb out with: install.sh --uninstall)" >&2
        exit 1
    fi
done
made=
for folder in . $(find bin share -type d | sort); do
    [ -d "$prefix/$folder" ] || { made="$made $folder"; mkdir -p "$prefix/$folder"; }
done
for path in $files; do cp -P "$path" "$prefix/$path"; done
# shellcheck disable=SC2086 # words, one a path; the paths of this folder have no blanks
# The list names itself and the folders that were not there.
printf '%s\n' $made $files share/rb/installed >"$list"
echo "rb is installed in $prefix/bin"
