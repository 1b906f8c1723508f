SELECT max(version) FROM etl._sqlx_migrations WHERE success
