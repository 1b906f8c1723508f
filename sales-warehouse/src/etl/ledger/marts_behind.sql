-- A run that was killed after its merge left them behind, though this one may have changed nothing.
SELECT EXISTS (
    SELECT FROM etl.source_runs
    WHERE inserted + updated + deleted > 0
        AND run_id > coalesce((SELECT max(run_id) FROM etl.runs WHERE marts_refreshed), 0))
