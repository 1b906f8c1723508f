WITH picked AS (
    SELECT DISTINCT ON (s.subscription_id) s.subscription_id, p.dice
    FROM unnest($1, $2) AS p (place, dice),
        (SELECT max(subscription_id) AS high FROM crm.subscriptions) AS ids,
        LATERAL (
            SELECT subscription_id FROM crm.subscriptions
            WHERE subscription_id >= floor(ids.high * p.place)::bigint AND cancelled_on IS NULL
            ORDER BY subscription_id LIMIT 1
        ) AS s
    ORDER BY s.subscription_id, p.dice
), chosen AS (
    SELECT * FROM picked ORDER BY dice LIMIT $4
)
UPDATE crm.subscriptions AS s
SET cancelled_on = greatest(s.started_on, $3::date)
FROM chosen AS c WHERE s.subscription_id = c.subscription_id
