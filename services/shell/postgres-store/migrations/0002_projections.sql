-- Views for people: rows that the projector folds from the topics. One database a deployment.
-- Weights, drifts, bands and rates are fractions of one; only columns named percentage are per cent.
-- Values are in the portfolio's base currency unless a currency stands beside them.

-- The next offset that the projector has not applied yet, moved in the transaction that holds the rows.
CREATE TABLE projector_offsets (
    topic       text    NOT NULL,
    partition   integer NOT NULL,
    next_offset bigint  NOT NULL CHECK (next_offset >= 0),
    PRIMARY KEY (topic, partition)
);

CREATE TABLE portfolios (
    portfolio_id     text        PRIMARY KEY,
    session_id       text        UNIQUE,
    session_conflict text,       -- a session_id that another portfolio held first
    name             text        NOT NULL,
    description      text,
    type             text        NOT NULL,
    target_risk      numeric,
    rebalance_freq   text        NOT NULL,
    base_currency    text        NOT NULL,
    benchmark        text,
    mode             text        NOT NULL,
    policy_version   bigint      NOT NULL,
    policy           jsonb       NOT NULL,
    closed           boolean     NOT NULL,
    source_offset    bigint      NOT NULL,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL
);

-- The newest policy and the newest snapshot that the portfolio's allocations come from.
CREATE TABLE allocation_heads (
    portfolio_id     text PRIMARY KEY,
    policy_offset    bigint,
    snapshot_version bigint
);

CREATE TABLE portfolio_allocations (
    portfolio_id   text NOT NULL,
    instrument_id  text NOT NULL,
    target_weight  numeric,
    min_weight     numeric,
    max_weight     numeric,
    current_weight numeric,
    last_rebalance timestamptz,
    symbol         text,
    sector         text,
    type           text,
    quantity       numeric,
    average_price  numeric,
    price          numeric,
    price_time     timestamptz,
    stale          boolean,
    value          numeric,
    percentage     numeric,
    drift          numeric,
    unrealized     numeric,
    realized       numeric,
    PRIMARY KEY (portfolio_id, instrument_id)
);

CREATE TABLE positions (
    portfolio_id   text        NOT NULL,
    instrument_id  text        NOT NULL,
    quantity       numeric     NOT NULL,
    cost           numeric     NOT NULL,
    average_price  numeric,
    currency       text,
    realized_gross numeric     NOT NULL,
    fees           numeric     NOT NULL,
    income         numeric     NOT NULL,
    realized_net   numeric     NOT NULL,
    lots           jsonb,
    ledger_version bigint      NOT NULL,
    updated_at     timestamptz NOT NULL,
    PRIMARY KEY (portfolio_id, instrument_id)
);

-- What a wave says and what the router says share a row; either may come first.
CREATE TABLE orders (
    order_id            text    PRIMARY KEY,
    portfolio_id        text    NOT NULL,
    rebalance_id        text    NOT NULL,
    wave_id             text,
    wave_number         integer,
    instrument_id       text,
    side                text,
    quantity            numeric,
    order_type          text,
    limit_price         numeric,
    time_in_force       text,
    currency            text,
    reference_price     numeric,
    expected_value      numeric,
    reason_code         text,
    explanation         jsonb,
    policy_version      bigint,
    snapshot_version    bigint,
    valid_until         timestamptz,
    block_key           text,
    released_at         timestamptz,
    wave_offset         bigint,
    cancel_requested_at timestamptz,
    status              text    NOT NULL DEFAULT 'RELEASED',
    filled_quantity     numeric NOT NULL DEFAULT 0,
    leaves_quantity     numeric,
    status_reason_code  text,
    status_reason       text,
    status_at           timestamptz,
    status_offset       bigint
);
CREATE INDEX orders_by_rebalance ON orders (rebalance_id);
CREATE INDEX orders_by_portfolio ON orders (portfolio_id, released_at DESC);
CREATE INDEX orders_open ON orders (portfolio_id)
    WHERE status NOT IN ('FILLED', 'CANCELLED', 'REJECTED', 'EXPIRED');

CREATE TABLE portfolio_rebalances (
    rebalance_id    text        PRIMARY KEY,
    portfolio_id    text        NOT NULL,
    timestamp       timestamptz NOT NULL,
    type            text        NOT NULL,
    old_allocations jsonb       NOT NULL,
    new_allocations jsonb       NOT NULL,
    status          text        NOT NULL,
    code            text,
    metrics         jsonb,
    explanation     jsonb       NOT NULL,
    orders          jsonb       NOT NULL,
    proposal_hash   text,
    shadow          boolean     NOT NULL,
    actor           text,
    source_offset   bigint      NOT NULL,
    updated_at      timestamptz NOT NULL
);
CREATE INDEX rebalances_by_portfolio ON portfolio_rebalances (portfolio_id, timestamp DESC);

CREATE TABLE performance_snapshots (
    portfolio_id   text        NOT NULL,
    version        bigint      NOT NULL,
    timestamp      timestamptz NOT NULL,
    base_currency  text        NOT NULL,
    total_value    numeric     NOT NULL,
    cash_value     numeric     NOT NULL,
    available_cash numeric     NOT NULL,
    cash           jsonb       NOT NULL,
    returns        jsonb,
    metrics        jsonb       NOT NULL,
    allocations    jsonb       NOT NULL,
    risk           jsonb       NOT NULL,
    health         jsonb       NOT NULL,
    complete       boolean     NOT NULL,
    policy_version bigint,
    PRIMARY KEY (portfolio_id, version)
);
CREATE INDEX snapshots_by_time ON performance_snapshots (timestamp);

CREATE TABLE dead_letters (
    topic            text        NOT NULL,
    partition        integer     NOT NULL,
    record_offset    bigint      NOT NULL,
    source_topic     text        NOT NULL,
    source_partition integer     NOT NULL,
    source_offset    bigint      NOT NULL,
    code             text        NOT NULL,
    reason           text        NOT NULL,
    portfolio_id     text,
    lane             integer,
    step             bigint,
    key              bytea,
    body             bytea,
    headers          jsonb       NOT NULL,
    occurred_at      timestamptz NOT NULL,
    PRIMARY KEY (topic, partition, record_offset)
);
CREATE INDEX dead_letters_by_source ON dead_letters (source_topic, source_partition, source_offset);
CREATE INDEX dead_letters_by_time ON dead_letters (occurred_at DESC);
