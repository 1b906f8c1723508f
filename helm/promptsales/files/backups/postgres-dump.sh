#!/bin/sh
# Each database in PostgreSQL's own format, and the roles that their grants name.
set -eu
pg_dumpall --roles-only --no-role-passwords --database=postgres --file="$SCRATCH/roles.sql"
for database in $DATABASES; do
    pg_dump --format=custom --compress=0 --file="$SCRATCH/$database.dump" "$database"
done
