-- Every booking, by when it takes effect and by when it was booked, and what was held at one moment as it was known
-- at another.

CREATE TABLE ledger_entries (
    portfolio_id    text        NOT NULL,
    version         bigint      NOT NULL,
    place           integer     NOT NULL,
    kind            text        NOT NULL,
    cause_topic     text        NOT NULL,
    cause_partition integer     NOT NULL,
    cause_offset    bigint      NOT NULL,
    cause_id        text        NOT NULL,
    instrument_id   text,
    strategy        text,
    venue           text,
    dated           date,
    effective_at    timestamptz NOT NULL,
    recorded_at     timestamptz NOT NULL,
    quantity_change numeric     NOT NULL,
    price           numeric,
    fx_rate         numeric,
    cash            jsonb       NOT NULL,
    realized_gross  numeric     NOT NULL,
    fees            jsonb       NOT NULL,
    income          numeric     NOT NULL,
    external_flow   numeric     NOT NULL,
    CONSTRAINT ledger_entries_key PRIMARY KEY (portfolio_id, version, place, recorded_at)
) PARTITION BY RANGE (recorded_at);
CREATE INDEX ledger_entries_by_effect ON ledger_entries (portfolio_id, effective_at);
CREATE INDEX ledger_entries_by_date ON ledger_entries (portfolio_id, dated) WHERE dated IS NOT NULL;
COMMENT ON TABLE ledger_entries IS 'One row a booking of portfolio.ledger.v1; amounts are in the instrument''s currency unless a currency stands beside them';
COMMENT ON COLUMN ledger_entries.version IS 'Version of the portfolio''s ledger record that holds it';
COMMENT ON COLUMN ledger_entries.place IS 'Its place in that record, from 0';
COMMENT ON COLUMN ledger_entries.kind IS 'TRADE, CANCEL, CORRECT, RESTATE, CASH_DEPOSIT and so on';
COMMENT ON COLUMN ledger_entries.cause_partition IS 'Partition of the record that caused it';
COMMENT ON COLUMN ledger_entries.cause_offset IS 'Offset of the record that caused it';
COMMENT ON COLUMN ledger_entries.cause_id IS 'Execution id, entry id or action id';
COMMENT ON COLUMN ledger_entries.dated IS 'The day that it belongs to where that is told by a date: trade date or ex-date; of a RESTATE that of what restates it';
COMMENT ON COLUMN ledger_entries.effective_at IS 'When it takes effect';
COMMENT ON COLUMN ledger_entries.recorded_at IS 'When it was booked: from then on it was known';
COMMENT ON COLUMN ledger_entries.quantity_change IS 'Signed units';
COMMENT ON COLUMN ledger_entries.price IS 'Price of a unit';
COMMENT ON COLUMN ledger_entries.fx_rate IS 'Units of the base currency for one of the instrument''s';
COMMENT ON COLUMN ledger_entries.cash IS 'Change of cash by currency: an object of amounts';
COMMENT ON COLUMN ledger_entries.realized_gross IS 'Profit realised, before fees';
COMMENT ON COLUMN ledger_entries.fees IS 'By currency: an object of amounts';
COMMENT ON COLUMN ledger_entries.income IS 'Dividends, interest, accrued interest';
COMMENT ON COLUMN ledger_entries.external_flow IS 'Net flow across the portfolio''s boundary, in the base currency';

-- The closed day that a moment stands on, as it was known at another: the newest day cut by then, in its version of then.
CREATE FUNCTION close_as_of(of_portfolio text, moment timestamptz, known_at timestamptz) RETURNS SETOF close_versions
LANGUAGE sql STABLE ROWS 1 AS $$
    SELECT c.* FROM close_versions c
    WHERE c.portfolio_id = of_portfolio AND c.date <= (moment AT TIME ZONE 'UTC')::date + 1
      AND c.cut_at <= moment AND c.known_from <= known_at AND (c.known_until IS NULL OR c.known_until > known_at)
    ORDER BY c.date DESC LIMIT 1
