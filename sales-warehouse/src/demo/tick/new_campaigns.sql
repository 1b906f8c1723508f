-- Drafts after the example of earlier campaigns.
WITH chosen AS (
    SELECT nextval('ads.campaigns_campaign_id_seq') AS id, c.*, p.dice
    FROM (SELECT * FROM unnest($1, $2) AS p (place, dice) LIMIT $4) AS p,
        (SELECT min(campaign_id) AS low, max(campaign_id) AS high FROM ads.campaigns) AS ids,
        LATERAL (
            SELECT name, objective, theme, market_code, budget, currency, end_date - start_date AS days
            FROM ads.campaigns
            WHERE campaign_id >= ids.low + floor((ids.high - ids.low) * p.place)::bigint
            ORDER BY campaign_id LIMIT 1
        ) AS c
)
INSERT INTO ads.campaigns
    (campaign_id, code, name, objective, theme, status, market_code, budget, currency, start_date,
     end_date, created_at)
SELECT id, 'CMP-' || lpad(id::text, 6, '0'), name, objective, theme, 'draft', market_code, budget,
    currency, $3::date + 7 + floor(dice * 30)::int, $3::date + 7 + floor(dice * 30)::int + days, $3
FROM chosen
