-- What the record of a day tells beside its return: what was risk-free, and the trades that were closed. Records that are
-- stored already tell neither.
ALTER TABLE returns_by_day
    ADD COLUMN risk_free_return numeric,
    ADD COLUMN trades           bigint,
    ADD COLUMN winning_trades   bigint,
    ADD COLUMN losing_trades    bigint,
    ADD COLUMN gross_profit     numeric,
    ADD COLUMN gross_loss       numeric;
ALTER TABLE returns_by_day
    DROP CONSTRAINT returns_by_day_key,
    ADD CONSTRAINT returns_by_day_key PRIMARY KEY (portfolio_id, date)
        INCLUDE (time_weighted_return, reason, method, profit, benchmark_return, risk_free_return, total_value, net_external_flow,
                 provisional, trades, winning_trades, losing_trades, gross_profit, gross_loss);
COMMENT ON COLUMN returns_by_day.risk_free_return IS 'Return of the policy''s risk-free instrument since its last price, a fraction of one; null without one';
COMMENT ON COLUMN returns_by_day.trades IS 'Trades closed on the day: executions that closed units; null where there are none';
COMMENT ON COLUMN returns_by_day.winning_trades IS 'Those that came to more than nothing: realised less their own fees';
COMMENT ON COLUMN returns_by_day.losing_trades IS 'Those that came to less than nothing';
COMMENT ON COLUMN returns_by_day.gross_profit IS 'Sum of the winning ones';
COMMENT ON COLUMN returns_by_day.gross_loss IS 'Sum of the losing ones; negative';
