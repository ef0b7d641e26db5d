-- Comments of amounts say in which currency they are: the instrument's, or the portfolio's base currency.

DO $$
DECLARE
    amounts CONSTANT jsonb := '{
        "the instrument''s currency": {
            "positions": ["cost", "average_price", "realized_gross", "fees", "income", "realized_net"],
            "ledger_entries": ["price", "realized_gross", "income"]
        },
        "base currency": {
            "portfolio_strategies": ["cost", "value", "realized_gross", "fees", "income", "realized_net", "unrealized"],
            "latest_snapshots": ["total_value", "cash_value", "available_cash"],
            "performance_snapshots": ["total_value", "cash_value", "available_cash"],
            "values_by_minute": ["open_value", "low_value", "high_value", "total_value", "cash_value", "long_value", "short_value"],
            "values_by_hour": ["open_value", "low_value", "high_value", "total_value", "cash_value", "long_value", "short_value"],
            "values_by_day": ["total_value", "cash_value", "long_value", "short_value", "net_external_flow"],
            "returns_by_day": ["profit", "total_value", "net_external_flow", "gross_profit", "gross_loss"],
            "rebalance_quality": ["ordered_value", "traded_value", "fees"]
        }
    }';
    unit text;
    relation text;
    named text;
    place smallint;
BEGIN
    FOR unit, relation, named IN
        SELECT units.key, relations.key, columns.value
        FROM jsonb_each(amounts) AS units, jsonb_each(units.value) AS relations, jsonb_array_elements_text(relations.value) AS columns
    LOOP
        SELECT attnum INTO STRICT place FROM pg_attribute WHERE attrelid = relation::regclass AND attname = named;
        EXECUTE format('COMMENT ON COLUMN %I.%I IS %L', relation, named,
            concat_ws('; ', col_description(relation::regclass, place), unit));
    END LOOP;
END $$;
