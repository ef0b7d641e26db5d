-- Why targets that are to follow the risk of a portfolio do not follow its newest figures.
ALTER TABLE portfolios ADD COLUMN scaling_notice text;
COMMENT ON COLUMN portfolios.scaling_notice IS 'Why targets that follow the risk (orders.risk.scale_targets) do not follow its newest figures; null where they do, or follow none';
