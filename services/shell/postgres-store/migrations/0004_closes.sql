-- Closed days: the newest version of each, for charts and for whoever reconciles them.
CREATE TABLE closes (
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
    PRIMARY KEY (portfolio_id, date)
);

COMMENT ON TABLE closes IS 'One row a portfolio and day: the newest version of its close';
COMMENT ON COLUMN closes.date IS 'The portfolio''s day, in its own time zone';
COMMENT ON COLUMN closes.version IS 'Rises by one with each close of the day';
COMMENT ON COLUMN closes.cut_at IS 'The moment at which the day was cut';
COMMENT ON COLUMN closes.as_of IS 'The moment at which this version was made';
COMMENT ON COLUMN closes.equity IS 'At the cut, in the base currency: the sum of all values of positions and currencies';
COMMENT ON COLUMN closes.net_external_flow IS 'Since the close before, in the base currency';
COMMENT ON COLUMN closes.net_flows IS 'Net external flows of all days up to this one, in the base currency';
COMMENT ON COLUMN closes.positions IS 'Holdings with units, price, rate, value and cost, as in portfolio.closes.v1';
COMMENT ON COLUMN closes.cash IS 'By currency and trade date: an object of amounts';
COMMENT ON COLUMN closes.receivables IS 'Dividends earned and not yet paid, by currency: an object of amounts';
COMMENT ON COLUMN closes.currencies IS 'What cash and receivables of each currency are worth, as in portfolio.closes.v1';
COMMENT ON COLUMN closes.complete IS 'Whether every price and rate was there and no record waited';
COMMENT ON COLUMN closes.provisional IS 'Whether something is missing: another version follows when it has come';
COMMENT ON COLUMN closes.policy_version IS 'Version of the policy in force when it was made';
