-- One schema per embedding model (the connection's search_path names it), so that vectors made by
-- two models never stand in one table. `embedder.dimensions` is set by the embedder before it migrates.

CREATE TABLE collection (
    only_row   boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    model      text NOT NULL,
    dimensions integer NOT NULL CHECK (dimensions BETWEEN 1 AND 4096)
);

COMMENT ON TABLE collection IS 'Which model made the vectors of this schema.';

-- Grain: one content document, or the tombstone of one.
CREATE TABLE documents (
    id              text PRIMARY KEY,
    revision        bigint NOT NULL,
    content_hash    text,
    document        jsonb,
    dense_es        vector,
    dense_en        vector,
    sparse_es       sparsevec,
    sparse_en       sparsevec,
    status          text,
    themes          text[],
    campaign_themes text[],
    channels        text[],
    audience        text[],
    orientation     text,
    territories     text[],
    usable_from     date,
    usable_until    date,
    CONSTRAINT document_or_tombstone CHECK (
        num_nulls(content_hash, document, dense_es, dense_en, sparse_es, sparse_en, status) IN (0, 7)
    )
);

COMMENT ON COLUMN documents.content_hash IS 'SHA-256 of what is searched by; NULL marks a tombstone.';
COMMENT ON COLUMN documents.dense_es IS 'Unit vector of the Spanish texts.';
COMMENT ON COLUMN documents.sparse_es IS 'BM25 document weights of the Spanish texts; the query side holds the IDF.';

CREATE INDEX documents_themes ON documents USING gin (themes);
CREATE INDEX documents_campaign_themes ON documents USING gin (campaign_themes);
CREATE INDEX documents_channels ON documents USING gin (channels);

-- HNSW needs to know the dimensions, which a migration cannot: they come from the session.
DO $$
DECLARE
    dimensions integer := current_setting('embedder.dimensions')::integer;
    lang text;
BEGIN
    FOREACH lang IN ARRAY ARRAY['es', 'en'] LOOP
        EXECUTE format('ALTER TABLE documents ALTER COLUMN dense_%s TYPE vector(%s)', lang, dimensions);
        EXECUTE format('ALTER TABLE documents ALTER COLUMN sparse_%s TYPE sparsevec(536870912)', lang);
        EXECUTE format(
            'CREATE INDEX documents_dense_%1$s ON documents USING hnsw (dense_%1$s vector_ip_ops)', lang
        );
        EXECUTE format(
            'CREATE INDEX documents_sparse_%1$s ON documents USING hnsw (sparse_%1$s sparsevec_ip_ops)', lang
        );
    END LOOP;
END
$$;
