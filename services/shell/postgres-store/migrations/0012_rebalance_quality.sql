-- How the rebalances of each portfolio came off: how many ended with every order filled, and what their executions cost
-- against the prices that they were planned on. Figures are those of the last events, added up, never estimated.

CREATE VIEW rebalance_quality AS
SELECT portfolio_id, released, completed, failed, completed::numeric / nullif(released, 0) AS success_rate,
       filled_value / nullif(ordered_value, 0) AS fill_rate, ordered_value, traded_value, slippage, arrival_slippage, fees, cost,
       10000 * cost / nullif(traded_value, 0) AS cost_bp, untold, last_ended_at
FROM (SELECT r.portfolio_id,
             count(*) AS released,
             count(*) FILTER (WHERE r.status = 'COMPLETED') AS completed,
             count(*) FILTER (WHERE r.status = 'FAILED') AS failed,
             sum((e ->> 'ordered_value')::numeric) AS ordered_value,
             sum((e ->> 'filled_value')::numeric) AS filled_value,
             -- Of a rebalance whose cost cannot be told nothing counts here: part and whole are of the same ones.
             sum((e ->> 'traded_value')::numeric) FILTER (WHERE e ->> 'cost' IS NOT NULL) AS traded_value,
             sum((e ->> 'slippage')::numeric) FILTER (WHERE e ->> 'cost' IS NOT NULL) AS slippage,
             sum((e ->> 'arrival_slippage')::numeric) FILTER (WHERE e ->> 'cost' IS NOT NULL) AS arrival_slippage,
             sum((e ->> 'fees')::numeric) FILTER (WHERE e ->> 'cost' IS NOT NULL) AS fees,
             sum((e ->> 'cost')::numeric) AS cost,
             count(*) FILTER (WHERE e ->> 'cost' IS NULL) AS untold,
             max(r.updated_at) AS last_ended_at
      FROM portfolio_rebalances r, LATERAL (SELECT r.metrics -> 'execution' AS e) told
      WHERE NOT r.shadow AND r.status IN ('COMPLETED', 'FAILED') AND e IS NOT NULL
      GROUP BY r.portfolio_id) ended;
COMMENT ON VIEW rebalance_quality IS 'One row a portfolio: its rebalances whose orders left and that have ended, and what their execution cost';
COMMENT ON COLUMN rebalance_quality.released IS 'Rebalances of which orders had left and that have ended';
COMMENT ON COLUMN rebalance_quality.success_rate IS 'completed / released: a fraction of one';
COMMENT ON COLUMN rebalance_quality.fill_rate IS 'What of the ordered value was executed: a fraction of one';
COMMENT ON COLUMN rebalance_quality.slippage IS 'What executions cost more than at the prices of the plans; base currency, positive is a cost';
COMMENT ON COLUMN rebalance_quality.arrival_slippage IS 'What executions cost more than at the prices of the releases; base currency, positive is a cost';
COMMENT ON COLUMN rebalance_quality.cost IS 'slippage + fees; base currency';
COMMENT ON COLUMN rebalance_quality.cost_bp IS 'cost as a share of traded_value; basis points';
COMMENT ON COLUMN rebalance_quality.untold IS 'Those of them whose cost is not known: nothing was executed, or the book did not tell at which prices';

COMMENT ON COLUMN portfolio_rebalances.metrics IS 'expected_fees: base currency; turnover, drift_before, drift_after: fractions of one; execution: how its orders were executed, once it has ended; besides them words of its events';
COMMENT ON COLUMN portfolio_rebalance.metrics IS 'expected_fees: base currency; turnover, drift_before, drift_after: fractions of one; execution, once it has ended: fill_rate, slippage, fees, cost and cost_bp, and the same by order under lines';
