-- Tables that grow are cut into months of UTC, so that what is old goes by the table and never by the row.

-- The part of a table that holds a moment, made where it is missing. It runs with the rights of whoever migrates, so
-- that the projector needs none to make tables. Attaching takes no lock that readers would wait for.
CREATE FUNCTION ensure_month(parent text, moment timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    month timestamptz := date_trunc('month', moment, 'UTC');
    part  text := parent || '_' || to_char(month AT TIME ZONE 'UTC', 'YYYY_MM');
BEGIN
    IF to_regclass(quote_ident(part)) IS NOT NULL THEN
        RETURN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_partitioned_table WHERE partrelid = to_regclass(quote_ident(parent))) THEN
        RAISE undefined_table USING MESSAGE = format('%s is no table in months', parent);
    END IF;
    IF moment < '1900-01-01 00:00+00' OR moment >= '2900-01-01 00:00+00' THEN
        RAISE datetime_field_overflow USING MESSAGE = format('%s lies in no month of %s: it is none of 1900 to 2899', moment, parent);
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('ballast: months', 0));
    IF to_regclass(quote_ident(part)) IS NOT NULL THEN
        RETURN;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING STORAGE)', part, parent);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, part,
                   to_char(month AT TIME ZONE 'UTC', 'YYYY-MM-DD') || ' 00:00:00+00',
                   to_char((month AT TIME ZONE 'UTC') + interval '1 month', 'YYYY-MM-DD') || ' 00:00:00+00');
END
$$;

-- Drops the months of a table that end at or before a moment; answers which.
CREATE FUNCTION drop_months(parent text, before timestamptz) RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    part text;
BEGIN
    FOR part IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = to_regclass(quote_ident(parent)) AND c.relname ~ '_[0-9]{4}_[0-9]{2}$'
          AND (to_date(right(c.relname, 7), 'YYYY_MM') + interval '1 month') AT TIME ZONE 'UTC' <= before
        ORDER BY c.relname
    LOOP
        EXECUTE format('DROP TABLE %I', part);
        RETURN NEXT part;
    END LOOP;
END
$$;

REVOKE EXECUTE ON FUNCTION ensure_month(text, timestamptz), drop_months(text, timestamptz) FROM PUBLIC;

-- What the database says of a table's columns, said of another's of the same names.
CREATE FUNCTION pg_temp.hand_comments(source regclass, target regclass) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    told record;
BEGIN
    FOR told IN
        SELECT a.attname AS name, col_description(source, a.attnum) AS words FROM pg_attribute a
        WHERE a.attrelid = source AND a.attnum > 0 AND NOT a.attisdropped AND col_description(source, a.attnum) IS NOT NULL
          AND EXISTS (SELECT FROM pg_attribute t WHERE t.attrelid = target AND t.attname = a.attname AND NOT t.attisdropped)
    LOOP
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', target, told.name, told.words);
    END LOOP;
END
$$;

-- Snapshots: the newest of each portfolio apart, so that it outlives every month.
CREATE TABLE latest_snapshots (
    portfolio_id   text        PRIMARY KEY,
    version        bigint      NOT NULL,
    timestamp      timestamptz NOT NULL,
    base_currency  text        NOT NULL,
    total_value    numeric     NOT NULL,
    cash_value     numeric     NOT NULL,
    available_cash numeric     NOT NULL,
    cash           jsonb       NOT NULL,
    metrics        jsonb       NOT NULL,
    risk           jsonb       NOT NULL,
    health         jsonb       NOT NULL,
    complete       boolean     NOT NULL,
    policy_version bigint
) WITH (fillfactor = 70);
COMMENT ON TABLE latest_snapshots IS 'One row a portfolio: its newest snapshot, whose lines are portfolio_allocations; amounts are in the base currency';
SELECT pg_temp.hand_comments('performance_snapshots', 'latest_snapshots');

