#!/bin/sh
# A search finds at least one image of the bundled catalogue; where that is not stored, it is answered at all.
set -eu
. /tests/token.sh
answer=$(printf 'header = "Authorization: Bearer %s"\n' "$(token content:read)" |
    curl --fail-with-body --silent --show-error --max-time 20 ${AUTHORITY:+--cacert "$AUTHORITY"} --config - \
        --json '{"description": "running shoes at sunrise"}' \
        "$CONTENT_API/v1/getContent")
case $SEEDED$answer in
*'"no_match":false'*) echo "a search is answered with images" ;;
false*'"no_match":true'*) echo "a search is answered: no image fits, and the catalogue was not asked for" ;;
*) printf 'no image came back: %s\n' "$answer" >&2 && exit 1 ;;
esac
