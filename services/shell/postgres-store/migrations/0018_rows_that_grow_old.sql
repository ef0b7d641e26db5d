-- What the projector looks for once an hour: orders and answers that are older than the settings keep. Both tables grow at
-- their end, in the order of time, so that an index of blocks finds old rows and costs next to nothing where rows are written.
CREATE INDEX orders_by_release ON orders USING brin (released_at);
CREATE INDEX command_answers_by_time ON command_answers USING brin (answered_at);
