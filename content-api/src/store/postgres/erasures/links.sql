SELECT campaign_id FROM campaign_contents WHERE content_id = $1 AND NOT ended ORDER BY campaign_id
