-- A late acknowledgement never takes back a newer one, nor runs ahead of what is stored.
UPDATE documents
SET acknowledged_revision = accepted.revision
FROM unnest($1::text[], $2::bigint[]) AS accepted (id, revision)
WHERE documents.id = accepted.id
    AND accepted.revision <= documents.revision
    AND accepted.revision > documents.acknowledged_revision