$$;
COMMENT ON FUNCTION close_as_of(text, timestamptz, timestamptz) IS 'The newest closed day of a portfolio at a moment, in the version that was known at another';

-- Bookings that are not in that closed day: of later days by their date, of later moments where none is told; without
-- a closed day all of them. When one of them can have been booked at the earliest tells which months hold none: dates lie
-- a day ahead at most, and moments a year.
CREATE FUNCTION entries_as_of(of_portfolio text, moment timestamptz, known_at timestamptz) RETURNS SETOF ledger_entries
LANGUAGE sql STABLE AS $$
    WITH base AS MATERIALIZED (SELECT b.date, b.cut_at FROM close_as_of(of_portfolio, moment, known_at) b)
    SELECT e.* FROM ledger_entries e
    WHERE e.portfolio_id = of_portfolio AND e.dated > coalesce((SELECT date FROM base), '-infinity')
      AND e.effective_at <= moment AND e.recorded_at <= known_at
      AND e.recorded_at >= coalesce((SELECT cut_at FROM base) - interval '4 days', '-infinity')
    UNION ALL
    SELECT e.* FROM ledger_entries e
    WHERE e.portfolio_id = of_portfolio AND e.dated IS NULL AND e.effective_at >= coalesce((SELECT cut_at FROM base), '-infinity')
      AND e.effective_at <= moment AND e.recorded_at <= known_at
      AND e.recorded_at >= coalesce((SELECT cut_at FROM base) - interval '366 days', '-infinity')
$$;
COMMENT ON FUNCTION entries_as_of(text, timestamptz, timestamptz) IS 'Bookings that took effect between the closed day of close_as_of and a moment, as far as they were known at another';

CREATE FUNCTION positions_as_of(of_portfolio text, moment timestamptz, known_at timestamptz DEFAULT 'infinity')
RETURNS TABLE (instrument_id text, quantity numeric)
LANGUAGE sql STABLE AS $$
    SELECT part.instrument_id, sum(part.quantity)
    FROM (SELECT held ->> 'instrument_id' AS instrument_id, (held ->> 'quantity')::numeric AS quantity
          FROM close_as_of(of_portfolio, moment, known_at) b, jsonb_array_elements(b.positions) AS held
          UNION ALL
          SELECT e.instrument_id, e.quantity_change FROM entries_as_of(of_portfolio, moment, known_at) e
          WHERE e.instrument_id IS NOT NULL) AS part
    GROUP BY part.instrument_id HAVING sum(part.quantity) <> 0 ORDER BY part.instrument_id
$$;
COMMENT ON FUNCTION positions_as_of(text, timestamptz, timestamptz) IS 'Signed units that a portfolio held at a moment, as it was known at another';

CREATE FUNCTION cash_as_of(of_portfolio text, moment timestamptz, known_at timestamptz DEFAULT 'infinity')
RETURNS TABLE (currency text, amount numeric)
LANGUAGE sql STABLE AS $$
    SELECT part.currency, sum(part.amount)
    FROM (SELECT held.key AS currency, held.value::numeric AS amount
          FROM close_as_of(of_portfolio, moment, known_at) b, jsonb_each_text(b.cash) AS held
          UNION ALL
          SELECT moved.key, moved.value::numeric
          FROM entries_as_of(of_portfolio, moment, known_at) e, jsonb_each_text(e.cash) AS moved) AS part
    GROUP BY part.currency ORDER BY part.currency
$$;
COMMENT ON FUNCTION cash_as_of(text, timestamptz, timestamptz) IS 'Cash of a portfolio by trade date at a moment, as it was known at another';

-- Every booking is in the topic: it is read again from the start, and a position that is there already stays as it is.
DELETE FROM projector_offsets WHERE topic = 'portfolio.ledger.v1';
