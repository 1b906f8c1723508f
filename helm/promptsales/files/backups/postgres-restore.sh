#!/bin/sh
# Replaces each database's contents with the dump's; all of a database, or nothing.
set -eu
# Roles that are there already stay as they are.
psql --quiet --dbname=postgres --file="$SCRATCH/roles.sql" || true
for database in $DATABASES; do
    pg_restore --clean --if-exists --single-transaction --dbname="$database" "$SCRATCH/$database.dump"
done
