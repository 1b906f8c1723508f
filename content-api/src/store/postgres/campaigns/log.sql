SELECT position, at, by, event
FROM campaign_log
WHERE campaign_id = $1 AND position > $2 AND at >= $3
ORDER BY position
LIMIT $4
