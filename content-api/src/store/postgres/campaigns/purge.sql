DELETE FROM campaign_log WHERE at < $1
