-- A lane that begins anew numbers on above what its earlier life can have used.
COMMENT ON COLUMN closes.version IS 'Rises with each close of the day: by one, unless its lane began anew in between';
