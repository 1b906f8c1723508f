INSERT INTO campaign_contents (campaign_id, content_id, changed_at, ended, position)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (campaign_id, content_id) DO UPDATE
SET changed_at = excluded.changed_at, ended = excluded.ended, position = excluded.position
