-- Checkpoints: what a lane needs to start without folding its whole log.
-- A checkpoint is a pure function of the logs; losing one costs a longer replay, never data.

-- One row a lane: the head that a writer compares and sets.
CREATE TABLE checkpoint_lanes (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    deployment  text    NOT NULL,
    role        text    NOT NULL,
    lane        integer NOT NULL,
    newest_step bigint,
    UNIQUE (deployment, role, lane)
);

CREATE TABLE checkpoints (
    lane_id       bigint      NOT NULL REFERENCES checkpoint_lanes (id) ON DELETE CASCADE,
    step          bigint      NOT NULL CHECK (step >= 0),
    parent_step   bigint      CHECK (parent_step < step),
    lane_count    integer     NOT NULL CHECK (lane_count > 0),
    buckets       integer     NOT NULL CHECK (buckets > 0),
    full_bucket   integer,
    state_hash    bytea       NOT NULL CHECK (octet_length(state_hash) = 16),
    shared        bytea       NOT NULL,
    shared_bytes  bigint      NOT NULL,
    shared_crc32  bigint      NOT NULL,
    segment_count integer     NOT NULL,
    written_bytes bigint      NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (lane_id, step)
);
-- The bodies are compressed already.
ALTER TABLE checkpoints ALTER COLUMN shared SET STORAGE EXTERNAL;

CREATE TABLE checkpoint_segments (
    id        bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    lane_id   bigint  NOT NULL REFERENCES checkpoint_lanes (id) ON DELETE CASCADE,
    step      bigint  NOT NULL,
    bucket    integer NOT NULL,
    kind      text    NOT NULL CHECK (kind IN ('delta', 'full')),
    part      integer NOT NULL,
    raw_bytes bigint  NOT NULL,
    crc32     bigint  NOT NULL,
    body      bytea   NOT NULL,
    UNIQUE (lane_id, step, bucket, kind, part)
);
ALTER TABLE checkpoint_segments ALTER COLUMN body SET STORAGE EXTERNAL;

-- Which segments a checkpoint needs. The foreign key is the rule of garbage: a segment that a kept
-- checkpoint needs cannot be deleted.
CREATE TABLE checkpoint_manifest (
    lane_id    bigint NOT NULL,
    step       bigint NOT NULL,
    segment_id bigint NOT NULL REFERENCES checkpoint_segments (id),
    PRIMARY KEY (lane_id, step, segment_id),
    FOREIGN KEY (lane_id, step) REFERENCES checkpoints (lane_id, step) ON DELETE CASCADE
);
CREATE INDEX checkpoint_manifest_by_segment ON checkpoint_manifest (segment_id);
