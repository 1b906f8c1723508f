-- A run that is at work may end in any way, so it is not counted yet.
SELECT status, count(*) FROM etl.runs WHERE status <> 'running' GROUP BY status
