SELECT record FROM erasures WHERE sequence > $1 ORDER BY sequence LIMIT $2
