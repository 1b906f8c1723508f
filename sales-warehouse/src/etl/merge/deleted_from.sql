SELECT t.target FROM etl.targets AS t
WHERE t.source = $1
    AND EXISTS (SELECT FROM staging.tombstones AS x WHERE x.source = t.source AND x.table_name = t.tombstones)
