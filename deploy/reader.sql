-- A role that reads the tables for people and nothing else: for dashboards. Run it once as the owner of the tables, and
-- again after an update that brought new ones; twice changes nothing. Then let people in, each with settings of their own,
-- which a member inherits from no role: a question that runs on would hold up the months that are to go.
--   CREATE ROLE grafana LOGIN PASSWORD '…' IN ROLE ballast_reader;
--   ALTER ROLE grafana SET default_transaction_read_only = on;
--   ALTER ROLE grafana SET statement_timeout = '30s';
-- Checkpoints are left out: they hold whole books, and are nobody's to read but the service's.
DO $$
DECLARE
    relation regclass;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'ballast_reader') THEN
        CREATE ROLE ballast_reader NOLOGIN;
    END IF;
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO ballast_reader', current_database());
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO ballast_reader', current_schema());
    -- Months are read through the table that they are parts of, so that those to come need no right of their own.
    FOR relation IN
        SELECT c.oid::regclass FROM pg_class c
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition
          AND c.relname !~ '^(checkpoint|_sqlx)'
    LOOP
        EXECUTE format('GRANT SELECT ON %s TO ballast_reader', relation);
    END LOOP;
END
$$;
