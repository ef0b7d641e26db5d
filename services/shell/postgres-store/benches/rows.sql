-- Made-up rows for the bench of queries: many portfolios over many years, in the order in which a service writes them.

INSERT INTO portfolios
SELECT 'portfolio-' || to_char(p, 'FM00000'), 'session-portfolio-' || to_char(p, 'FM00000'), NULL, 'Portfolio ' || p, NULL, 'BALANCED', 0.12, 'WEEKLY', 'USD',
       NULL, 'APPROVAL', 1, '{}', false, p, now(), now()
FROM generate_series(0, :portfolios - 1) AS p;

INSERT INTO allocation_heads SELECT portfolio_id, 1, 1 FROM portfolios;

INSERT INTO portfolio_allocations
SELECT portfolio_id, 'INSTRUMENT-' || i, 0.1, 0.05, 0.15, 0.1, now(), 'SYM' || i, 'SECTOR-' || i % 5, 'EQUITY', 100, 90.5, 100.25, now(), false, 10025, 10,
       0.001, 975, 12.5
FROM portfolios, generate_series(1, 10) AS i;

INSERT INTO latest_snapshots
SELECT portfolio_id, 1, now(), 'USD', 100250, 1000, 900, '{"USD": {"trade_date": "1000", "settled": "1000"}}',
       '{"total_pnl": "975", "fees": "1", "income": "2"}', '{"exposure": {"net": "0.99", "gross": "0.99", "long": "99250", "short": "0"}}', '{"complete": true}',
       true, 1
FROM portfolios;

-- Ten years of days, by day and then by portfolio; the key is made when they are there.
ALTER TABLE values_by_day DROP CONSTRAINT values_by_day_key;
INSERT INTO values_by_day
SELECT p.portfolio_id, d::date, d + interval '21 hours', 1, 100000 + extract(doy FROM d) + n.n, 1000.5, 99000.25, 0, 0, true, false
FROM generate_series(current_date - :years * interval '1 year', current_date - interval '1 day', interval '1 day') AS d,
     (SELECT portfolio_id, row_number() OVER () AS n FROM portfolios) AS p, LATERAL (SELECT p.n % 97 AS n) AS n
WHERE extract(isodow FROM d) < 6;
ALTER TABLE values_by_day ADD CONSTRAINT values_by_day_key PRIMARY KEY (portfolio_id, date)
    INCLUDE (cut_at, total_value, cash_value, long_value, short_value, net_external_flow, complete, provisional);

ALTER TABLE returns_by_day DROP CONSTRAINT returns_by_day_key;
INSERT INTO returns_by_day (portfolio_id, date, time_weighted_return, method, profit, benchmark_return, risk_free_return, total_value,
                            net_external_flow, provisional, source_offset, trades, winning_trades, losing_trades, gross_profit, gross_loss)
SELECT portfolio_id, date, 0.012345678901, 'TIME_WEIGHTED', 123.45, 0.001234567890, 0.0001, total_value,
       net_external_flow, provisional, 1, trades, trades, trades * 0, trades * 12.34, trades * 0.0
FROM values_by_day, LATERAL (SELECT CASE WHEN extract(isodow FROM date) = 1 THEN 2 END AS trades) AS of_mondays;
ALTER TABLE returns_by_day ADD CONSTRAINT returns_by_day_key PRIMARY KEY (portfolio_id, date)
    INCLUDE (time_weighted_return, reason, method, profit, benchmark_return, risk_free_return, total_value, net_external_flow,
             provisional, trades, winning_trades, losing_trades, gross_profit, gross_loss);

INSERT INTO performance_snapshots
SELECT portfolio_id, 1000 - d, now() - d * interval '1 day', 'USD', 100250, 1000, 900, '{"USD": {"trade_date": "1000", "settled": "1000"}}', NULL, '{}',
       (SELECT jsonb_agg(jsonb_build_object('instrument_id', 'INSTRUMENT-' || i, 'symbol', 'SYM' || i, 'quantity', '100', 'value', '10025'))
        FROM generate_series(1, 10) AS i), '{"exposure": {}}', '{}', true, 1
