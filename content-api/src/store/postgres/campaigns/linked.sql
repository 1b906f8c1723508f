SELECT content_id FROM campaign_contents WHERE campaign_id = $1 AND NOT ended
