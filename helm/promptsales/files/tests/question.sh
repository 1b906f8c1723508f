#!/bin/sh
# A question about sales is answered.
set -eu
. /tests/token.sh
answer=$(printf 'header = "Authorization: Bearer %s"\n' "$(token sales:read)" |
    curl --fail-with-body --silent --show-error --max-time 20 ${AUTHORITY:+--cacert "$AUTHORITY"} --config - \
        --json '{"text": "revenue by month this year"}' \
        "$SALES_WAREHOUSE/v1/questions")
case $answer in
*'"kind":"answer"'*) echo "a question is answered" ;;
*) printf 'no answer came back: %s\n' "$answer" >&2 && exit 1 ;;
esac
