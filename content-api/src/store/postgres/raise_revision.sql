-- The acknowledged revision stays, so the document is pending from now on. Above the greatest
-- number there is nothing.
UPDATE documents
SET revision = held.revision + 1
FROM (
    SELECT id, max(revision) AS revision
    FROM unnest($1::text[], $2::bigint[]) AS held (id, revision)
    GROUP BY id
) AS held
WHERE documents.id = held.id
    AND documents.revision <= held.revision
    AND held.revision < 9223372036854775807
