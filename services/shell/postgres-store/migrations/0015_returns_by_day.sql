-- What each closed day returned, of its newest record of performance: as narrow as the day's values, beside them, and kept
-- for good like them. A chart of many years reads both, and no month's table of figures.
CREATE TABLE returns_by_day (
    portfolio_id         text    NOT NULL,
    date                 date    NOT NULL,
    time_weighted_return numeric,
    reason               text,
    method               text    NOT NULL,
    profit               numeric,
    benchmark_return     numeric,
    total_value          numeric,
    net_external_flow    numeric,
    provisional          boolean NOT NULL,
    source_offset        bigint  NOT NULL,
    CONSTRAINT returns_by_day_key PRIMARY KEY (portfolio_id, date)
        INCLUDE (time_weighted_return, reason, method, profit, benchmark_return, total_value, net_external_flow, provisional)
);
COMMENT ON TABLE returns_by_day IS 'One row a portfolio and closed day, from its newest record of portfolio.performance.v1 of the timeframe DAY; amounts are in the base currency';
COMMENT ON COLUMN returns_by_day.date IS 'The portfolio''s day, in its own time zone';
COMMENT ON COLUMN returns_by_day.time_weighted_return IS 'Return of the day, a fraction of one, time-weighted at every external flow; null where none is defined';
COMMENT ON COLUMN returns_by_day.reason IS 'Why the return is null, or is to be read with care';
COMMENT ON COLUMN returns_by_day.method IS 'How the return was found';
COMMENT ON COLUMN returns_by_day.profit IS 'Change of equity less the net external flow';
COMMENT ON COLUMN returns_by_day.benchmark_return IS 'Return of the benchmark since its last price, a fraction of one; null without one';
COMMENT ON COLUMN returns_by_day.total_value IS 'Equity at the cut, as the record had it';
COMMENT ON COLUMN returns_by_day.net_external_flow IS 'Net external flow since the close before, as the record had it';
COMMENT ON COLUMN returns_by_day.provisional IS 'Whether later records may still change these';
COMMENT ON COLUMN returns_by_day.source_offset IS 'Offset of the record in portfolio.performance.v1: newer wins';

-- What is stored already. A record that tells no return is none.
INSERT INTO returns_by_day
SELECT DISTINCT ON (r.portfolio_id, r.date) r.portfolio_id, r.date, (own.figure ->> 'value')::numeric, own.figure ->> 'reason',
       coalesce(own.figure ->> 'method', ''), figure(r.metrics, 'profit'), figure(r.metrics, 'benchmark_return'),
       figure(r.metrics, 'total_value'), figure(r.metrics, 'net_external_flow'), r.provisional, r.source_offset
FROM performance_records r,
     LATERAL (SELECT line AS figure FROM jsonb_array_elements(r.metrics) AS line WHERE line ->> 'id' = 'time_weighted_return' LIMIT 1) AS own
WHERE r.timeframe = 'DAY' AND r.date IS NOT NULL
ORDER BY r.portfolio_id, r.date, r.source_offset DESC;
