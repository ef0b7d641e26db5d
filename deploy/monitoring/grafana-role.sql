-- The login of Grafana in deploy/compose.yaml: a member of the role of reader.sql, with its two settings. For development.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'grafana') THEN
        CREATE ROLE grafana LOGIN PASSWORD 'grafana' IN ROLE ballast_reader;
    END IF;
END
$$;
ALTER ROLE grafana SET default_transaction_read_only = on;
ALTER ROLE grafana SET statement_timeout = '30s';
