-- Records of portfolio.performance.v1 and portfolio.risk.v1: the newest of each portfolio and timeframe, and all of
-- them by month.

CREATE TABLE latest_performance (
    portfolio_id  text        NOT NULL,
    timeframe     text        NOT NULL,
    as_of         timestamptz NOT NULL,
    base_currency text        NOT NULL,
    provisional   boolean     NOT NULL,
    metrics       jsonb       NOT NULL,
    attribution   jsonb       NOT NULL,
    date          date,
    from_date     date,
    drawdowns     jsonb       NOT NULL,
    source_offset bigint      NOT NULL,
    PRIMARY KEY (portfolio_id, timeframe)
);
COMMENT ON TABLE latest_performance IS 'One row a portfolio and timeframe: its newest record of portfolio.performance.v1';
COMMENT ON COLUMN latest_performance.timeframe IS 'Period that the figures cover, such as DAY, MTD, YTD or ALL';
COMMENT ON COLUMN latest_performance.as_of IS 'The moment that the figures reach to';
COMMENT ON COLUMN latest_performance.base_currency IS 'Currency of every amount that names none';
COMMENT ON COLUMN latest_performance.provisional IS 'Whether later records may still change the figures';
COMMENT ON COLUMN latest_performance.metrics IS 'One object a figure: id, value, unit, window, observations, method, or a null value with its reason';
COMMENT ON COLUMN latest_performance.attribution IS 'One object a grouping: buckets, residual, total';
COMMENT ON COLUMN latest_performance.date IS 'Last day that the figures cover';
COMMENT ON COLUMN latest_performance.from_date IS 'First day that the figures cover';
COMMENT ON COLUMN latest_performance.drawdowns IS 'The deepest fall of the index, and the one that it is in where that is another';
COMMENT ON COLUMN latest_performance.source_offset IS 'Offset of the record in portfolio.performance.v1';

CREATE TABLE performance_records (
    portfolio_id  text        NOT NULL,
    timeframe     text        NOT NULL,
    as_of         timestamptz NOT NULL,
    base_currency text        NOT NULL,
    provisional   boolean     NOT NULL,
    metrics       jsonb       NOT NULL,
    attribution   jsonb       NOT NULL,
    date          date,
    from_date     date,
    drawdowns     jsonb       NOT NULL,
    source_offset bigint      NOT NULL,
    CONSTRAINT performance_records_key PRIMARY KEY (portfolio_id, timeframe, as_of)
) PARTITION BY RANGE (as_of);
CREATE INDEX performance_records_by_time ON performance_records (portfolio_id, as_of DESC);
COMMENT ON TABLE performance_records IS 'One row a portfolio, timeframe and moment: the newest record of portfolio.performance.v1 for it';
COMMENT ON COLUMN performance_records.timeframe IS 'Period that the figures cover, such as DAY, MTD, YTD or ALL';
COMMENT ON COLUMN performance_records.as_of IS 'The moment that the figures reach to';
COMMENT ON COLUMN performance_records.base_currency IS 'Currency of every amount that names none';
COMMENT ON COLUMN performance_records.provisional IS 'Whether later records may still change the figures';
COMMENT ON COLUMN performance_records.metrics IS 'One object a figure: id, value, unit, window, observations, method, or a null value with its reason';
COMMENT ON COLUMN performance_records.attribution IS 'One object a grouping: buckets, residual, total';
COMMENT ON COLUMN performance_records.date IS 'Last day that the figures cover';
COMMENT ON COLUMN performance_records.from_date IS 'First day that the figures cover';
COMMENT ON COLUMN performance_records.drawdowns IS 'The deepest fall of the index, and the one that it is in where that is another';
COMMENT ON COLUMN performance_records.source_offset IS 'Offset of the record in portfolio.performance.v1';

CREATE TABLE latest_risk (
    portfolio_id  text        NOT NULL,
    timeframe     text        NOT NULL,
    as_of         timestamptz NOT NULL,
    base_currency text        NOT NULL,
    provisional   boolean     NOT NULL,
    metrics       jsonb       NOT NULL,
    date          date,
    components    jsonb       NOT NULL,
    correlations  jsonb       NOT NULL,
    sectors       jsonb       NOT NULL,
    source_offset bigint      NOT NULL,
    PRIMARY KEY (portfolio_id, timeframe)
);
COMMENT ON TABLE latest_risk IS 'One row a portfolio and timeframe: its newest record of portfolio.risk.v1';
COMMENT ON COLUMN latest_risk.timeframe IS 'Period that the figures cover';
COMMENT ON COLUMN latest_risk.as_of IS 'The moment that the figures reach to';
COMMENT ON COLUMN latest_risk.base_currency IS 'Currency of every amount that names none';
COMMENT ON COLUMN latest_risk.provisional IS 'Whether later records may still change the figures';
COMMENT ON COLUMN latest_risk.metrics IS 'One object a figure: id, value, unit, window, observations, method, or a null value with its reason';
COMMENT ON COLUMN latest_risk.date IS 'Last day that the figures cover';
COMMENT ON COLUMN latest_risk.components IS 'One object a holding: what it adds to the risk';
COMMENT ON COLUMN latest_risk.correlations IS 'One object a pair of instruments';
COMMENT ON COLUMN latest_risk.sectors IS 'One object a sector: value, and weight as a fraction of one';
COMMENT ON COLUMN latest_risk.source_offset IS 'Offset of the record in portfolio.risk.v1';

CREATE TABLE risk_records (
    portfolio_id  text        NOT NULL,
    timeframe     text        NOT NULL,
    as_of         timestamptz NOT NULL,
    base_currency text        NOT NULL,
    provisional   boolean     NOT NULL,
    metrics       jsonb       NOT NULL,
    date          date,
    components    jsonb       NOT NULL,
    correlations  jsonb       NOT NULL,
    sectors       jsonb       NOT NULL,
    source_offset bigint      NOT NULL,
    CONSTRAINT risk_records_key PRIMARY KEY (portfolio_id, timeframe, as_of)
) PARTITION BY RANGE (as_of);
CREATE INDEX risk_records_by_time ON risk_records (portfolio_id, as_of DESC);
COMMENT ON TABLE risk_records IS 'One row a portfolio, timeframe and moment: the newest record of portfolio.risk.v1 for it';
COMMENT ON COLUMN risk_records.timeframe IS 'Period that the figures cover';
COMMENT ON COLUMN risk_records.as_of IS 'The moment that the figures reach to';
COMMENT ON COLUMN risk_records.base_currency IS 'Currency of every amount that names none';
COMMENT ON COLUMN risk_records.provisional IS 'Whether later records may still change the figures';
COMMENT ON COLUMN risk_records.metrics IS 'One object a figure: id, value, unit, window, observations, method, or a null value with its reason';
COMMENT ON COLUMN risk_records.date IS 'Last day that the figures cover';
COMMENT ON COLUMN risk_records.components IS 'One object a holding: what it adds to the risk';
COMMENT ON COLUMN risk_records.correlations IS 'One object a pair of instruments';
COMMENT ON COLUMN risk_records.sectors IS 'One object a sector: value, and weight as a fraction of one';
COMMENT ON COLUMN risk_records.source_offset IS 'Offset of the record in portfolio.risk.v1';
