SELECT record
FROM erasures
WHERE id = $1
    AND sequence >= (
        SELECT max(sequence) FROM erasures
        WHERE id = $1 AND record #>> '{erasure,stage,stage}' = 'store'
    )
ORDER BY sequence
