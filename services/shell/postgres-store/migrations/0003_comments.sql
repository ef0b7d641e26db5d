-- What each table and column is, in the database itself: psql shows it with \d+.

COMMENT ON TABLE portfolios IS 'One row a portfolio: its policy in force';
COMMENT ON COLUMN portfolios.session_id IS 'Names the portfolio for the sessions that quote it; unique';
COMMENT ON COLUMN portfolios.session_conflict IS 'A session_id of the policy that another portfolio held first';
COMMENT ON COLUMN portfolios.target_risk IS 'Volatility a year, as a fraction of one';
COMMENT ON COLUMN portfolios.rebalance_freq IS 'How often the policy plans by schedule';
COMMENT ON COLUMN portfolios.base_currency IS 'Currency of every amount of the portfolio that names none';
COMMENT ON COLUMN portfolios.mode IS 'AUTOMATIC or APPROVAL';
COMMENT ON COLUMN portfolios.policy_version IS 'Version of the policy in force';
COMMENT ON COLUMN portfolios.policy IS 'The policy whole, as in portfolio.policies.v1';
COMMENT ON COLUMN portfolios.closed IS 'Whether the policy was withdrawn';

COMMENT ON TABLE portfolio_allocations IS 'Lines held or targeted, as of the newest snapshot';
COMMENT ON COLUMN portfolio_allocations.target_weight IS 'Fraction of equity';
COMMENT ON COLUMN portfolio_allocations.min_weight IS 'Fraction of equity';
COMMENT ON COLUMN portfolio_allocations.max_weight IS 'Fraction of equity';
COMMENT ON COLUMN portfolio_allocations.current_weight IS 'value / equity: fraction of one';
COMMENT ON COLUMN portfolio_allocations.last_rebalance IS 'When a rebalance that ordered it completed last';
COMMENT ON COLUMN portfolio_allocations.quantity IS 'Signed units';
COMMENT ON COLUMN portfolio_allocations.average_price IS 'Cost of a unit, in the instrument''s currency';
COMMENT ON COLUMN portfolio_allocations.price IS 'In the instrument''s currency';
COMMENT ON COLUMN portfolio_allocations.price_time IS 'When the price was made';
COMMENT ON COLUMN portfolio_allocations.stale IS 'Whether the price is older than allowed, or missing';
COMMENT ON COLUMN portfolio_allocations.value IS 'Market value, in the base currency';
COMMENT ON COLUMN portfolio_allocations.percentage IS 'value / equity, in points of a hundred';
COMMENT ON COLUMN portfolio_allocations.drift IS 'weight - target: fraction of one, signed';
COMMENT ON COLUMN portfolio_allocations.unrealized IS 'Profit not realised, in the base currency';
COMMENT ON COLUMN portfolio_allocations.realized IS 'Cumulative realised net profit, in the base currency';

COMMENT ON TABLE positions IS 'What is held, as of the newest ledger record; amounts are in the instrument''s currency';
COMMENT ON COLUMN positions.quantity IS 'Signed units';
COMMENT ON COLUMN positions.cost IS 'Signed cost of what is held';
COMMENT ON COLUMN positions.average_price IS 'cost / (quantity x multiplier); null when flat';
COMMENT ON COLUMN positions.currency IS 'The instrument''s currency';
COMMENT ON COLUMN positions.realized_gross IS 'Cumulative profit realised before fees';
COMMENT ON COLUMN positions.fees IS 'Cumulative, at the rates of their booking';
COMMENT ON COLUMN positions.income IS 'Cumulative';
COMMENT ON COLUMN positions.realized_net IS 'realized_gross - fees + income';
COMMENT ON COLUMN positions.lots IS 'Open lots, where the cost method keeps them';
COMMENT ON COLUMN positions.ledger_version IS 'Version of the ledger record that says so';

