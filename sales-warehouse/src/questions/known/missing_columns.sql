SELECT DISTINCT wanted.source || '.' || wanted.name
FROM unnest($1::text[], $2::text[]) AS wanted (source, name)
WHERE NOT EXISTS (
    SELECT FROM pg_attribute AS a
    WHERE a.attrelid = to_regclass(wanted.source) AND a.attname = wanted.name AND NOT a.attisdropped)
ORDER BY 1