ALTER TABLE performance_snapshots RENAME TO whole_performance_snapshots;
CREATE TABLE performance_snapshots (
    portfolio_id   text        NOT NULL,
    version        bigint      NOT NULL,
    timestamp      timestamptz NOT NULL,
    base_currency  text        NOT NULL,
    total_value    numeric     NOT NULL,
    cash_value     numeric     NOT NULL,
    available_cash numeric     NOT NULL,
    cash           jsonb       NOT NULL,
    returns        jsonb,
    metrics        jsonb       NOT NULL,
    allocations    jsonb       NOT NULL,
    risk           jsonb       NOT NULL,
    health         jsonb       NOT NULL,
    complete       boolean     NOT NULL,
    policy_version bigint,
    CONSTRAINT performance_snapshots_key PRIMARY KEY (portfolio_id, version, timestamp)
) PARTITION BY RANGE (timestamp);
CREATE INDEX performance_snapshots_by_time ON performance_snapshots (portfolio_id, timestamp DESC);
COMMENT ON TABLE performance_snapshots IS 'One row a snapshot; amounts are in the base currency';
SELECT pg_temp.hand_comments('whole_performance_snapshots', 'performance_snapshots');
SELECT ensure_month('performance_snapshots', m.month)
FROM (SELECT DISTINCT date_trunc('month', timestamp, 'UTC') AS month FROM whole_performance_snapshots) m;
INSERT INTO performance_snapshots
    (portfolio_id, version, timestamp, base_currency, total_value, cash_value, available_cash, cash, returns, metrics,
     allocations, risk, health, complete, policy_version)
SELECT portfolio_id, version, timestamp, base_currency, total_value, cash_value, available_cash, cash, returns, metrics,
       allocations, risk, health, complete, policy_version
FROM whole_performance_snapshots;
INSERT INTO latest_snapshots
SELECT DISTINCT ON (portfolio_id) portfolio_id, version, timestamp, base_currency, total_value, cash_value,
       available_cash, cash, metrics, risk, health, complete, policy_version
FROM whole_performance_snapshots ORDER BY portfolio_id, version DESC;
DROP TABLE whole_performance_snapshots;

-- Closed days: every version that was read, with the time in which it was the newest.
CREATE TABLE close_versions (
    portfolio_id      text        NOT NULL,
    date              date        NOT NULL,
    version           bigint      NOT NULL,
    base_currency     text,
    cut_at            timestamptz,
    as_of             timestamptz,
    equity            numeric     NOT NULL,
    net_external_flow numeric     NOT NULL,
    net_flows         numeric,
    positions         jsonb       NOT NULL,
    cash              jsonb       NOT NULL,
    receivables       jsonb       NOT NULL,
    currencies        jsonb       NOT NULL,
    complete          boolean     NOT NULL,
    provisional       boolean     NOT NULL,
    incomplete_reason text,
    policy_version    bigint,
    known_from        timestamptz NOT NULL,
    known_until       timestamptz,
    CONSTRAINT close_versions_key PRIMARY KEY (portfolio_id, date, version)
) PARTITION BY RANGE (date);
CREATE INDEX close_versions_newest ON close_versions (portfolio_id, date DESC) WHERE known_until IS NULL;
COMMENT ON TABLE close_versions IS 'One row a version of a portfolio''s closed day';
SELECT pg_temp.hand_comments('closes', 'close_versions');
COMMENT ON COLUMN close_versions.known_from IS 'The moment at which this version was made: from then on it was what is known of the day';
COMMENT ON COLUMN close_versions.known_until IS 'The moment at which a newer version of the day was made; null for the newest';
SELECT ensure_month('close_versions', m.month)
FROM (SELECT DISTINCT date_trunc('month', date::timestamp) AT TIME ZONE 'UTC' AS month FROM closes) m;
INSERT INTO close_versions
    (portfolio_id, date, version, base_currency, cut_at, as_of, equity, net_external_flow, net_flows, positions, cash,
     receivables, currencies, complete, provisional, incomplete_reason, policy_version, known_from)
SELECT portfolio_id, date, version, base_currency, cut_at, as_of, equity, net_external_flow, net_flows, positions, cash,
       receivables, currencies, complete, provisional, incomplete_reason, policy_version,
       coalesce(as_of, cut_at, (date + 1)::timestamp AT TIME ZONE 'UTC')
FROM closes;
ALTER TABLE closes RENAME TO whole_closes;
CREATE VIEW closes AS
SELECT portfolio_id, date, version, base_currency, cut_at, as_of, equity, net_external_flow, net_flows, positions, cash,
       receivables, currencies, complete, provisional, incomplete_reason, policy_version
