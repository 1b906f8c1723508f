-- The greater revision wins; at the same revision a tombstone stays.
INSERT INTO documents AS present (
    id, revision, content_hash, document, dense_es, dense_en, sparse_es, sparse_en,
    status, themes, campaign_themes, channels, audience, orientation, territories,
    usable_from, usable_until
) VALUES (
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16::date, $17::date
)
ON CONFLICT (id) DO UPDATE SET
    revision = excluded.revision,
    content_hash = excluded.content_hash,
    document = excluded.document,
    dense_es = excluded.dense_es,
    dense_en = excluded.dense_en,
    sparse_es = excluded.sparse_es,
    sparse_en = excluded.sparse_en,
    status = excluded.status,
    themes = excluded.themes,
    campaign_themes = excluded.campaign_themes,
    channels = excluded.channels,
    audience = excluded.audience,
    orientation = excluded.orientation,
    territories = excluded.territories,
    usable_from = excluded.usable_from,
    usable_until = excluded.usable_until
WHERE present.revision < excluded.revision
   OR (present.revision = excluded.revision AND present.content_hash IS NOT NULL)
