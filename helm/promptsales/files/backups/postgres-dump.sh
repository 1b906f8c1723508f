#!/bin/sh
# Each database in PostgreSQL's own format.
set -eu
mkdir -p "$SCRATCH"
for database in $DATABASES; do
    pg_dump --format=custom --compress=0 --file="$SCRATCH/$database.dump" "$database"
done
