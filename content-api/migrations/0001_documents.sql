-- The aggregate is one jsonb value: it is read and written whole. Columns beside it are what the
-- publisher and the change log ask by.
CREATE TABLE documents (
    -- Ordered byte by byte, as the programs that page through it order it.
    id text COLLATE "C" PRIMARY KEY,
    body jsonb NOT NULL,
    revision bigint NOT NULL CHECK (revision > 0),
    -- The last revision that the search indexes are known to hold; 0 for none.
    acknowledged_revision bigint NOT NULL DEFAULT 0
        CHECK (acknowledged_revision BETWEEN 0 AND revision),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    -- Set: this row is a tombstone, kept so that the deletion has a revision of its own.
    deleted_at timestamptz
);

CREATE INDEX documents_pending ON documents (id) WHERE revision > acknowledged_revision;

-- Image files by what they are, not by whose they are: two documents may share one.
CREATE TABLE image_files (
    sha256 text COLLATE "C" PRIMARY KEY CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    media_type text NOT NULL,
    bytes bytea NOT NULL
);

-- Image formats are compressed already.
ALTER TABLE image_files ALTER COLUMN bytes SET STORAGE EXTERNAL;

-- One row, changed in the transaction of each write: its lock puts writes in the order in which
-- they become visible. A sequence would let a later number be seen before an earlier one.
CREATE TABLE contents_version (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version bigint NOT NULL
);

INSERT INTO contents_version (version) VALUES (0);
