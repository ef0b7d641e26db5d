-- A booking that belongs to a day that was closed before counts from its own moment on, until the day is closed again
-- with it: a minute at most while the lane is up to date, as long as it takes to catch up where it is behind. After two
-- days nothing is waited for: what came too late for its day is in later ones.
CREATE INDEX ledger_entries_by_record ON ledger_entries (portfolio_id, recorded_at);

CREATE OR REPLACE FUNCTION entries_as_of(of_portfolio text, moment timestamptz, known_at timestamptz) RETURNS SETOF ledger_entries
LANGUAGE sql STABLE AS $$
    WITH base AS MATERIALIZED (SELECT b.date, b.cut_at, b.known_from FROM close_as_of(of_portfolio, moment, known_at) b)
    SELECT e.* FROM ledger_entries e
    WHERE e.portfolio_id = of_portfolio AND e.dated > coalesce((SELECT date FROM base), '-infinity')
      AND e.effective_at <= moment AND e.recorded_at <= known_at
      AND e.recorded_at >= coalesce((SELECT cut_at FROM base) - interval '4 days', '-infinity')
    UNION ALL
    SELECT e.* FROM ledger_entries e
    WHERE e.portfolio_id = of_portfolio AND e.dated IS NULL AND e.effective_at >= coalesce((SELECT cut_at FROM base), '-infinity')
      AND e.effective_at <= moment AND e.recorded_at <= known_at
      AND e.recorded_at >= coalesce((SELECT cut_at FROM base) - interval '366 days', '-infinity')
    UNION ALL
    SELECT e.* FROM ledger_entries e
    WHERE e.portfolio_id = of_portfolio AND e.recorded_at > (SELECT known_from FROM base)
      AND e.recorded_at <= (SELECT known_from FROM base) + interval '2 days'
      AND e.effective_at <= moment AND e.recorded_at <= known_at
      AND (e.dated <= (SELECT date FROM base) OR (e.dated IS NULL AND e.effective_at < (SELECT cut_at FROM base)))
$$;
COMMENT ON FUNCTION entries_as_of(text, timestamptz, timestamptz) IS 'Bookings that are not in the closed day of close_as_of and took effect by a moment, as far as they were known at another';
