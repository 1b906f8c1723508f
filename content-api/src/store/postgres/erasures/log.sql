DELETE FROM campaign_log WHERE content_id = $1
