-- The place of the last change in the feed. It is given by the row below, which each writing
-- transaction changes before anything else and holds until it is committed: so places are given in the
-- order in which they are seen, and no reader passes one that is still to come.
ALTER TABLE contents_version ADD COLUMN position bigint NOT NULL DEFAULT 0;

ALTER TABLE documents
    ADD COLUMN position bigint,
    -- The request that created it, to recognise a repetition by.
    ADD COLUMN request text,
    -- What lists and likenesses are asked by; derived from the body.
    ADD COLUMN hashtags text[] NOT NULL DEFAULT '{}',
    ADD COLUMN perceptual_hash bigint,
    -- Set: the body is empty, and stays so until something is created under the id.
    ADD COLUMN erased_at timestamptz;

UPDATE documents
SET position = placed.position
FROM (SELECT id, row_number() OVER (ORDER BY updated_at, id) AS position FROM documents) AS placed
WHERE documents.id = placed.id;

UPDATE contents_version SET position = (SELECT count(*) FROM documents);

UPDATE documents
SET perceptual_hash = ('x' || (body #>> '{image,perceptual_hash}'))::bit(64)::bigint
WHERE body #>> '{image,perceptual_hash}' ~ '^[0-9a-f]{16}$';

UPDATE documents
SET hashtags = coalesce((
    SELECT array_agg(DISTINCT lower(tag #>> '{}'))
    FROM jsonb_path_query(body, 'lax $.text.*.hashtags[*]') AS tag
), '{}');

CREATE UNIQUE INDEX documents_position ON documents (position);
CREATE INDEX documents_hashtags ON documents USING gin (hashtags) WHERE deleted_at IS NULL;
CREATE INDEX documents_image ON documents ((body #>> '{image,sha256}'));
CREATE INDEX documents_former_images ON documents
    USING gin ((body -> 'former_images') jsonb_path_ops);

CREATE TABLE campaigns (
    id text COLLATE "C" PRIMARY KEY,
    body jsonb NOT NULL,
    revision bigint NOT NULL CHECK (revision > 0),
    request text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    position bigint NOT NULL UNIQUE
);

-- A link stays when it ends, as a tombstone.
CREATE TABLE campaign_contents (
    campaign_id text COLLATE "C" NOT NULL REFERENCES campaigns,
    content_id text COLLATE "C" NOT NULL,
    changed_at timestamptz NOT NULL,
    ended boolean NOT NULL DEFAULT false,
    position bigint NOT NULL UNIQUE,
    PRIMARY KEY (campaign_id, content_id)
);

CREATE INDEX campaign_contents_used ON campaign_contents (content_id) WHERE NOT ended;

CREATE TABLE campaign_log (
    -- Written by who holds the row of contents_version, so it grows in the order of commits.
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    campaign_id text COLLATE "C" NOT NULL REFERENCES campaigns,
    content_id text COLLATE "C",
    at timestamptz NOT NULL,
    by text NOT NULL,
    event jsonb NOT NULL
);

CREATE INDEX campaign_log_of ON campaign_log (campaign_id, position);
CREATE INDEX campaign_log_naming ON campaign_log (content_id) WHERE content_id IS NOT NULL;
CREATE INDEX campaign_log_age ON campaign_log (at);

CREATE TABLE request_keys (
    -- A hash of client, operation and key.
    key text COLLATE "C" PRIMARY KEY,
    fingerprint text NOT NULL,
    subject text COLLATE "C" NOT NULL,
    answer text,
    claimed_at timestamptz NOT NULL
);

CREATE INDEX request_keys_subject ON request_keys (subject);
CREATE INDEX request_keys_age ON request_keys (claimed_at);

CREATE TABLE erasures (
    sequence bigint PRIMARY KEY CHECK (sequence > 0),
    id text COLLATE "C" NOT NULL,
    record jsonb NOT NULL
);

CREATE INDEX erasures_of ON erasures (id, sequence);