FROM generate_series(30, 0, -1) AS d, portfolios;

INSERT INTO close_versions
SELECT portfolio_id, current_date - d, 1, 'USD', (current_date - d) + interval '21 hours', (current_date - d) + interval '21 hours', 100000, 0, 90000,
       (SELECT jsonb_agg(jsonb_build_object('instrument_id', 'INSTRUMENT-' || i, 'quantity', '100', 'value', '10025')) FROM generate_series(1, 10) AS i),
       '{"USD": "1000"}', '{}', '[{"currency": "USD", "fx_rate": "1", "cash_value": "1000", "receivables_value": "0"}]', true, false, NULL, 1,
       (current_date - d) + interval '21 hours', NULL
FROM generate_series(30, 1, -1) AS d, portfolios;

INSERT INTO ledger_entries
SELECT portfolio_id, n, 0, 'TRADE', 'execution.fills.v1', 0, n, 'e' || n, 'INSTRUMENT-' || n % 10 + 1, NULL, 'XNYS', at::date, at, at, 1, 100.25, 1,
       '{"USD": "-100.25"}', 0, '{}', 0, 0
FROM generate_series(1, :years * 10) AS n, LATERAL (SELECT now() - (:years * 10 - n) * interval '36 days' AS at) AS t, portfolios;

-- Figures: by the month since the start, and by the day of the last quarter with their groupings.
INSERT INTO performance_records
SELECT portfolio_id, timeframe, now() - m * interval '1 month', 'USD', false, told.metrics, '[]', (now() - m * interval '1 month')::date, NULL, '[]', 1
FROM generate_series(:years * 12, 0, -1) AS m, (VALUES ('ALL')) AS t (timeframe), portfolios,
     (SELECT jsonb_agg(jsonb_build_object('id', 'figure_' || i, 'value', '0.123456', 'unit', 'RATIO', 'window', '500D', 'observations', 500, 'method', 'x'))
      AS metrics FROM generate_series(1, 4) AS i) AS told;
INSERT INTO performance_records
SELECT portfolio_id, 'DAY', now() - d * interval '1 day', 'USD', false, '[]', told.attribution, (now() - d * interval '1 day')::date, NULL, '[]', 1
FROM generate_series(60, 0, -1) AS d, portfolios,
     (SELECT jsonb_agg(jsonb_build_object('grouping', g, 'residual', '0', 'total', '10', 'buckets',
          jsonb_build_array(jsonb_build_object('name', 'a', 'total', '5'), jsonb_build_object('name', 'b', 'total', '5')))) AS attribution
      FROM unnest(ARRAY['STRATEGY', 'SECTOR', 'INSTRUMENT_TYPE', 'TIME_OF_DAY']) AS g) AS told;
INSERT INTO latest_performance
SELECT DISTINCT ON (portfolio_id, timeframe) portfolio_id, timeframe, as_of, base_currency, provisional, metrics, attribution, date, from_date, drawdowns, source_offset
FROM performance_records WHERE as_of > now() - interval '1 month' ORDER BY portfolio_id, timeframe, as_of DESC;
INSERT INTO risk_records
SELECT portfolio_id, '500D', now() - m * interval '1 month', 'USD', false, '[]', NULL, '[]', '[]', '[]', 1 FROM generate_series(12, 0, -1) AS m, portfolios;
INSERT INTO latest_risk SELECT portfolio_id, '500D', now(), 'USD', false, '[]', NULL, '[]', '[]', '[]', 1 FROM portfolios;

INSERT INTO portfolio_rebalances
SELECT portfolio_id || '-' || m, portfolio_id, now() - m * interval '1 month', 'SCHEDULED', '{}', '{}',
       CASE WHEN m = 0 THEN 'PENDING_APPROVAL' ELSE 'COMPLETED' END, NULL, '{"turnover": "0.1"}', '[]', '[]', NULL, false, NULL, 1, now()
FROM generate_series(:years * 12, 0, -1) AS m, portfolios;
INSERT INTO command_answers SELECT portfolio_id, rebalance_id, rebalance_id, 'RELEASED', NULL, NULL, now(), 1 FROM portfolio_rebalances;
