-- What a request created was erased: the same request must not create it anew. Until now an erasure forgot the key.
ALTER TABLE request_keys ADD COLUMN erased boolean NOT NULL DEFAULT false;
