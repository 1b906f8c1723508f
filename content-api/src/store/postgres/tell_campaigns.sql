INSERT INTO campaign_log (campaign_id, content_id, at, by, event)
SELECT used.campaign_id, $1, $2, $3, told.event
FROM campaign_contents AS used, unnest($4::jsonb[]) WITH ORDINALITY AS told (event, place)
WHERE used.content_id = $1 AND NOT used.ended
ORDER BY used.campaign_id, told.place