FROM close_versions WHERE known_until IS NULL;
COMMENT ON VIEW closes IS 'One row a portfolio and day: the newest version of its close';
SELECT pg_temp.hand_comments('whole_closes', 'closes');
DROP TABLE whole_closes;

-- Rebalances, by the month of their first event.
ALTER TABLE portfolio_rebalances RENAME TO whole_portfolio_rebalances;
CREATE TABLE portfolio_rebalances (
    rebalance_id    text        NOT NULL,
    portfolio_id    text        NOT NULL,
    timestamp       timestamptz NOT NULL,
    type            text        NOT NULL,
    old_allocations jsonb       NOT NULL,
    new_allocations jsonb       NOT NULL,
    status          text        NOT NULL,
    code            text,
    metrics         jsonb,
    explanation     jsonb       NOT NULL,
    orders          jsonb       NOT NULL,
    proposal_hash   text,
    shadow          boolean     NOT NULL,
    actor           text,
    source_offset   bigint      NOT NULL,
    updated_at      timestamptz NOT NULL,
    CONSTRAINT portfolio_rebalances_key PRIMARY KEY (rebalance_id, timestamp)
) PARTITION BY RANGE (timestamp);
CREATE INDEX portfolio_rebalances_by_portfolio ON portfolio_rebalances (portfolio_id, timestamp DESC);
CREATE INDEX portfolio_rebalances_open ON portfolio_rebalances (portfolio_id)
    WHERE status IN ('PENDING_APPROVAL', 'APPROVED', 'RELEASED', 'STUCK') AND NOT shadow;
COMMENT ON TABLE portfolio_rebalances IS 'One row a rebalance: its newest event';
SELECT pg_temp.hand_comments('whole_portfolio_rebalances', 'portfolio_rebalances');
SELECT ensure_month('portfolio_rebalances', m.month)
FROM (SELECT DISTINCT date_trunc('month', timestamp, 'UTC') AS month FROM whole_portfolio_rebalances) m;
INSERT INTO portfolio_rebalances
    (rebalance_id, portfolio_id, timestamp, type, old_allocations, new_allocations, status, code, metrics, explanation,
     orders, proposal_hash, shadow, actor, source_offset, updated_at)
SELECT rebalance_id, portfolio_id, timestamp, type, old_allocations, new_allocations, status, code, metrics, explanation,
       orders, proposal_hash, shadow, actor, source_offset, updated_at
FROM whole_portfolio_rebalances;
DROP TABLE whole_portfolio_rebalances;

-- What each command of a person was answered with.
CREATE TABLE command_answers (
    portfolio_id  text        NOT NULL,
    command_id    text        NOT NULL,
    rebalance_id  text        NOT NULL,
    status        text        NOT NULL,
    code          text,
    reason        text,
    answered_at   timestamptz NOT NULL,
    source_offset bigint      NOT NULL,
    PRIMARY KEY (portfolio_id, command_id)
);
COMMENT ON TABLE command_answers IS 'One row a command that was answered in rebalance.events.v1: the newest event that names it';
COMMENT ON COLUMN command_answers.reason IS 'The words of the event';
COMMENT ON COLUMN command_answers.answered_at IS 'The moment of the event';
COMMENT ON COLUMN command_answers.source_offset IS 'Offset of the event in rebalance.events.v1';

-- Every allocation and sub-position has a head, so that none can be left of a portfolio that has none.
INSERT INTO allocation_heads (portfolio_id)
SELECT DISTINCT portfolio_id FROM portfolio_allocations UNION SELECT DISTINCT portfolio_id FROM portfolio_strategies
ON CONFLICT DO NOTHING;
ALTER TABLE portfolio_allocations ADD CONSTRAINT allocations_have_a_head
    FOREIGN KEY (portfolio_id) REFERENCES allocation_heads (portfolio_id);
ALTER TABLE portfolio_strategies ADD CONSTRAINT strategies_have_a_head
    FOREIGN KEY (portfolio_id) REFERENCES allocation_heads (portfolio_id);

DROP FUNCTION pg_temp.hand_comments(regclass, regclass);

-- What these tables hold besides is in the topics: they are read again from the start. A row that is there already
-- stays as it is.
DELETE FROM projector_offsets WHERE topic IN ('portfolio.closes.v1', 'rebalance.events.v1');
