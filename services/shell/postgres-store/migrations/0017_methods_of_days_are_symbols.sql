-- How a day's return was found is written as a symbol: the words of its record were a quarter of the row, and a chart of ten
-- years reads thousands of them. Rows that are stored already keep their words.
COMMENT ON COLUMN returns_by_day.method IS 'How the return was found: TIME_WEIGHTED at every external flow, or DAILY, (end + out) / (begin + in) - 1; in words where it is neither, and in rows of before';
