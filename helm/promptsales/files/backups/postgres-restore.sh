#!/bin/sh
# Replaces each database's contents with the dump's; all of a database, or nothing. The roles that its grants name are
# there: the migrations of the installation have made them.
set -eu
for database in $DATABASES; do
    dump="$SCRATCH/$database.dump"
    pg_restore --list "$dump" >"$SCRATCH/all"
    # Extensions are the server's: making one takes a superuser, who has made it before us.
    grep -v ' EXTENSION ' "$SCRATCH/all" >"$SCRATCH/list"
    if grep -q ' EXTENSION - vector' "$SCRATCH/all"; then
        psql --quiet --dbname="$database" --command='CREATE EXTENSION IF NOT EXISTS vector'
    fi
    pg_restore --clean --if-exists --single-transaction --use-list="$SCRATCH/list" --dbname="$database" "$dump"
done
