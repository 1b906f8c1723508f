INSERT INTO erasures (sequence, id, record) VALUES ($1, $2, $3)
