-- Each table of core that holds rows, the largest first, with statements that give its twin in the schema keyed its keys.
SELECT c.relname::text AS name,
    ARRAY(SELECT format('ALTER TABLE keyed.%I ADD CONSTRAINT %I %s', c.relname, k.conname, pg_get_constraintdef(k.oid))
        FROM pg_constraint AS k WHERE k.conrelid = c.oid AND k.contype IN ('p', 'u', 'x')
    ) || ARRAY(SELECT replace(pg_get_indexdef(i.indexrelid), ' ON core.', ' ON keyed.')
        FROM pg_index AS i WHERE i.indrelid = c.oid
            AND NOT EXISTS (SELECT FROM pg_constraint AS k WHERE k.conindid = i.indexrelid AND k.conrelid = c.oid)
    ) AS keys,
    ARRAY(SELECT format('ALTER TABLE keyed.%I ADD CONSTRAINT %I %s NOT VALID', c.relname, k.conname,
            replace(pg_get_constraintdef(k.oid), 'REFERENCES core.', 'REFERENCES keyed.'))
        FROM pg_constraint AS k WHERE k.conrelid = c.oid AND k.contype = 'f' ORDER BY k.conname) AS foreign_keys,
    ARRAY(SELECT format('ALTER TABLE keyed.%I VALIDATE CONSTRAINT %I', c.relname, k.conname)
        FROM pg_constraint AS k WHERE k.conrelid = c.oid AND k.contype = 'f' ORDER BY k.conname) AS checks
FROM pg_class AS c
WHERE c.relnamespace = 'core'::regnamespace AND c.relkind = 'r'
ORDER BY pg_relation_size(c.oid) DESC, c.relname
