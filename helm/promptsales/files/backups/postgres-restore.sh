#!/bin/sh
# Replaces each database's contents with the dump's; all of a database, or nothing. The roles that its grants name are
# there: the migrations of the installation have made them.
set -eu

# What was there goes by whole schemas, also what the dump does not know: `pg_restore --clean` tries to drop what
# partitions inherit, and fails. Extensions, and what belongs to others, stay.
empty="
DO \$\$
DECLARE
    mine record;
BEGIN
    FOR mine IN
        SELECT 'SCHEMA' AS kind, quote_ident(nspname) AS name
        FROM pg_namespace
        WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public')
          AND pg_has_role(nspowner, 'USAGE')
          AND oid NOT IN (SELECT extnamespace FROM pg_extension)
        UNION ALL
        SELECT 'TABLE', 'public.' || quote_ident(relname)
        FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
          AND pg_has_role(relowner, 'USAGE')
          AND oid NOT IN (SELECT objid FROM pg_depend WHERE deptype = 'e')
    LOOP
        EXECUTE 'DROP ' || mine.kind || ' IF EXISTS ' || mine.name || ' CASCADE';
    END LOOP;
END
\$\$;"

for database in $DATABASES; do
    dump="$SCRATCH/$database.dump"
    pg_restore --list "$dump" >"$SCRATCH/all"
    # Extensions are the server's, and so is the schema that they are in: making one takes a superuser, who has made it
    # before us.
    grep -v -e ' EXTENSION ' -e ' SCHEMA - public ' "$SCRATCH/all" >"$SCRATCH/list"
    if grep -q ' EXTENSION - vector' "$SCRATCH/all"; then
        psql --quiet --dbname="$database" --command='CREATE EXTENSION IF NOT EXISTS vector'
    fi
    rm -f "$SCRATCH/whole"
    {
        echo "SET client_min_messages = warning; BEGIN; $empty"
        # A dump that breaks off is never committed.
        if pg_restore --use-list="$SCRATCH/list" --file=- "$dump"; then
            : >"$SCRATCH/whole"
            echo 'COMMIT;'
        fi
    } | psql --quiet --set=ON_ERROR_STOP=1 --output=/dev/null --dbname="$database"
    if [ ! -e "$SCRATCH/whole" ]; then
        echo "$dump cannot be read to its end: $database is as it was" >&2
        exit 1
    fi
done
