-- Whoever writes changes this row first and holds it until the end: one writer at a time.
UPDATE contents_version
SET version = version + $1, position = position + 1
RETURNING position