COMMENT ON TABLE orders IS 'One row an order: what was asked for and what the router says of it';
COMMENT ON COLUMN orders.quantity IS 'Units ordered; positive';
COMMENT ON COLUMN orders.limit_price IS 'In `currency`';
COMMENT ON COLUMN orders.currency IS 'Currency of the prices';
COMMENT ON COLUMN orders.reference_price IS 'The price that the plan used, in `currency`';
COMMENT ON COLUMN orders.expected_value IS 'quantity x reference x multiplier x rate, in the base currency';
COMMENT ON COLUMN orders.reason_code IS 'Why it was ordered';
COMMENT ON COLUMN orders.explanation IS 'The numbers behind it';
COMMENT ON COLUMN orders.valid_until IS 'After this moment it must not be sent any more';
COMMENT ON COLUMN orders.block_key IS 'Groups orders of one firm, instrument, side and hour';
COMMENT ON COLUMN orders.cancel_requested_at IS 'When it was asked back';
COMMENT ON COLUMN orders.status IS 'RELEASED until the router speaks, then its last word';
COMMENT ON COLUMN orders.filled_quantity IS 'Units executed, by the router';
COMMENT ON COLUMN orders.leaves_quantity IS 'Units open, by the router';
COMMENT ON COLUMN orders.status_reason_code IS 'The router''s code';
COMMENT ON COLUMN orders.status_reason IS 'The router''s words';

COMMENT ON TABLE portfolio_rebalances IS 'One row a rebalance: its newest event';
COMMENT ON COLUMN portfolio_rebalances.type IS 'What began it: SCHEDULED, THRESHOLD or MANUAL';
COMMENT ON COLUMN portfolio_rebalances.old_allocations IS 'Weights before: fractions of one';
COMMENT ON COLUMN portfolio_rebalances.new_allocations IS 'Weights once every order is filled: fractions of one';
COMMENT ON COLUMN portfolio_rebalances.status IS 'Its newest status';
COMMENT ON COLUMN portfolio_rebalances.code IS 'Why it ended so, where it did not complete';
COMMENT ON COLUMN portfolio_rebalances.explanation IS 'One line for each instrument, ordered or not';
COMMENT ON COLUMN portfolio_rebalances.proposal_hash IS 'Names the proposal that waits: APPROVE repeats it';
COMMENT ON COLUMN portfolio_rebalances.shadow IS 'Whether it was planned and explained only';
COMMENT ON COLUMN portfolio_rebalances.actor IS 'Who decided';

COMMENT ON TABLE performance_snapshots IS 'One row a snapshot; amounts are in the base currency';
COMMENT ON COLUMN performance_snapshots.total_value IS 'Equity: cash + receivables + holdings';
COMMENT ON COLUMN performance_snapshots.cash_value IS 'Cash by trade date';
COMMENT ON COLUMN performance_snapshots.available_cash IS 'Cash that may be spent';
COMMENT ON COLUMN performance_snapshots.cash IS 'Balances by currency, in their currency';
COMMENT ON COLUMN performance_snapshots.metrics IS 'Profit and its parts';
COMMENT ON COLUMN performance_snapshots.allocations IS 'Lines, as in portfolio.snapshots.v1';
COMMENT ON COLUMN performance_snapshots.risk IS 'Exposure and concentration: fractions of one';
COMMENT ON COLUMN performance_snapshots.health IS 'What is stale, missing, quarantined or waits';
COMMENT ON COLUMN performance_snapshots.complete IS 'Whether every line has a fresh price and nothing waits';

COMMENT ON TABLE dead_letters IS 'What was refused, once each';
COMMENT ON COLUMN dead_letters.topic IS 'The topic of the letter';
COMMENT ON COLUMN dead_letters.source_topic IS 'Where the refused record stands';
COMMENT ON COLUMN dead_letters.code IS 'Why, as a code';
COMMENT ON COLUMN dead_letters.reason IS 'What, where and what to do';
COMMENT ON COLUMN dead_letters.body IS 'The refused value, byte for byte; null where it was too large';
COMMENT ON COLUMN dead_letters.key IS 'The refused key';
