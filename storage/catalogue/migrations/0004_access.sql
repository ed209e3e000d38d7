-- Members, credentials, access events, tags, quarantine. Events and tags carry an internal member uuid only;
-- erasing `member_identity` and `credential` rows cuts the link.
SET search_path = tallenne;

CREATE TABLE member (
    member_id uuid PRIMARY KEY,
    created_ns bigint NOT NULL,
    minor boolean NOT NULL DEFAULT false
);

-- The link from the internal uuid to the person. No other table holds a name or a number.
CREATE TABLE member_identity (
    member_id uuid PRIMARY KEY REFERENCES member,
    number text NOT NULL UNIQUE,            -- the gym's customer number
    name text NOT NULL,
    search text NOT NULL                    -- the name without case and accents (storage.access.members.fold)
);

CREATE TABLE credential (
    credential text NOT NULL,               -- normalised: upper case, no separators
    member_id uuid NOT NULL REFERENCES member,
    valid_from_ns bigint NOT NULL,
    valid_to_ns bigint NOT NULL DEFAULT 9223372036854775807,
    PRIMARY KEY (credential, valid_from_ns),
    CHECK (valid_from_ns < valid_to_ns)
);
CREATE INDEX credential_member ON credential (member_id);

CREATE TABLE access_event (
    event_id uuid PRIMARY KEY,
    dedup_key bytea NOT NULL UNIQUE CHECK (length(dedup_key) = 32),
    site_id uuid NOT NULL,
    door_id uuid NOT NULL REFERENCES door,
    kind text NOT NULL CHECK (kind IN
        ('granted', 'denied', 'entered', 'not_entered', 'forced_open', 'held_open', 'exit')),
    direction text CHECK (direction IN ('in', 'out')),
    member_id uuid,
    occurred_ns bigint NOT NULL,
    received_ns bigint NOT NULL,
    uncertain boolean NOT NULL DEFAULT false,
    superseded_by uuid,                     -- a correction; NULL: in force. Withdrawn: its own event_id
    superseded_ns bigint
);
CREATE INDEX access_event_door_time ON access_event (door_id, occurred_ns);
CREATE INDEX access_event_member_time ON access_event (member_id, occurred_ns);
CREATE INDEX access_event_site_time ON access_event (site_id, occurred_ns);

CREATE TABLE tag (
    event_id uuid NOT NULL,
    segment_id uuid NOT NULL,
    segment_start_ns bigint NOT NULL,       -- names the segment's partition
    camera_id uuid NOT NULL,
    start_ns bigint NOT NULL,               -- [occurred - before, occurred + after)
    end_ns bigint NOT NULL,
    uncertain boolean NOT NULL DEFAULT false,
    superseded_ns bigint,                   -- NULL: in force
    PRIMARY KEY (event_id, segment_id)
);
CREATE INDEX tag_segment ON tag (segment_id);

CREATE TABLE controller_skew (
    door_id uuid PRIMARY KEY REFERENCES door,
    skew_ns bigint NOT NULL,                -- received - occurred, of live events, smoothed
    updated_ns bigint NOT NULL
);

-- How far a door's controller has counted its messages, where it numbers them, and which numbers never came: by
-- indexer, since each has a session of its own at the broker.
CREATE TABLE door_sequence (
    door_id uuid NOT NULL REFERENCES door,
    instance text NOT NULL,
    last_seq bigint NOT NULL,
    missing jsonb NOT NULL,                 -- [[first, past, since_ns], ...]
    PRIMARY KEY (door_id, instance)
);

-- Every event and segment passes through it: what is dead goes soon, or the tagger would wade through it.
ALTER TABLE outbox SET (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0);

-- What could not be understood. The payload may hold personal data: it is sealed to the custodian's intake key.
CREATE TABLE quarantine (
    quarantine_id uuid PRIMARY KEY,
    received_ns bigint NOT NULL,
    topic text NOT NULL,
    reason text NOT NULL,
    sealed_payload bytea NOT NULL,          -- topic and payload; empty once replayed
    digest bytea NOT NULL UNIQUE,           -- keyed hash of topic and payload: a repeat is counted, not stored again
    seen_count int NOT NULL DEFAULT 1,
    replayed_ns bigint
);
CREATE INDEX quarantine_received ON quarantine (received_ns, quarantine_id);

-- The key of the keyed hashes above (dedup_key, digest), the same for all indexers, read by no other role: without it
-- a hash of a four-byte credential could be tried out.
CREATE TABLE index_secret (
    secret bytea NOT NULL CHECK (length(secret) = 32)
);
INSERT INTO index_secret
SELECT sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8'));

GRANT SELECT, INSERT, UPDATE ON access_event, tag, controller_skew, door_sequence, quarantine TO tallenne_index;
GRANT SELECT, INSERT, UPDATE, DELETE ON member, member_identity, credential TO tallenne_index;
GRANT DELETE ON quarantine TO tallenne_index;
GRANT SELECT ON index_secret TO tallenne_index;
GRANT SELECT ON member, member_identity, access_event, tag, controller_skew, quarantine TO tallenne_serve;
GRANT SELECT ON access_event, tag TO tallenne_custodian;
