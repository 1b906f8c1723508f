-- One statement, one snapshot: a thing that moves while it is read is seen at one of its places.
(
    SELECT position, updated_at AS at, 'content' AS kind, id, NULL AS campaign_id,
        deleted_at IS NOT NULL AS ended, body, revision, created_at, updated_at
    FROM documents
    WHERE position > $1
    ORDER BY position
    LIMIT $2
)
UNION ALL
(
    SELECT position, updated_at, 'campaign', id, NULL, false, body, revision, created_at, updated_at
    FROM campaigns
    WHERE position > $1
    ORDER BY position
    LIMIT $2
)
UNION ALL
(
    SELECT position, changed_at, 'use', content_id, campaign_id, ended, NULL, 0, changed_at, changed_at
    FROM campaign_contents
    WHERE position > $1
    ORDER BY position
    LIMIT $2
)
ORDER BY position
LIMIT $2
