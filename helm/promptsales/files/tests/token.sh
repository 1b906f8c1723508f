# A token of the test's own. The secret travels on standard input, where no process list shows it.
# Read by the other two: . /tests/token.sh
token() {
    {
        printf 'user = "%s:%s"\n' "$(cat /run/secrets/promptsales/client_id)" "$(cat /run/secrets/promptsales/client_secret)"
    } | curl --fail --silent --show-error --max-time 10 --config - \
        --data-urlencode grant_type=client_credentials --data-urlencode "scope=$1" --data-urlencode "resource=$AUDIENCE" \
        "$TOKEN_URL" | sed -n 's/.*"access_token" *: *"\([^"]*\)".*/\1/p'
}
