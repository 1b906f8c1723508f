-- The documents with their vectors in half precision: what HNSW indexes of `halfvec` are built on and searched by.
-- Only the order of retrieval is half precise; what is scored are the vectors themselves.
DO $$
BEGIN
    EXECUTE format(
        'CREATE VIEW searchable AS
         SELECT *, dense_es::halfvec(%1$s) AS half_es, dense_en::halfvec(%1$s) AS half_en FROM documents',
        current_setting('embedder.dimensions')::integer
    );
END
$$;
