INSERT INTO campaign_log (campaign_id, content_id, at, by, event) VALUES ($1, $2, $3, $4, $5)
