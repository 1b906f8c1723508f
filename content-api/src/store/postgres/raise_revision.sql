-- The acknowledged revision stays, so the document is pending from now on; each gets a place of its own in the change
-- feed, from $3 on. Above the greatest number there is nothing.
WITH held AS (
    SELECT id, max(revision) AS revision
    FROM unnest($1::text[], $2::bigint[]) AS held (id, revision)
    GROUP BY id
), behind AS (
    SELECT id, held.revision + 1 AS revision, row_number() OVER (ORDER BY id) - 1 AS place
    FROM documents JOIN held USING (id)
    WHERE documents.revision <= held.revision AND held.revision < 9223372036854775807
)
UPDATE documents
SET revision = behind.revision, position = $3 + behind.place
FROM behind
WHERE documents.id = behind.id
