-- The four tables of the guide that the service follows, by its names, as views. Numbers are exact; weights are
-- fractions of one.

CREATE VIEW portfolio AS
SELECT portfolio_id AS id, session_id, name, description, type, target_risk, rebalance_freq AS rebalance_frequency, created_at, updated_at
FROM portfolios;
COMMENT ON VIEW portfolio IS 'One row a portfolio: what it is called, how it is run and how much it may risk';

CREATE VIEW portfolio_allocation AS
SELECT portfolio_id || '/' || instrument_id AS id, portfolio_id, instrument_id, target_weight, min_weight, max_weight, current_weight,
       last_rebalance
FROM portfolio_allocations;
COMMENT ON VIEW portfolio_allocation IS 'One row a line held or targeted: its target, its bounds and where it stands';

-- Plans that end as they are said, of shadows and of checks, and those that came to nothing, are no rebalances.
CREATE VIEW portfolio_rebalance AS
SELECT r.rebalance_id AS id, r.portfolio_id, r.timestamp, r.type, r.old_allocations, r.new_allocations,
       (SELECT coalesce(jsonb_agg(jsonb_build_object(
                   'order_id', o.order_id, 'instrument_id', o.instrument_id, 'side', o.side, 'quantity', o.quantity::text,
                   'filled_quantity', o.filled_quantity::text, 'status', o.status, 'expected_value', o.expected_value::text,
                   'released_at', o.released_at) ORDER BY o.wave_number, o.order_id), '[]')
        FROM orders o WHERE o.rebalance_id = r.rebalance_id) AS trades,
       CASE WHEN r.status = 'COMPLETED' THEN 'COMPLETED'
            WHEN r.status IN ('PENDING_APPROVAL', 'APPROVED', 'RELEASED', 'STUCK') THEN 'PENDING'
            ELSE 'FAILED' END AS status,
       r.status AS state, r.code, r.metrics - 'text' - 'command_id' - 'outcome' - 'policy_version' AS metrics
FROM portfolio_rebalances r
WHERE NOT r.shadow AND r.status NOT IN ('PROPOSED', 'NO_ACTION_NEEDED');
COMMENT ON VIEW portfolio_rebalance IS 'One row a rebalance: PENDING until its last state, COMPLETED when every order is filled, else FAILED';
COMMENT ON COLUMN portfolio_rebalance.status IS 'PENDING, COMPLETED or FAILED';
COMMENT ON COLUMN portfolio_rebalance.state IS 'The service''s own word for it';
COMMENT ON COLUMN portfolio_rebalance.metrics IS 'expected_fees: base currency; turnover, drift_before, drift_after: fractions of one';

-- A figure of a record by its id; null where it is undefined or absent.
CREATE FUNCTION figure(metrics jsonb, of_id text) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$
    SELECT (told ->> 'value')::numeric FROM jsonb_array_elements(metrics) AS told WHERE told ->> 'id' = of_id LIMIT 1
$$;
COMMENT ON FUNCTION figure(jsonb, text) IS 'A figure of performance_records.metrics or risk_records.metrics by its id';

CREATE VIEW performance_snapshot AS
SELECT s.portfolio_id || '/' || s.version AS id, s.portfolio_id, s.timestamp, s.total_value, s.cash_value,
       (SELECT jsonb_object_agg(n.timeframe, n.metrics)
        FROM (SELECT DISTINCT ON (p.timeframe) p.timeframe, p.metrics FROM performance_records p
              WHERE p.portfolio_id = s.portfolio_id AND p.as_of <= s.timestamp AND p.timeframe IN ('DAY', 'MTD', 'YTD')
              ORDER BY p.timeframe, p.as_of DESC) n) AS returns,
       s.metrics || coalesce((SELECT jsonb_build_object('figures', p.metrics, 'as_of', p.as_of) FROM performance_records p
                              WHERE p.portfolio_id = s.portfolio_id AND p.timeframe = 'ALL' AND p.as_of <= s.timestamp
                              ORDER BY p.as_of DESC LIMIT 1), '{}') AS metrics,
       s.allocations,
       s.risk || coalesce((SELECT jsonb_build_object('figures', k.metrics, 'as_of', k.as_of) FROM risk_records k
                           WHERE k.portfolio_id = s.portfolio_id AND k.as_of <= s.timestamp
                           ORDER BY k.as_of DESC LIMIT 1), '{}') AS risk
FROM performance_snapshots s;
COMMENT ON VIEW performance_snapshot IS 'One row a snapshot, with the figures of performance and risk that were in force at its moment';
COMMENT ON COLUMN performance_snapshot.returns IS 'Figures of the timeframes DAY, MTD and YTD; null before the first';
COMMENT ON COLUMN performance_snapshot.metrics IS 'Profit and its parts, and under figures those of the timeframe ALL';
COMMENT ON COLUMN performance_snapshot.risk IS 'Exposure and concentration, and under figures those of portfolio.risk.v1';
