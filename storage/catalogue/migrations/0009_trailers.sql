-- A segment's trailer beside its row: it is signed over the segment's own core, so that it is as good from here as from
-- the object, and a look at a clip is spared one GET a segment. NULL: committed before this was kept.
SET search_path = tallenne;

ALTER TABLE segment ADD COLUMN trailer bytea CHECK (length(trailer) = 168);

DROP FUNCTION commit_segment;
CREATE FUNCTION commit_segment(
    p_segment_id uuid, p_site_id uuid, p_camera_id uuid, p_recorder_id uuid, p_hour_key_id uuid,
    p_start_ns bigint, p_end_ns bigint, p_size_bytes bigint, p_sha256 bytea, p_header bytea,
    p_codec text, p_mime text, p_width int, p_height int, p_init_size int, p_frames int, p_recovered boolean,
    p_epoch bigint, p_fragment_start_ms int[], p_fragment_offset int[], p_fragment_size int[],
    p_fragment_key boolean[], p_committed_ns bigint, p_init_sha256 bytea, p_trailer bytea
) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = tallenne, pg_temp AS $$
DECLARE
    known_start_ns bigint;
    same boolean;
    best_epoch bigint;
    new_state text := 'live';
BEGIN
    -- One committer per camera at a time: the overlap check below sees everything committed before it.
    PERFORM pg_advisory_xact_lock(hashtextextended('camera ' || p_camera_id, 0));
    SELECT start_ns INTO known_start_ns FROM segment_identity WHERE segment_id = p_segment_id;
    IF FOUND THEN
        SELECT sha256 = p_sha256 AND size_bytes = p_size_bytes AND camera_id = p_camera_id INTO same
        FROM segment WHERE start_ns = known_start_ns AND segment_id = p_segment_id;
        IF same IS NOT TRUE THEN
            RAISE EXCEPTION 'segment known with other contents' USING ERRCODE = 'TN001';
        END IF;
        RETURN 'duplicate';
    END IF;
    SELECT max(epoch) INTO best_epoch FROM segment
    WHERE camera_id = p_camera_id AND state = 'live'
      AND start_ns > p_start_ns - 120000000000 AND start_ns < p_end_ns AND end_ns > p_start_ns;
    IF best_epoch >= p_epoch THEN
        new_state := 'shadow';
    ELSIF best_epoch IS NOT NULL THEN
        WITH loser AS (
            UPDATE segment SET state = 'shadow'
            WHERE camera_id = p_camera_id AND state = 'live'
              AND start_ns > p_start_ns - 120000000000 AND start_ns < p_end_ns AND end_ns > p_start_ns
            RETURNING segment_id)
        INSERT INTO outbox (kind, ref) SELECT 'segment', segment_id FROM loser;
    END IF;
    INSERT INTO segment_identity (segment_id, start_ns) VALUES (p_segment_id, p_start_ns);
    INSERT INTO segment VALUES (
        p_segment_id, p_site_id, p_camera_id, p_recorder_id, p_hour_key_id, p_start_ns, p_end_ns, p_size_bytes,
        p_sha256, p_header, p_codec, p_mime, p_width, p_height, p_init_size, p_frames, p_recovered, p_epoch, new_state,
        p_fragment_start_ms, p_fragment_offset, p_fragment_size, p_fragment_key, p_committed_ns, p_init_sha256,
        p_trailer);
    IF new_state = 'live' THEN
        INSERT INTO outbox (kind, ref) VALUES ('segment', p_segment_id);
    END IF;
    RETURN new_state;
END $$;
REVOKE ALL ON FUNCTION commit_segment FROM PUBLIC;
GRANT EXECUTE ON FUNCTION commit_segment TO tallenne_ingest;
