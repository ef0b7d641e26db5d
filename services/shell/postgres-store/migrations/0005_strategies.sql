-- Sub-positions by strategy as the newest snapshot shows them: they come and go with the portfolio's allocations.

CREATE TABLE portfolio_strategies (
    portfolio_id   text    NOT NULL,
    place          integer NOT NULL,
    instrument_id  text,
    strategy       text,
    residual       boolean NOT NULL,
    quantity       numeric NOT NULL,
    average_price  numeric,
    cost           numeric NOT NULL,
    value          numeric NOT NULL,
    realized_gross numeric NOT NULL,
    fees           numeric NOT NULL,
    income         numeric NOT NULL,
    realized_net   numeric NOT NULL,
    unrealized     numeric NOT NULL,
    PRIMARY KEY (portfolio_id, place)
);
CREATE INDEX strategies_by_name ON portfolio_strategies (portfolio_id, strategy);

COMMENT ON TABLE portfolio_strategies IS 'What each strategy holds and has earned of a line, as of the newest snapshot; with the residual it is the line; amounts are in the base currency';
COMMENT ON COLUMN portfolio_strategies.place IS 'Its place in the snapshot, from 0';
COMMENT ON COLUMN portfolio_strategies.instrument_id IS 'Null for instruments together that are neither held nor targeted any more';
COMMENT ON COLUMN portfolio_strategies.strategy IS 'Null for what is of none';
COMMENT ON COLUMN portfolio_strategies.residual IS 'Whether it is what all strategies together leave of the line';
COMMENT ON COLUMN portfolio_strategies.quantity IS 'Signed units';
COMMENT ON COLUMN portfolio_strategies.average_price IS 'Cost of a unit, in the instrument''s currency; null when flat';
COMMENT ON COLUMN portfolio_strategies.cost IS 'Book cost at the rates of booking; zero for a future';
COMMENT ON COLUMN portfolio_strategies.value IS 'Market value';
COMMENT ON COLUMN portfolio_strategies.realized_gross IS 'Cumulative profit realised before fees';
COMMENT ON COLUMN portfolio_strategies.fees IS 'Cumulative';
COMMENT ON COLUMN portfolio_strategies.income IS 'Cumulative';
COMMENT ON COLUMN portfolio_strategies.realized_net IS 'realized_gross - fees + income';
COMMENT ON COLUMN portfolio_strategies.unrealized IS 'value - cost';
