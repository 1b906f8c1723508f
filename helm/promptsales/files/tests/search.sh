#!/bin/sh
# A search finds at least one image.
set -eu
. /tests/token.sh
answer=$(printf 'header = "Authorization: Bearer %s"\n' "$(token content:read)" |
    curl --fail-with-body --silent --show-error --max-time 20 ${AUTHORITY:+--cacert "$AUTHORITY"} --config - \
        --json '{"description": "running shoes at sunrise"}' \
        "$CONTENT_API/v1/getContent")
case $answer in
*'"no_match":false'*) echo "a search is answered with images" ;;
*) printf 'no image came back: %s\n' "$answer" >&2 && exit 1 ;;
esac
