SET LOCAL ROLE warehouse_owner;

CREATE FUNCTION etl.checksums() RETURNS TABLE (name text, row_count bigint, checksum text)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    t text;
BEGIN
    FOR t IN SELECT target FROM etl.targets ORDER BY ordinal LOOP
        name := 'core.' || t;
        EXECUTE format(
            'SELECT count(*), lpad(to_hex(abs(coalesce(sum(hashtextextended(f::text, 0)), 0)
                %% 9223372036854775783)::bigint), 16, ''0'') FROM core.%I AS f', t)
            INTO row_count, checksum;
        RETURN NEXT;
    END LOOP;
END
$$;
COMMENT ON FUNCTION etl.checksums IS
    'One row a table: how many rows, and a sum over their hashes, whatever their order. Equal contents give equal sums; sessions must agree on TimeZone and DateStyle.';
REVOKE ALL ON FUNCTION etl.checksums FROM PUBLIC;
GRANT EXECUTE ON FUNCTION etl.checksums TO warehouse_etl, warehouse_owner;
RESET ROLE;
