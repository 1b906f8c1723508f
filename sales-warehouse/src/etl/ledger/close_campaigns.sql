CALL core.close_finished_campaigns((now() AT TIME ZONE 'UTC')::date)
