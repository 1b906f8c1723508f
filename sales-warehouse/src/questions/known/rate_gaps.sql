-- Months without a rate of a currency that others have one of, up to this month.
SELECT c.currency, m.month::date
FROM (SELECT currency, min(month) AS first FROM core.exchange_rate GROUP BY currency) AS c
CROSS JOIN LATERAL generate_series(c.first::timestamp, $1::timestamp, interval '1 month') AS m (month)
WHERE NOT EXISTS (
    SELECT FROM core.exchange_rate AS x WHERE x.currency = c.currency AND x.month = m.month::date)
ORDER BY 2, 1
