-- A tombstone, also of a document that was never here: its late arrival must not revive it.
INSERT INTO documents AS present (id, revision) VALUES ($1, $2)
ON CONFLICT (id) DO UPDATE SET
    revision = excluded.revision,
    content_hash = NULL,
    document = NULL,
    dense_es = NULL,
    dense_en = NULL,
    sparse_es = NULL,
    sparse_en = NULL,
    status = NULL,
    themes = NULL,
    campaign_themes = NULL,
    channels = NULL,
    audience = NULL,
    orientation = NULL,
    territories = NULL,
    usable_from = NULL,
    usable_until = NULL
WHERE present.revision <= excluded.revision
