-- The migrator's own table belongs to whoever migrated first. The owner role may write it, so that another login
-- can migrate the next time; readers see whether it has happened.
ALTER TABLE etl._sqlx_migrations OWNER TO warehouse_owner;
GRANT SELECT ON etl._sqlx_migrations TO warehouse_reader;
