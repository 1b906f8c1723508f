INSERT INTO etl.runs (status, finished_at, message)
VALUES ('skipped', clock_timestamp(), 'another run was at work')
RETURNING run_id
