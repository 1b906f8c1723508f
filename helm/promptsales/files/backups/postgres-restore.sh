#!/bin/sh
# Replaces each database's contents with the dump's; all of a database, or nothing. The roles that its grants name are
# there: the migrations of the installation have made them.
set -eu

# Extensions are the server's, and so are the schemas that they are in or have made: creating one takes a superuser, who
# has done so before us. So is `public`.
theirs="
    nspname = 'public' OR oid IN (SELECT extnamespace FROM pg_extension) OR oid IN (
        SELECT objid FROM pg_depend WHERE classid = 'pg_namespace'::regclass AND deptype = 'e')"

# What was there goes, also what the dump does not know, but for extensions and for what we may not drop. By whole
# schemas: `pg_restore --clean` tries to drop what partitions inherit, and fails.
empty="
DO \$\$
DECLARE
    dropped text;
BEGIN
    FOR dropped IN
        WITH schema AS (
            SELECT oid, quote_ident(nspname) AS name, nspowner, $theirs AS theirs
            FROM pg_namespace
            WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
        ), part AS (
            SELECT 'pg_class'::regclass AS catalogue, oid, relnamespace AS within, relowner AS owner,
                CASE relkind WHEN 'v' THEN 'VIEW ' WHEN 'm' THEN 'MATERIALIZED VIEW ' WHEN 'S' THEN 'SEQUENCE '
                    WHEN 'f' THEN 'FOREIGN TABLE ' ELSE 'TABLE ' END || 'IF EXISTS ' || oid::regclass AS what
            FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
            UNION ALL
            SELECT 'pg_proc'::regclass, oid, pronamespace, proowner, 'ROUTINE IF EXISTS ' || oid::regprocedure
            FROM pg_proc
            UNION ALL
            SELECT 'pg_type'::regclass, oid, typnamespace, typowner, 'TYPE IF EXISTS ' || oid::regtype
            FROM pg_type WHERE typtype IN ('e', 'd')
        )
        SELECT 'SCHEMA IF EXISTS ' || name
        FROM schema WHERE NOT theirs AND pg_has_role(nspowner, 'USAGE')
        UNION ALL
        SELECT part.what
        FROM part JOIN schema ON schema.oid = part.within AND schema.theirs
        WHERE pg_has_role(part.owner, 'USAGE') AND NOT EXISTS (
            SELECT FROM pg_depend AS its WHERE its.classid = part.catalogue AND its.objid = part.oid AND its.deptype = 'e')
    LOOP
        EXECUTE 'DROP ' || dropped || ' CASCADE';
    END LOOP;
END
\$\$;"

for database in $DATABASES; do
    dump="$SCRATCH/$database.dump"
    pg_restore --list "$dump" >"$SCRATCH/all"
    if grep -q ' EXTENSION - vector' "$SCRATCH/all"; then
        PGOPTIONS='--client-min-messages=warning' \
            psql --quiet --dbname="$database" --command='CREATE EXTENSION IF NOT EXISTS vector'
    fi
    {
        echo ' EXTENSION '
        psql --no-align --tuples-only --dbname="$database" \
            --command="SELECT ' SCHEMA - ' || nspname || ' ' FROM pg_namespace WHERE $theirs"
    } >"$SCRATCH/theirs"
    grep -v -F -f "$SCRATCH/theirs" "$SCRATCH/all" >"$SCRATCH/list"
    rm -f "$SCRATCH/whole"
    {
        echo "SET client_min_messages = warning; BEGIN; $empty"
        # A dump that breaks off is never committed.
        if pg_restore --use-list="$SCRATCH/list" --file=- "$dump"; then
            echo 'COMMIT;'
            : >"$SCRATCH/whole"
        else
            echo "$dump cannot be read to its end: $database is as it was" >&2
        fi
    } | psql --quiet --set=ON_ERROR_STOP=1 --output=/dev/null --dbname="$database"
    [ -e "$SCRATCH/whole" ] || exit 1
done
