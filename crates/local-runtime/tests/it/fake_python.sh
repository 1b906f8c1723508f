#!/bin/sh
# Stands in for Python with pip. Files beside the link that it is called by say what it does.
here=$(dirname "$0")
case "$*" in
*--version*)
    [ -e "$here/no-pip" ] && { echo "$0: No module named pip" >&2; exit 1; }
    echo "pip 99"
    exit 0
    ;;
esac
for argument in "$@"; do
    [ "$previous" = --dest ] && destination=$argument
    previous=$argument
done
echo "$argument" >>"$here/calls"
[ -e "$here/hang" ] && exec sleep 600
[ -e "$here/fail" ] && { cat "$here/fail" >&2; exit 1; }
[ -e "$here/fail-once" ] && { rm "$here/fail-once"; exit 1; }
cp "$here/served/$argument/"* "$destination"
