SELECT record FROM erasures ORDER BY sequence DESC LIMIT 1
