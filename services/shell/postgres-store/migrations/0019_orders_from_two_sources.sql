-- An order's row is made by its wave alone. What its router reports and what the book had at the end of its rebalance stand
-- in columns of their own, each from one topic, and status and quantities follow from both, whichever was read first.

-- What was reported of orders whose wave has not been read yet, or never will be.
CREATE TABLE early_order_reports (
    order_id           text        NOT NULL,
    portfolio_id       text        NOT NULL,
    rebalance_id       text        NOT NULL,
    status             text        NOT NULL,
    filled_quantity    numeric     NOT NULL,
    leaves_quantity    numeric     NOT NULL,
    status_reason_code text,
    status_reason      text,
    status_at          timestamptz NOT NULL,
    status_offset      bigint      NOT NULL,
    arrived_at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (order_id, portfolio_id, status_offset)
);
CREATE INDEX early_order_reports_by_arrival ON early_order_reports (arrived_at);
COMMENT ON TABLE early_order_reports IS 'One row a report of an order that has no row: it is taken over with its wave, or of no order of ours and deleted after a month';
COMMENT ON COLUMN early_order_reports.filled_quantity IS 'Units executed, by the router';
COMMENT ON COLUMN early_order_reports.leaves_quantity IS 'Units open, by the router';
COMMENT ON COLUMN early_order_reports.status_at IS 'When the router said so';
COMMENT ON COLUMN early_order_reports.status_offset IS 'Offset of the router''s word in orders.status.v1';
COMMENT ON COLUMN early_order_reports.arrived_at IS 'When the projector read it';

INSERT INTO early_order_reports
    (order_id, portfolio_id, rebalance_id, status, filled_quantity, leaves_quantity, status_reason_code, status_reason, status_at, status_offset)
SELECT order_id, portfolio_id, rebalance_id, status, filled_quantity, leaves_quantity, status_reason_code, status_reason, status_at, status_offset
FROM orders WHERE wave_offset IS NULL AND status_offset IS NOT NULL;
DELETE FROM orders WHERE wave_offset IS NULL;

DROP INDEX orders_open;
ALTER TABLE orders RENAME COLUMN status TO reported_status;
ALTER TABLE orders RENAME COLUMN filled_quantity TO reported_quantity;
ALTER TABLE orders RENAME COLUMN leaves_quantity TO reported_leaves;
ALTER TABLE orders ALTER COLUMN wave_id SET NOT NULL, ALTER COLUMN wave_number SET NOT NULL, ALTER COLUMN instrument_id SET NOT NULL,
    ALTER COLUMN side SET NOT NULL, ALTER COLUMN quantity SET NOT NULL, ALTER COLUMN order_type SET NOT NULL,
    ALTER COLUMN time_in_force SET NOT NULL, ALTER COLUMN currency SET NOT NULL, ALTER COLUMN reference_price SET NOT NULL,
    ALTER COLUMN expected_value SET NOT NULL, ALTER COLUMN reason_code SET NOT NULL, ALTER COLUMN explanation SET NOT NULL,
    ALTER COLUMN policy_version SET NOT NULL, ALTER COLUMN snapshot_version SET NOT NULL, ALTER COLUMN valid_until SET NOT NULL,
    ALTER COLUMN released_at SET NOT NULL, ALTER COLUMN wave_offset SET NOT NULL;
ALTER TABLE orders ADD COLUMN settled_quantity numeric;
ALTER TABLE orders
    -- A router's end of another quantity than the book's is not how it ended.
    ADD COLUMN status text NOT NULL GENERATED ALWAYS AS (CASE
        WHEN settled_quantity IS NULL THEN reported_status
        WHEN settled_quantity >= quantity THEN 'FILLED'
        WHEN reported_status IN ('CANCELLED', 'REJECTED', 'EXPIRED') AND settled_quantity = reported_quantity THEN reported_status
        ELSE 'CANCELLED' END) STORED,
    ADD COLUMN filled_quantity numeric NOT NULL GENERATED ALWAYS AS (coalesce(settled_quantity, reported_quantity)) STORED,
    ADD COLUMN leaves_quantity numeric GENERATED ALWAYS AS (CASE WHEN settled_quantity IS NULL THEN reported_leaves ELSE 0 END) STORED;

UPDATE orders o SET settled_quantity = (line ->> 'filled')::numeric
FROM portfolio_rebalances r, LATERAL jsonb_array_elements(r.metrics -> 'execution' -> 'lines') AS line
WHERE line ->> 'order_id' = o.order_id AND r.portfolio_id = o.portfolio_id;

CREATE INDEX orders_open ON orders (portfolio_id)
    WHERE status NOT IN ('FILLED', 'CANCELLED', 'REJECTED', 'EXPIRED');

-- The view has stood on the columns by their numbers, and now is to stand on those that have their names.
CREATE OR REPLACE VIEW portfolio_rebalance AS
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

COMMENT ON TABLE orders IS 'One row an order that left: what was asked for, what the router says of it, and what the book had of it at the end';
COMMENT ON COLUMN orders.reported_status IS 'RELEASED until the router speaks, then its last word that the service took over';
COMMENT ON COLUMN orders.reported_quantity IS 'Units executed, by the router';
COMMENT ON COLUMN orders.reported_leaves IS 'Units open, by the router';
COMMENT ON COLUMN orders.settled_quantity IS 'Units executed as the book had them when its rebalance ended; null before';
COMMENT ON COLUMN orders.status IS 'What the router says, until its rebalance has ended; then FILLED where the book had all of it, else how the router or a person ended it';
COMMENT ON COLUMN orders.filled_quantity IS 'Units executed: by the router, and once its rebalance has ended as the book had them';
COMMENT ON COLUMN orders.leaves_quantity IS 'Units open: by the router, and none once its rebalance has ended';
