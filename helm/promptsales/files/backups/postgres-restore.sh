#!/bin/sh
# Replaces each database's contents with the dump's; all of a database, or nothing. The roles that its grants name are
# there: the migrations of the installation have made them.
set -eu
for database in $DATABASES; do
    dump="$SCRATCH/$database.dump"
    pg_restore --list "$dump" >"$SCRATCH/all"
    # Extensions are the server's, and so is the schema that they are in: making one takes a superuser, who has made it
    # before us.
    grep -v -e ' EXTENSION ' -e ' SCHEMA - public ' "$SCRATCH/all" >"$SCRATCH/list"
    if grep -q ' EXTENSION - vector' "$SCRATCH/all"; then
        psql --quiet --dbname="$database" --command='CREATE EXTENSION IF NOT EXISTS vector'
    fi
    # What was there goes by whole schemas: `pg_restore --clean` tries to drop what partitions inherit, and fails.
    entry='[0-9]*; [0-9]* [0-9]*'
    rm -f "$SCRATCH/broken"
    {
        echo 'SET client_min_messages = warning; BEGIN;'
        sed -n -e "s/^$entry SCHEMA - \([^ ]*\) .*/DROP SCHEMA IF EXISTS \"\1\" CASCADE;/p" \
            -e "s/^$entry TABLE public \([^ ]*\) .*/DROP TABLE IF EXISTS public.\"\1\" CASCADE;/p" "$SCRATCH/list"
        # A dump that breaks off is never committed.
        if pg_restore --use-list="$SCRATCH/list" --file=- "$dump"; then
            echo 'COMMIT;'
        else
            : >"$SCRATCH/broken"
        fi
    } | psql --quiet --set=ON_ERROR_STOP=1 --output=/dev/null --dbname="$database"
    if [ -e "$SCRATCH/broken" ]; then
        echo "$dump cannot be read to its end: $database is as it was" >&2
        exit 1
    fi
done
