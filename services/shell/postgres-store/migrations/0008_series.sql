-- Value, cash and exposure of every portfolio over time, thinned out: by minute and hour from its snapshots, by its
-- own day from its closes.

CREATE TABLE values_by_minute (
    portfolio_id  text        NOT NULL,
    at            timestamptz NOT NULL,
    first_version bigint      NOT NULL,
    last_version  bigint      NOT NULL,
    open_value    numeric     NOT NULL,
    low_value     numeric     NOT NULL,
    high_value    numeric     NOT NULL,
    total_value   numeric     NOT NULL,
    cash_value    numeric     NOT NULL,
    long_value    numeric,
    short_value   numeric,
    complete      boolean     NOT NULL,
    CONSTRAINT values_by_minute_key PRIMARY KEY (portfolio_id, at)
) PARTITION BY RANGE (at);
COMMENT ON TABLE values_by_minute IS 'One row a portfolio and minute in which it has a snapshot; amounts are in the base currency';
COMMENT ON COLUMN values_by_minute.at IS 'When the minute begins';
COMMENT ON COLUMN values_by_minute.first_version IS 'Version of its first snapshot';
COMMENT ON COLUMN values_by_minute.last_version IS 'Version of its last snapshot';
COMMENT ON COLUMN values_by_minute.open_value IS 'Equity of its first snapshot';
COMMENT ON COLUMN values_by_minute.low_value IS 'Least equity of its snapshots';
COMMENT ON COLUMN values_by_minute.high_value IS 'Greatest equity of its snapshots';
COMMENT ON COLUMN values_by_minute.total_value IS 'Equity of its last snapshot';
COMMENT ON COLUMN values_by_minute.cash_value IS 'Cash of its last snapshot';
COMMENT ON COLUMN values_by_minute.long_value IS 'Value of long holdings in its last snapshot';
COMMENT ON COLUMN values_by_minute.short_value IS 'Magnitude of short holdings in its last snapshot';
COMMENT ON COLUMN values_by_minute.complete IS 'Whether each of its snapshots was complete';

CREATE TABLE values_by_hour (
    portfolio_id  text        NOT NULL,
    at            timestamptz NOT NULL,
    first_version bigint      NOT NULL,
    last_version  bigint      NOT NULL,
    open_value    numeric     NOT NULL,
    low_value     numeric     NOT NULL,
    high_value    numeric     NOT NULL,
    total_value   numeric     NOT NULL,
    cash_value    numeric     NOT NULL,
    long_value    numeric,
    short_value   numeric,
    complete      boolean     NOT NULL,
    CONSTRAINT values_by_hour_key PRIMARY KEY (portfolio_id, at)
) PARTITION BY RANGE (at);
COMMENT ON TABLE values_by_hour IS 'One row a portfolio and hour in which it has a snapshot; amounts are in the base currency';
COMMENT ON COLUMN values_by_hour.at IS 'When the hour begins';
COMMENT ON COLUMN values_by_hour.first_version IS 'Version of its first snapshot';
COMMENT ON COLUMN values_by_hour.last_version IS 'Version of its last snapshot';
COMMENT ON COLUMN values_by_hour.open_value IS 'Equity of its first snapshot';
COMMENT ON COLUMN values_by_hour.low_value IS 'Least equity of its snapshots';
COMMENT ON COLUMN values_by_hour.high_value IS 'Greatest equity of its snapshots';
COMMENT ON COLUMN values_by_hour.total_value IS 'Equity of its last snapshot';
COMMENT ON COLUMN values_by_hour.cash_value IS 'Cash of its last snapshot';
COMMENT ON COLUMN values_by_hour.long_value IS 'Value of long holdings in its last snapshot';
COMMENT ON COLUMN values_by_hour.short_value IS 'Magnitude of short holdings in its last snapshot';
COMMENT ON COLUMN values_by_hour.complete IS 'Whether each of its snapshots was complete';

-- Not in months: a day is a narrow row that is kept for good, and its key holds all that a chart reads.
CREATE TABLE values_by_day (
    portfolio_id      text    NOT NULL,
    date              date    NOT NULL,
    cut_at            timestamptz,
    version           bigint  NOT NULL,
    total_value       numeric NOT NULL,
    cash_value        numeric,
    long_value        numeric,
    short_value       numeric,
    net_external_flow numeric NOT NULL,
    complete          boolean NOT NULL,
    provisional       boolean NOT NULL,
    CONSTRAINT values_by_day_key PRIMARY KEY (portfolio_id, date)
        INCLUDE (cut_at, total_value, cash_value, long_value, short_value, net_external_flow, complete, provisional)
);
COMMENT ON TABLE values_by_day IS 'One row a portfolio and closed day, from the newest version of its close; amounts are in the base currency';
COMMENT ON COLUMN values_by_day.date IS 'The portfolio''s day, in its own time zone';
COMMENT ON COLUMN values_by_day.cut_at IS 'The moment at which the day was cut';
COMMENT ON COLUMN values_by_day.version IS 'Version of the close';
COMMENT ON COLUMN values_by_day.total_value IS 'Equity at the cut';
COMMENT ON COLUMN values_by_day.cash_value IS 'Cash by trade date at the cut; null in closes of before it was told';
COMMENT ON COLUMN values_by_day.long_value IS 'Value of long holdings at the cut; of a future its notional';
COMMENT ON COLUMN values_by_day.short_value IS 'Magnitude of short holdings at the cut; of a future its notional';
COMMENT ON COLUMN values_by_day.net_external_flow IS 'Net external flows since the close before';
COMMENT ON COLUMN values_by_day.complete IS 'Whether every price and rate was there and no record waited';
COMMENT ON COLUMN values_by_day.provisional IS 'Whether another version is to be expected';

-- What is stored already, thinned out. Long and short are kept as the snapshots say.
INSERT INTO values_by_day
    (portfolio_id, date, cut_at, version, total_value, cash_value, net_external_flow, complete, provisional)
SELECT c.portfolio_id, c.date, c.cut_at, c.version, c.equity,
       (SELECT sum((held ->> 'cash_value')::numeric) FROM jsonb_array_elements(c.currencies) AS held),
       c.net_external_flow, c.complete, c.provisional
FROM closes c;
