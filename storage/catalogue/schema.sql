-- What the migrations make. Generated: python -m tests.support.schema


CREATE SCHEMA tallenne;

CREATE FUNCTION tallenne.approve_erasure(p_erasure_id uuid, p_staff_id uuid, p_now_ns bigint) RETURNS TABLE(segments integer)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'tallenne', 'pg_temp'
    AS $$
BEGIN
    PERFORM lock_cameras(camera_ids) FROM erasure WHERE erasure_id = p_erasure_id;
    UPDATE erasure e SET state = 'approved', decided_by = p_staff_id, decided_ns = p_now_ns
    WHERE e.erasure_id = p_erasure_id AND e.state = 'asked' AND e.asked_by <> p_staff_id
      AND NOT EXISTS (
          SELECT FROM staff_in_one_hand(p_staff_id, p_now_ns) AS hand (staff_id) WHERE hand.staff_id = e.asked_by)
      AND NOT EXISTS (SELECT FROM erasure_blocks(e.camera_ids, e.start_ns, e.end_ns));
    IF NOT FOUND THEN RETURN; END IF;
    segments := erase_footage(p_erasure_id, p_now_ns);
    RETURN NEXT;
END $$;

CREATE FUNCTION tallenne.audit_append(p_at_ns bigint, p_actor text, p_action text, p_session_id uuid, p_purpose_id uuid, p_member_id uuid, p_camera_id uuid, p_start_ns bigint, p_end_ns bigint, p_detail jsonb) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'tallenne', 'pg_temp'
    AS $$
DECLARE
    e audit_entry;
BEGIN
    IF NOT audit_may(session_user, p_actor, p_action, p_session_id) THEN
        RAISE EXCEPTION '% may not record % by this actor', session_user, p_action USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM pg_advisory_xact_lock(7411222001);  -- one writer at a time: the chain has one head
    SELECT seq, hash INTO e.seq, e.previous FROM audit_entry ORDER BY seq DESC LIMIT 1;
    e.seq := coalesce(e.seq, 0) + 1;
    -- The first entry follows 32 zero bytes: custodian/audit/chain.py, START.
    e.previous := coalesce(e.previous, decode(repeat('00', 32), 'hex'));
    e.at_ns := p_at_ns; e.writer := session_user; e.actor := p_actor; e.action := p_action; e.session_id := p_session_id;
    e.purpose_id := p_purpose_id; e.member_id := p_member_id; e.camera_id := p_camera_id;
    e.start_ns := p_start_ns; e.end_ns := p_end_ns; e.detail := coalesce(p_detail, '{}');
    e.hash := sha256(e.previous || audit_line(e));
    INSERT INTO audit_entry SELECT e.*;
    RETURN e.seq;
END $$;

CREATE TABLE tallenne.audit_entry (
    seq bigint NOT NULL,
    at_ns bigint NOT NULL,
    writer text NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    session_id uuid,
    purpose_id uuid,
    member_id uuid,
    camera_id uuid,
    start_ns bigint,
    end_ns bigint,
    detail jsonb DEFAULT '{}'::jsonb NOT NULL,
    previous bytea NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT audit_entry_hash_check CHECK ((length(hash) = 32)),
    CONSTRAINT audit_entry_previous_check CHECK ((length(previous) = 32))
);

CREATE FUNCTION tallenne.audit_line(e tallenne.audit_entry) RETURNS bytea
    LANGUAGE sql IMMUTABLE
    AS $$
    SELECT convert_to(concat_ws(E'\x1f', e.seq::text, e.at_ns::text, e.writer, e.actor, e.action,
        coalesce(e.session_id::text, ''), coalesce(e.purpose_id::text, ''), coalesce(e.member_id::text, ''),
        coalesce(e.camera_id::text, ''), coalesce(e.start_ns::text, ''), coalesce(e.end_ns::text, ''),
        e.detail::text), 'UTF8')
$$;

CREATE FUNCTION tallenne.audit_may(p_writer text, p_actor text, p_action text, p_session_id uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'tallenne', 'pg_temp'
    AS $$
    SELECT p_writer = current_user OR EXISTS (
        SELECT FROM audit_writer w WHERE w.writer = p_writer AND p_action = ANY (w.actions)
          AND CASE WHEN NOT w.names_staff THEN p_actor = 'operator' AND p_session_id IS NULL
                   WHEN p_actor LIKE 'member:%' THEN p_writer = 'tallenne_serve'
                       AND p_action IN ('register_changed', 'consent_given', 'consent_withdrawn', 'member_sign_in', 'member_sign_out',
                           'member_read', 'member_email_asked', 'request_received', 'request_withdrawn')
                       AND EXISTS (
                       SELECT FROM member_session s WHERE s.session_id = p_session_id AND 'member:' || s.member_id = p_actor)
                   WHEN p_session_id IS NOT NULL THEN EXISTS (
                       SELECT FROM staff_session s WHERE s.session_id = p_session_id AND 'staff:' || s.staff_id = p_actor)
                   WHEN p_actor LIKE 'staff:%' THEN EXISTS (
                       SELECT FROM staff u WHERE u.staff_id = substr(p_actor, 7)::uuid)
                   ELSE true END)
$$;

CREATE FUNCTION tallenne.birth_date_given() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'tallenne', 'pg_temp'
    AS $$
BEGIN
    UPDATE member SET minor = minor WHERE member_id = NEW.member_id;
    RETURN NULL;
END $$;

CREATE FUNCTION tallenne.cards_for_copy(p_request_id uuid) RETURNS TABLE(credential text, valid_from_ns bigint, valid_to_ns bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'tallenne', 'pg_temp'
    AS $$
    SELECT c.credential, c.valid_from_ns, nullif(c.valid_to_ns, 9223372036854775807)
    FROM member_request r JOIN credential c USING (member_id)
    WHERE r.request_id = p_request_id AND r.state = 'checked' AND r.kind IN ('access', 'portability')
    ORDER BY c.valid_from_ns, c.credential
$$;

CREATE FUNCTION tallenne.commit_gaps(p_camera_id uuid[], p_start_ns bigint[], p_end_ns bigint[], p_cause text[], p_detail text[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'tallenne', 'pg_temp'
    AS $$
    INSERT INTO gap (camera_id, start_ns, end_ns, cause, detail)
    SELECT p.camera_id, lower(piece), upper(piece), p.cause, p.detail
    FROM unnest(p_camera_id, p_start_ns, p_end_ns, p_cause, p_detail)
        WITH ORDINALITY AS p (camera_id, start_ns, end_ns, cause, detail, ordinal)
    CROSS JOIN LATERAL (
        SELECT range_agg(int8range(known.start_ns, known.end_ns)) AS spans FROM (
            SELECT s.start_ns, s.end_ns FROM segment s
            WHERE s.camera_id = p.camera_id AND s.state = 'live'
              AND s.start_ns > p.start_ns - 120000000000 AND s.start_ns < p.end_ns AND s.end_ns > p.start_ns
            UNION ALL
            SELECT g.start_ns, g.end_ns FROM gap g
            WHERE g.camera_id = p.camera_id
              AND g.start_ns >= p.start_ns - 86400000000000 AND g.start_ns < p.end_ns AND g.end_ns > p.start_ns
        ) known
    ) k
    CROSS JOIN LATERAL unnest(
        int8multirange(int8range(p.start_ns, p.end_ns)) - coalesce(k.spans, int8multirange())) AS piece
    ORDER BY p.ordinal, lower(piece)
    ON CONFLICT DO NOTHING
$$;

CREATE FUNCTION tallenne.commit_segment(p_segment_id uuid, p_site_id uuid, p_camera_id uuid, p_recorder_id uuid, p_hour_key_id uuid, p_start_ns bigint, p_end_ns bigint, p_size_bytes bigint, p_sha256 bytea, p_header bytea, p_codec text, p_mime text, p_width integer, p_height integer, p_init_size integer, p_frames integer, p_recovered boolean, p_epoch bigint, p_fragment_start_ms integer[], p_fragment_offset integer[], p_fragment_size integer[], p_fragment_key boolean[], p_init_sha256 bytea, p_trailer bytea) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'tallenne', 'pg_temp'
    AS $$
DECLARE
    known segment;
    new_state text := 'live';
    erased_by uuid;
    key_erased boolean;
BEGIN
    -- One committer per camera at a time: the overlap check below sees everything committed before it.
    PERFORM pg_advisory_xact_lock(hashtextextended('camera ' || p_camera_id, 0));
    -- Repeatable: a committer whose answer was lost sends the same segment again.
    SELECT s.* INTO known FROM segment_identity i JOIN segment s ON s.start_ns = i.start_ns AND s.segment_id = i.segment_id
    WHERE i.segment_id = p_segment_id;
    IF FOUND THEN
        IF known.state = 'refused' THEN  -- a forged row must not keep the genuine one out
            DELETE FROM segment WHERE start_ns = known.start_ns AND segment_id = p_segment_id;
            DELETE FROM segment_identity WHERE segment_id = p_segment_id;
        ELSIF known.sha256 = p_sha256 AND known.size_bytes = p_size_bytes AND known.camera_id = p_camera_id THEN
            RETURN 'duplicate';
        ELSE
            RAISE EXCEPTION 'segment known with other contents' USING ERRCODE =
                CASE WHEN EXISTS (SELECT FROM segment_claim WHERE segment_id = p_segment_id) THEN 'TN003' ELSE 'TN001' END;
        END IF;
    END IF;
    -- It survived an early erasure, and its row was lost: the newest wrap says which key opens it, and ends it.
    p_hour_key_id := coalesce(
        (SELECT w.hour_key_id FROM wrap_record w WHERE w.segment_id = p_segment_id AND w.hour_key_id IS NOT NULL
         ORDER BY w.wrap_id DESC LIMIT 1), p_hour_key_id);
    SELECT e.erasure_id INTO erased_by FROM erasure_span e
    WHERE e.camera_id = p_camera_id AND e.start_ns > p_start_ns - 86400000000000
      AND e.start_ns < p_end_ns AND e.end_ns > p_start_ns
    LIMIT 1;
    -- The camera's lock, which expiry and erasure take too, decides: a key that dies after this check finds the row.
    -- What a hold keeps is live all the same: its row was lost, and the hold's key opens it.
    UPDATE expired_key SET removed_ns = NULL WHERE hour_key_id = p_hour_key_id AND NOT EXISTS (
        SELECT FROM wrap_record w JOIN hold h USING (hold_id) WHERE w.segment_id = p_segment_id AND h.ended_ns IS NULL)
    RETURNING erased INTO key_erased;
    IF FOUND OR erased_by IS NOT NULL THEN
        PERFORM ensure_segment_day(p_start_ns);  -- may have been dropped: this camera's retention is over
        INSERT INTO segment_identity (segment_id, start_ns) VALUES (p_segment_id, p_start_ns);
        INSERT INTO segment VALUES (
            p_segment_id, p_site_id, p_camera_id, p_recorder_id, p_hour_key_id, p_start_ns, p_end_ns, p_size_bytes,
            p_sha256, p_header, p_codec, p_mime, p_width, p_height, p_init_size, p_frames, p_recovered, p_epoch,
            'expiring', NULL, NULL, NULL, NULL, now_ns(), p_init_sha256, p_trailer)
        ON CONFLICT DO NOTHING;  -- the row of a segment that was removed stays until its day's partition is dropped
        IF erased_by IS NOT NULL THEN
            INSERT INTO erased_segment VALUES (
                p_segment_id, erased_by, p_camera_id, p_hour_key_id, p_start_ns, p_end_ns, p_size_bytes, now_ns())
            ON CONFLICT DO NOTHING;
        END IF;
        -- A dead key that an erasure replaced: the recorder was away for longer than erasures wait.
        IF erased_by IS NOT NULL OR key_erased THEN
            PERFORM fill_gap(p_camera_id, p_start_ns, p_end_ns, 'erased');
        END IF;
        RETURN 'expired';
    END IF;
    IF p_epoch < 0 OR p_epoch >> 32 > 0 AND NOT EXISTS (
        SELECT FROM camera_lease
        WHERE camera_id = p_camera_id AND lease = p_epoch >> 32 AND recorder_id = p_recorder_id)
    THEN
        RAISE EXCEPTION 'the recorder does not hold this lease' USING ERRCODE = 'TN002';
    END IF;
    IF EXISTS (
        SELECT FROM segment
        WHERE camera_id = p_camera_id AND state IN ('live', 'contested')
          AND start_ns > p_start_ns - 120000000000 AND start_ns < p_end_ns AND end_ns > p_start_ns)
    OR EXISTS (
        SELECT FROM gap
        WHERE camera_id = p_camera_id
          AND start_ns >= p_start_ns - 86400000000000 AND start_ns < p_end_ns AND end_ns > p_start_ns)
    THEN
        new_state := 'contested';
    END IF;
    INSERT INTO segment_identity (segment_id, start_ns) VALUES (p_segment_id, p_start_ns);
    INSERT INTO segment VALUES (
        p_segment_id, p_site_id, p_camera_id, p_recorder_id, p_hour_key_id, p_start_ns, p_end_ns, p_size_bytes,
        p_sha256, p_header, p_codec, p_mime, p_width, p_height, p_init_size, p_frames, p_recovered, p_epoch, new_state,
        p_fragment_start_ms, p_fragment_offset, p_fragment_size, p_fragment_key, now_ns(), p_init_sha256, p_trailer);
    INSERT INTO segment_claim (segment_id, start_ns) VALUES (p_segment_id, p_start_ns)
    ON CONFLICT (segment_id) DO UPDATE SET start_ns = excluded.start_ns;  -- of a row that was lost
    PERFORM hold_segment(p_segment_id, p_camera_id, p_hour_key_id, p_start_ns, p_end_ns);
    IF new_state = 'live' THEN
        INSERT INTO outbox (kind, ref) VALUES ('segment', p_segment_id);
    END IF;
    RETURN new_state;
END $$;

CREATE FUNCTION tallenne.cut_gaps(p_camera_id uuid, p_start_ns bigint, p_end_ns bigint) RETURNS void
    LANGUAGE sql
    SET search_path TO 'tallenne', 'pg_temp'
    AS $$
    WITH taken AS (
        DELETE FROM gap
        WHERE camera_id = p_camera_id
          AND start_ns >= p_start_ns - 86400000000000 AND start_ns < p_end_ns AND end_ns > p_start_ns
        RETURNING *)
    INSERT INTO gap
    SELECT camera_id, lower(piece), upper(piece), cause, detail
    FROM taken CROSS JOIN LATERAL unnest(
        int8multirange(int8range(start_ns, end_ns)) - int8multirange(int8range(p_start_ns, p_end_ns))) AS piece
    ON CONFLICT DO NOTHING
$$;

CREATE FUNCTION tallenne.delete_older(p_kind text, p_before_ns bigint, p_limit integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'tallenne', 'pg_temp'
    AS $$
DECLARE
    before_ns bigint := least(p_before_ns, (extract(epoch FROM clock_timestamp()) * 1000000000)::bigint - 86400000000000);
    gone uuid[];
    deleted int;
BEGIN
    CASE p_kind
    WHEN 'events' THEN
        -- By site, as the index is. An event of uncertain time counts from when it came, too.
        SELECT array_agg(event_id) INTO gone FROM (
            SELECT e.event_id FROM site CROSS JOIN LATERAL (
                SELECT event_id FROM access_event
                WHERE site_id = site.site_id AND occurred_ns < before_ns AND received_ns < before_ns
                LIMIT p_limit) AS e
            LIMIT p_limit) AS old;
        DELETE FROM tag WHERE event_id = ANY (gone);
        DELETE FROM access_event WHERE event_id = ANY (gone);
    WHEN 'exports' THEN
        DELETE FROM footage_export WHERE export_id IN (
            SELECT x.export_id FROM footage_export x
            WHERE x.created_ns < before_ns
              AND NOT EXISTS (SELECT FROM case_entry c WHERE c.export_id = x.export_id)  -- ends with its case
            ORDER BY x.created_ns LIMIT p_limit);
    WHEN 'purposes' THEN
        -- The reasons that people typed. The audit chain keeps the purpose's id.
        DELETE FROM purpose WHERE purpose_id IN (
            SELECT p.purpose_id FROM purpose p
            WHERE p.stated_ns < before_ns
              AND NOT EXISTS (SELECT FROM footage_export x WHERE x.purpose_id = p.purpose_id)
            LIMIT p_limit);
    WHEN 'sessions' THEN
        DELETE FROM staff_session WHERE session_id IN (
            SELECT s.session_id FROM staff_session s
            WHERE s.seen_ns < before_ns AND NOT EXISTS (SELECT FROM purpose p WHERE p.session_id = s.session_id)
            LIMIT p_limit);
    WHEN 'member_sessions' THEN
        DELETE FROM member_session WHERE session_id IN (
            SELECT s.session_id FROM member_session s WHERE s.seen_ns < before_ns LIMIT p_limit);
    WHEN 'throttles' THEN
        DELETE FROM sign_in_throttle WHERE last_ns < before_ns AND blocked_until_ns < before_ns;
    WHEN 'member_codes' THEN
        DELETE FROM member_code_request WHERE request_hash IN (
            SELECT r.request_hash FROM member_code_request r WHERE r.asked_ns < before_ns LIMIT p_limit);
    WHEN 'gaps' THEN
        -- A gap is of interest beside footage. Before the first hour that is kept the pages say "expired".
        DELETE FROM gap g USING (SELECT camera_id, min(hour_ns) AS first_ns FROM hour_key GROUP BY camera_id) AS k
        WHERE g.camera_id = k.camera_id AND g.end_ns < k.first_ns AND g.end_ns < before_ns;
    WHEN 'bookmarks' THEN
        -- Whatever took the footage. They have no period of their own.
        DELETE FROM bookmark WHERE bookmark_id IN (
            SELECT m.bookmark_id FROM bookmark m WHERE NOT has_footage(m.camera_id, m.at_ns) LIMIT p_limit);
    WHEN 'erasures' THEN
        SELECT array_agg(erasure_id) INTO gone FROM (
            SELECT e.erasure_id FROM erasure e WHERE e.asked_ns < before_ns AND e.state NOT IN ('asked', 'approved')
            LIMIT least(p_limit, 10)) AS old;  -- each with all of its segments
        DELETE FROM erased_segment WHERE erasure_id = ANY (gone);
        DELETE FROM erasure_span WHERE erasure_id = ANY (gone);
        DELETE FROM erasure WHERE erasure_id = ANY (gone);
    WHEN 'recipients' THEN
        DELETE FROM recipient WHERE recipient_id IN (
            SELECT h.recipient_id FROM recipient h WHERE h.handed_ns < before_ns LIMIT p_limit);
    WHEN 'requests' THEN
        DELETE FROM member_request WHERE request_id IN (
            SELECT q.request_id FROM member_request q WHERE q.ended_ns < before_ns LIMIT p_limit);
    WHEN 'member_history' THEN
        DELETE FROM member_field WHERE (member_id, field, from_ns) IN (
            SELECT f.member_id, f.field, f.from_ns FROM member_field f WHERE f.to_ns < before_ns LIMIT p_limit)
          AND to_ns < before_ns;
    WHEN 'expired_keys' THEN
        -- Where a case still keeps some of the hour, its end needs the row: end_hold().
        DELETE FROM expired_key e WHERE e.expired_ns < before_ns AND e.removed_ns IS NOT NULL AND NOT EXISTS (
            SELECT FROM segment s
            WHERE s.camera_id = e.camera_id AND s.hour_key_id = e.hour_key_id AND s.state NOT IN ('expiring', 'refused')
              AND s.start_ns >= e.hour_ns AND s.start_ns < e.hour_ns + 3600000000000);
    END CASE;
    GET DIAGNOSTICS deleted = ROW_COUNT;
    RETURN deleted;
END $$;

CREATE FUNCTION tallenne.drop_segment_day(p_day_ns bigint, p_now_ns bigint) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'tallenne', 'pg_temp'
    SET lock_timeout TO '500ms'
    AS $$
DECLARE
    name text := 'segment_' || to_char(to_timestamp(p_day_ns / 1000000000) AT TIME ZONE 'UTC', 'YYYYMMDD');
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(name, 0));  -- as ensure_segment_day()
    LOCK TABLE segment IN ACCESS EXCLUSIVE MODE;               -- no row can come between the look and the drop
    IF NOT EXISTS (SELECT FROM segment_days_over(p_now_ns) AS day_ns WHERE day_ns = p_day_ns) THEN RETURN false; END IF;
    EXECUTE format('DELETE FROM segment_identity i USING %I s WHERE i.segment_id = s.segment_id', name);  -- of refused rows
    EXECUTE format('DROP TABLE %I', name);
    RETURN true;
END $$;

CREATE FUNCTION tallenne.end_bookmarks() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'tallenne', 'pg_temp'
    AS $$
BEGIN
    DELETE FROM bookmark m USING changed s
    WHERE s.state IN ('expiring', 'refused') AND m.camera_id = s.camera_id AND m.at_ns >= s.start_ns AND m.at_ns < s.end_ns
      AND NOT has_footage(m.camera_id, m.at_ns);
    RETURN NULL;
END $$;

CREATE FUNCTION tallenne.end_hold(p_hold_id uuid, p_now_ns bigint) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'tallenne', 'pg_temp'
    AS $$
DECLARE
    h record;
    expired int;
BEGIN
    SELECT * INTO h FROM hold WHERE hold_id = p_hold_id;
    PERFORM pg_advisory_xact_lock(hashtextextended('camera ' || h.camera_id, 0));
    UPDATE hold SET ended_ns = p_now_ns WHERE hold_id = p_hold_id AND ended_ns IS NULL;
    IF NOT FOUND THEN RETURN NULL; END IF;
    DELETE FROM hold_backlog WHERE hold_id = p_hold_id;
    DELETE FROM wrap_record WHERE hold_id = p_hold_id;
    WITH over AS (
        UPDATE segment s SET state = 'expiring'
        WHERE s.camera_id = h.camera_id AND s.state IN ('live', 'contested', 'shadow')
          AND s.start_ns > h.start_ns - 120000000000 AND s.start_ns < h.end_ns AND s.end_ns > h.start_ns
          AND EXISTS (SELECT FROM expired_key e WHERE e.hour_key_id = s.hour_key_id)
          AND NOT EXISTS (SELECT FROM wrap_record w WHERE w.segment_id = s.segment_id)
        RETURNING s.hour_key_id, s.size_bytes, s.start_ns, s.end_ns
    ), hours AS (
        SELECT hour_key_id, count(*) AS segments, sum(size_bytes) AS size_bytes, min(start_ns) AS first_ns,
               max(end_ns) AS last_ns
        FROM over GROUP BY hour_key_id
    ), opened AS (
        UPDATE expired_key e
        SET certificate = NULL, removed_ns = NULL, expired_ns = p_now_ns, segments = n.segments,
            size_bytes = n.size_bytes, first_ns = n.first_ns, last_ns = n.last_ns
        FROM hours n WHERE e.hour_key_id = n.hour_key_id
    )
    SELECT coalesce(sum(segments), 0) INTO expired FROM hours;
    RETURN expired;
END $$;

CREATE FUNCTION tallenne.ensure_segment_day(day_ns bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'tallenne', 'pg_temp'
    AS $$
DECLARE
    first bigint := day_ns - day_ns % 86400000000000;
    past bigint := first + 86400000000000;
    name text := 'segment_' || to_char(to_timestamp(first / 1000000000) AT TIME ZONE 'UTC', 'YYYYMMDD');
BEGIN
    -- Ingest's password must not suffice to fill the database with partitions for future days.
    IF day_ns NOT BETWEEN 0 AND now_ns() + 30 * 86400000000000 THEN
        RAISE EXCEPTION 'no footage is of that day' USING ERRCODE = 'TN004';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended(name, 0));
    IF EXISTS (SELECT FROM pg_class WHERE relname = name AND relnamespace = 'tallenne'::regnamespace) THEN RETURN; END IF;
    EXECUTE format('CREATE TABLE %I (LIKE segment INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name);
    EXECUTE format('ALTER TABLE segment ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', name, first, past);
END $$;

CREATE FUNCTION tallenne.erasable(p_camera_ids uuid[], p_start_ns bigint[], p_end_ns bigint[]) RETURNS TABLE(segment_id uuid, camera_id uuid, hour_key_id uuid, start_ns bigint, end_ns bigint, size_bytes bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'tallenne', 'pg_temp'
    AS $$
    SELECT DISTINCT g.segment_id, g.camera_id, g.hour_key_id, g.start_ns, g.end_ns, g.size_bytes
    FROM unnest(p_camera_ids, p_start_ns, p_end_ns) AS s (camera_id, start_ns, end_ns)
    CROSS JOIN LATERAL (
        SELECT f.* FROM segment f
        WHERE f.camera_id = s.camera_id AND f.state IN ('live', 'contested')
          AND f.start_ns > s.start_ns - 120000000000 AND f.start_ns < s.end_ns AND f.end_ns > s.start_ns
        UNION ALL
        SELECT f.* FROM segment f
        WHERE f.camera_id = s.camera_id AND f.state <> 'live' AND f.state IN ('shadow', 'gone')
          AND f.start_ns > s.start_ns - 120000000000 AND f.start_ns < s.end_ns AND f.end_ns > s.start_ns) AS g
$$;

CREATE FUNCTION tallenne.erase_footage(p_erasure_id uuid, p_now_ns bigint) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'tallenne', 'pg_temp'
    AS $$
DECLARE
    e erasure;
    found_ids uuid[];
BEGIN
    SELECT * INTO e FROM erasure WHERE erasure_id = p_erasure_id;
    INSERT INTO erasure_span
    SELECT p_erasure_id, s.camera_id, s.start_ns, s.end_ns
    FROM unnest(e.camera_ids, e.start_ns, e.end_ns) AS s (camera_id, start_ns, end_ns)
    ON CONFLICT DO NOTHING;
    WITH gone AS (
        UPDATE segment f SET state = 'expiring'
        FROM erasable(e.camera_ids, e.start_ns, e.end_ns) AS g
        WHERE f.start_ns = g.start_ns AND f.segment_id = g.segment_id
        RETURNING f.segment_id, f.camera_id, f.hour_key_id, f.start_ns, f.end_ns, f.size_bytes
    ), noted AS (
        INSERT INTO erased_segment
        SELECT segment_id, p_erasure_id, camera_id, hour_key_id, start_ns, end_ns, size_bytes, p_now_ns FROM gone
        ON CONFLICT DO NOTHING
    ), told AS (
        INSERT INTO outbox (kind, ref) SELECT 'segment', segment_id FROM gone  -- the indexer ends their tags
    )
    SELECT array_agg(segment_id) INTO found_ids FROM gone;
    PERFORM fill_gap(s.camera_id, s.start_ns, s.end_ns, 'erased') FROM erased_segment s
    WHERE s.segment_id = ANY (found_ids);
    RETURN coalesce(cardinality(found_ids), 0);
END $$;

CREATE FUNCTION tallenne.erase_person(p_request_id uuid, p_now_ns bigint) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'tallenne', 'pg_temp'
    AS $$
DECLARE
    gone uuid;
BEGIN
    UPDATE member_request SET erased_ns = p_now_ns
    WHERE request_id = p_request_id AND kind = 'erasure' AND state = 'checked' AND erased_ns IS NULL
    RETURNING member_id INTO gone;
    IF gone IS NULL THEN RETURN false; END IF;
    -- An import that runs now comes first or finds no such member (indexer/members/sql/members.sql, members_lock).
    PERFORM pg_advisory_xact_lock(7411222006);
    -- What is being written about the member at this moment comes first, and goes as well; what comes later finds no link.
    PERFORM FROM member_identity WHERE member_id = gone FOR UPDATE;
    DELETE FROM member_field WHERE member_id = gone;
    DELETE FROM member_consent WHERE member_id = gone;
    DELETE FROM credential WHERE member_id = gone;
    DELETE FROM member_session WHERE member_id = gone;
    DELETE FROM member_code_request WHERE request_hash IN (SELECT request_hash FROM member_code WHERE member_id = gone);
    DELETE FROM member_identity WHERE member_id = gone;
    UPDATE member_request SET details = '', answer = CASE WHEN answer IS NOT NULL THEN '' END,
        extension = CASE WHEN extension IS NOT NULL THEN '' END,
        identity = CASE WHEN request_id = p_request_id THEN identity WHEN identity IS NOT NULL THEN '' END
    WHERE member_id = gone;
    RETURN true;
END $$;

CREATE FUNCTION tallenne.erasure_blocks(p_camera_ids uuid[], p_start_ns bigint[], p_end_ns bigint[]) RETURNS TABLE(case_id uuid, number text, reason text, kind text, camera_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'tallenne', 'pg_temp'
    AS $$
    WITH reach AS (
        SELECT s.camera_id, s.start_ns, s.end_ns
        FROM unnest(p_camera_ids, p_start_ns, p_end_ns) AS s (camera_id, start_ns, end_ns)
        UNION ALL
        SELECT g.camera_id, g.start_ns, g.end_ns FROM erasable(p_camera_ids, p_start_ns, p_end_ns) AS g)
    SELECT DISTINCT c.case_id, c.number, c.reason, h.kind, h.camera_id
    FROM reach r
    JOIN hold h ON h.camera_id = r.camera_id AND h.ended_ns IS NULL AND h.start_ns > r.start_ns - 86400000000000
        AND h.start_ns < r.end_ns AND h.end_ns > r.start_ns
    JOIN case_file c ON c.case_id = h.case_id
    UNION
    SELECT DISTINCT c.case_id, c.number, c.reason, e.kind, e.camera_id
    FROM reach r
    JOIN case_entry e ON e.camera_id = r.camera_id AND e.kind = 'clip'
        AND e.start_ns < r.end_ns AND e.end_ns > r.start_ns
    JOIN case_file c ON c.case_id = e.case_id AND c.state <> 'closed'
    ORDER BY 2, 4, 5
$$;

CREATE FUNCTION tallenne.erasure_survivors(p_old uuid, p_new uuid) RETURNS TABLE(segment_id uuid, header bytea, wrap bytea, wrapped boolean)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'tallenne', 'pg_temp'
    AS $$
    SELECT f.segment_id, f.header,
           (SELECT w.wrap FROM wrap_record w WHERE w.segment_id = f.segment_id AND w.hour_key_id = p_old
            ORDER BY w.wrap_id DESC LIMIT 1),
           EXISTS (SELECT FROM wrap_record w WHERE w.segment_id = f.segment_id AND w.hour_key_id = p_new)
    FROM hour_key k
    CROSS JOIN LATERAL (
        SELECT s.segment_id, s.header FROM segment s
        WHERE s.camera_id = k.camera_id AND s.state IN ('live', 'contested') AND s.hour_key_id = p_old
          AND s.start_ns >= k.hour_ns AND s.start_ns < k.hour_ns + 3600000000000
        UNION ALL
        SELECT s.segment_id, s.header FROM segment s
        WHERE s.camera_id = k.camera_id AND s.state <> 'live' AND s.state IN ('shadow', 'gone') AND s.hour_key_id = p_old
          AND s.start_ns >= k.hour_ns AND s.start_ns < k.hour_ns + 3600000000000) AS f
    WHERE k.hour_key_id = p_old
$$;

CREATE FUNCTION tallenne.expire_hour_keys(p_hour_key_ids uuid[], p_now_ns bigint) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'tallenne', 'pg_temp'
    AS $$
DECLARE
    k record;
    killed int := 0;
BEGIN
    FOR k IN
        SELECT hour_key_id, site_id, camera_id, hour_ns, expires_hour_ns FROM hour_key
        WHERE hour_key_id = ANY (p_hour_key_ids) AND expires_hour_ns <= p_now_ns
        ORDER BY camera_id, hour_ns
    LOOP
        PERFORM pg_advisory_xact_lock(hashtextextended('camera ' || k.camera_id, 0));
        -- A hold was placed, or held footage was committed, since the custodian looked: it wraps that first.
        CONTINUE WHEN EXISTS (SELECT FROM hold_backlog WHERE hour_key_id = k.hour_key_id);
        DELETE FROM wrap_record WHERE hour_key_id = k.hour_key_id;
        DELETE FROM hour_key WHERE hour_key_id = k.hour_key_id;
        CONTINUE WHEN NOT FOUND;
        WITH live AS (
            UPDATE segment SET state = 'expiring'
            WHERE camera_id = k.camera_id AND state = 'live' AND hour_key_id = k.hour_key_id
              AND start_ns >= k.hour_ns AND start_ns < k.hour_ns + 3600000000000
              -- What a hold keeps stays as it is: it opens with the hold's key.
              AND NOT EXISTS (
                  SELECT FROM wrap_record w WHERE w.segment_id = segment.segment_id AND w.hold_id IS NOT NULL)
            RETURNING size_bytes, start_ns, end_ns
        ), other AS (
            UPDATE segment SET state = 'expiring'
            WHERE camera_id = k.camera_id AND state <> 'live' AND state IN ('shadow', 'gone', 'contested')
              AND hour_key_id = k.hour_key_id
              AND start_ns >= k.hour_ns AND start_ns < k.hour_ns + 3600000000000
              AND NOT EXISTS (
                  SELECT FROM wrap_record w WHERE w.segment_id = segment.segment_id AND w.hold_id IS NOT NULL)
            RETURNING size_bytes, start_ns, end_ns
        )
        INSERT INTO expired_key
        SELECT k.hour_key_id, k.site_id, k.camera_id, k.hour_ns, k.expires_hour_ns,
               count(*), coalesce(sum(size_bytes), 0), min(start_ns), max(end_ns), p_now_ns, NULL,
               CASE WHEN count(*) = 0 AND NOT EXISTS (
                   SELECT FROM erased_segment WHERE hour_key_id = k.hour_key_id) THEN p_now_ns END
        FROM (SELECT * FROM live UNION ALL SELECT * FROM other) AS done
        -- Rows of a backup that was restored: dead before, and dead again.
        ON CONFLICT (hour_key_id) DO UPDATE
        SET certificate = NULL, removed_ns = excluded.removed_ns, expired_ns = excluded.expired_ns,
            segments = excluded.segments, size_bytes = excluded.size_bytes,
            first_ns = excluded.first_ns, last_ns = excluded.last_ns;
        killed := killed + 1;
    END LOOP;
    RETURN killed;
END $$;

CREATE FUNCTION tallenne.fill_gap(p_camera_id uuid, p_start_ns bigint, p_end_ns bigint, p_cause text) RETURNS void
    LANGUAGE sql
    SET search_path TO 'tallenne', 'pg_temp'
    AS $$
    INSERT INTO gap
    SELECT p_camera_id, lower(piece), upper(piece), p_cause, ''
    -- Multirange arithmetic: the span less the union of all that is known. range_agg() of no rows is NULL.
    FROM (SELECT range_agg(int8range(known.start_ns, known.end_ns)) AS spans FROM (
        SELECT start_ns, end_ns FROM segment
        WHERE camera_id = p_camera_id AND state = 'live'
          AND start_ns > p_start_ns - 120000000000 AND start_ns < p_end_ns AND end_ns > p_start_ns
        UNION ALL
        SELECT start_ns, end_ns FROM gap
        WHERE camera_id = p_camera_id
          AND start_ns >= p_start_ns - 86400000000000 AND start_ns < p_end_ns AND end_ns > p_start_ns) known) k
    CROSS JOIN LATERAL unnest(
        int8multirange(int8range(p_start_ns, p_end_ns)) - coalesce(k.spans, int8multirange())) AS piece
    ON CONFLICT DO NOTHING
$$;

CREATE FUNCTION tallenne.footage_export_step() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'tallenne', 'pg_temp'
    AS $$
DECLARE
    name text := CASE WHEN NEW.state <> 'approval' THEN NEW.state WHEN TG_OP = 'INSERT' THEN 'asked' ELSE 'reopened' END;
BEGIN
    IF NEW.state <> 'working' AND (TG_OP = 'INSERT' OR NEW.state <> OLD.state) THEN
        INSERT INTO export_step (export_id, step, staff_id, reason, at_ns) VALUES (
            NEW.export_id, name,
            CASE WHEN name IN ('asked', 'ready') THEN NEW.staff_id WHEN name = 'approved' THEN NEW.approved_by ELSE NEW.ended_by END,
            CASE name WHEN 'asked' THEN (SELECT p.reason FROM purpose p WHERE p.purpose_id = NEW.purpose_id)
                      WHEN 'failed' THEN NEW.problem ELSE NEW.refusal END,
            coalesce(
                CASE name WHEN 'asked' THEN NEW.created_ns WHEN 'approved' THEN NEW.approved_ns WHEN 'ready' THEN NEW.finished_ns
                          ELSE NEW.ended_ns END,
                (extract(epoch FROM clock_timestamp()) * 1000000000)::bigint));
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION tallenne.has_footage(p_camera_id uuid, p_at_ns bigint) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'tallenne', 'pg_temp'
    AS $$
    SELECT EXISTS (
        SELECT FROM segment
        WHERE camera_id = p_camera_id AND state IN ('live', 'contested')
          AND start_ns > p_at_ns - 120000000000 AND start_ns <= p_at_ns AND end_ns > p_at_ns)
    OR EXISTS (
        SELECT FROM segment
        WHERE camera_id = p_camera_id AND state <> 'live' AND state IN ('shadow', 'gone')
          AND start_ns > p_at_ns - 120000000000 AND start_ns <= p_at_ns AND end_ns > p_at_ns)
$$;

CREATE FUNCTION tallenne.hold_segment(p_segment_id uuid, p_camera_id uuid, p_hour_key_id uuid, p_start_ns bigint, p_end_ns bigint) RETURNS void
    LANGUAGE sql
    SET search_path TO 'tallenne', 'pg_temp'
    AS $$
    INSERT INTO hold_backlog
    SELECT hold_id, p_segment_id, p_hour_key_id FROM hold
    WHERE camera_id = p_camera_id AND ended_ns IS NULL
      AND start_ns > p_start_ns - 86400000000000 AND start_ns < p_end_ns AND end_ns > p_start_ns
      -- A row that is restored: it was wrapped before, and its hour key may be dead.
      AND NOT EXISTS (SELECT FROM wrap_record w WHERE w.segment_id = p_segment_id AND w.hold_id = hold.hold_id)
    ON CONFLICT DO NOTHING
$$;

CREATE FUNCTION tallenne.hour_key_idle(p_hour_key_id uuid, p_now_ns bigint, p_late_ns bigint) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'tallenne', 'pg_temp'
    AS $$
DECLARE
    k record;
    first bigint;
    past bigint;
    following bigint;
BEGIN
    SELECT camera_id, hour_ns, serial INTO k FROM hour_key WHERE hour_key_id = p_hour_key_id;
    past := k.hour_ns + 3600000000000;
    IF p_now_ns >= past + p_late_ns THEN RETURN true; END IF;
    -- Sealed to a newer key, not wrapped to it later.
    SELECT min(s.start_ns) INTO following FROM segment s JOIN hour_key n ON n.hour_key_id = s.hour_key_id
    WHERE s.camera_id = k.camera_id AND s.state IN ('live', 'contested') AND s.start_ns >= k.hour_ns AND s.start_ns < past
      AND n.serial > k.serial
      AND NOT EXISTS (SELECT FROM wrap_record w WHERE w.segment_id = s.segment_id AND w.hour_key_id IS NOT NULL);
    IF following IS NULL AND p_now_ns < past THEN RETURN false; END IF;
    past := coalesce(following, past);
    SELECT greatest(k.hour_ns, least(
        (SELECT start_ns FROM segment WHERE camera_id = k.camera_id AND state IN ('live', 'contested')
         ORDER BY start_ns LIMIT 1),
        (SELECT min(start_ns) FROM segment WHERE camera_id = k.camera_id AND state <> 'live' AND start_ns >= k.hour_ns),
        (SELECT min(start_ns) FROM gap WHERE camera_id = k.camera_id))) INTO first;
    IF first >= past THEN RETURN true; END IF;
    RETURN NOT EXISTS (
        SELECT FROM (SELECT range_agg(int8range(known.start_ns, known.end_ns)) AS spans FROM (
            SELECT start_ns, end_ns FROM segment
            WHERE camera_id = k.camera_id AND state IN ('live', 'contested')
              AND start_ns > first - 120000000000 AND start_ns < past AND end_ns > first
            UNION ALL
            SELECT start_ns, end_ns FROM segment
            WHERE camera_id = k.camera_id AND state <> 'live' AND state <> 'refused'
              AND start_ns > first - 120000000000 AND start_ns < past AND end_ns > first
            UNION ALL
            SELECT start_ns, end_ns FROM gap
            WHERE camera_id = k.camera_id
              AND start_ns >= first - 86400000000000 AND start_ns < past AND end_ns > first) known) n
        CROSS JOIN LATERAL unnest(
            int8multirange(int8range(first, past)) - coalesce(n.spans, int8multirange())) AS piece
        WHERE upper(piece) - lower(piece) >= 1000000000);
END $$;

CREATE FUNCTION tallenne.is_minor_by_birth(p_member_id uuid, p_otherwise boolean) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'tallenne', 'pg_temp'
    AS $$
    SELECT coalesce((SELECT is_minor_on(value::date, (clock_timestamp() AT TIME ZONE 'UTC')::date) FROM member_field
        WHERE member_id = p_member_id AND field = 'birth_date' AND value <> '' AND to_ns = 9223372036854775807), p_otherwise)
$$;

CREATE FUNCTION tallenne.is_minor_on(p_born date, p_day date) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $$
    SELECT (p_born - 1 + interval '18 years' + interval '1 day')::date > p_day
$$;

CREATE FUNCTION tallenne.journal_over_before(p_now_ns bigint, p_days integer) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'tallenne', 'pg_temp'
    AS $$
    SELECT CASE WHEN EXISTS (SELECT FROM retention_pause) OR NOT EXISTS (SELECT FROM hour_key) THEN 0 ELSE least(
        p_now_ns - p_days * 86400000000000,
        (extract(epoch FROM clock_timestamp()) * 1000000000)::bigint - p_days * 86400000000000,
        (SELECT min(hour_ns) FROM hour_key),
        (SELECT min(hour_ns) FROM expired_key WHERE certificate IS NULL OR removed_ns IS NULL),
        (SELECT min(i.start_ns) FROM hold h JOIN wrap_record w USING (hold_id) JOIN segment_identity i USING (segment_id)
         WHERE h.ended_ns IS NULL)) END  -- what a case still keeps ends with it
$$;

CREATE FUNCTION tallenne.journal_rows() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'tallenne', 'pg_temp'
    AS $$
BEGIN
    -- Everyone may set this; it counts from the owner alone, as which this function runs.
    IF session_user = current_user AND current_setting('tallenne.from_journal', true) = 'on' THEN RETURN NULL; END IF;
    EXECUTE format(
        'INSERT INTO journal_outbox (kind, at_ns, entry)'
        ' SELECT %L, %I, to_jsonb(f) - %L::text[] || jsonb_build_object(''noted_ns'', %s) FROM fresh f',
        TG_TABLE_NAME, TG_ARGV[0], string_to_array(coalesce(TG_ARGV[1], ''), ','),
        (extract(epoch FROM clock_timestamp()) * 1e9)::bigint);
    RETURN NULL;
END $$;

CREATE FUNCTION tallenne.keep_name() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'tallenne', 'pg_temp'
    AS $$
DECLARE
    said_source text := coalesce(nullif(current_setting('tallenne.source', true), ''), 'import');
    said_staff uuid := nullif(current_setting('tallenne.staff', true), '')::uuid;
    at_ns bigint := now_ns();
BEGIN
    UPDATE member_field SET to_ns = greatest(from_ns, at_ns)
    WHERE member_id = NEW.member_id AND field = 'name' AND to_ns = 9223372036854775807;
    IF NOT FOUND THEN
        INSERT INTO member_field (member_id, field, value, source, from_ns, to_ns)
        SELECT NEW.member_id, 'name', OLD.name, 'import', least(created_ns, at_ns), at_ns FROM member WHERE member_id = NEW.member_id;
    END IF;
    INSERT INTO member_field (member_id, field, value, source, staff_id, from_ns)
    VALUES (NEW.member_id, 'name', NEW.name, said_source, said_staff, at_ns);
    RETURN NULL;
END $$;

CREATE FUNCTION tallenne.lock_asker(p_session_id uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'tallenne', 'pg_temp'
    AS $$
BEGIN
    PERFORM FROM staff_session WHERE session_id = p_session_id FOR SHARE;
    PERFORM FROM staff u JOIN staff_session s USING (staff_id) WHERE s.session_id = p_session_id FOR SHARE OF u;
    PERFORM FROM staff_grant g JOIN staff_session s USING (staff_id) WHERE s.session_id = p_session_id FOR SHARE OF g;
END $$;

CREATE FUNCTION tallenne.lock_cameras(p_camera_ids uuid[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'tallenne', 'pg_temp'
    AS $$
DECLARE
    wanted uuid;
BEGIN
    FOR wanted IN SELECT DISTINCT c FROM unnest(p_camera_ids) AS c ORDER BY c LOOP
        PERFORM pg_advisory_xact_lock(hashtextextended('camera ' || wanted, 0));
    END LOOP;
END $$;

CREATE FUNCTION tallenne.minor_by_birth() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'tallenne', 'pg_temp'
    AS $$
BEGIN
    NEW.minor := is_minor_by_birth(NEW.member_id, NEW.minor);
    RETURN NEW;
END $$;

CREATE FUNCTION tallenne.now_ns() RETURNS bigint
    LANGUAGE sql
    AS $$
    SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint * 1000
$$;

CREATE FUNCTION tallenne.of_age_now() RETURNS integer
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'tallenne', 'pg_temp'
    AS $$
    WITH changed AS (
        UPDATE member SET minor = minor WHERE minor AND NOT is_minor_by_birth(member_id, true) RETURNING 1)
    SELECT count(*)::int FROM changed
$$;

CREATE FUNCTION tallenne.place_hold(p_hold_id uuid, p_case_id uuid, p_kind text, p_camera_id uuid, p_start_ns bigint, p_end_ns bigint, p_public_key bytea, p_sealed_private bytea, p_staff_id uuid, p_now_ns bigint) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'tallenne', 'pg_temp'
    AS $$
DECLARE
    kept int;
BEGIN
    PERFORM FROM case_file WHERE case_id = p_case_id AND state = 'open' FOR SHARE;
    IF NOT FOUND THEN RAISE EXCEPTION 'case is not open' USING ERRCODE = 'TN004'; END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('camera ' || p_camera_id, 0));
    INSERT INTO hold VALUES (
        p_hold_id, p_case_id, p_kind, p_camera_id, p_start_ns, p_end_ns, p_public_key, p_sealed_private,
        p_staff_id, p_now_ns);
    INSERT INTO hold_backlog
    SELECT p_hold_id, segment_id, hour_key_id FROM segment
    WHERE camera_id = p_camera_id AND state IN ('live', 'contested')
      AND start_ns > p_start_ns - 120000000000 AND start_ns < p_end_ns AND end_ns > p_start_ns;
    GET DIAGNOSTICS kept = ROW_COUNT;
    RETURN kept;
END $$;

CREATE FUNCTION tallenne.remove_expired(p_hour_key_id uuid, p_segment_ids uuid[], p_now_ns bigint) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'tallenne', 'pg_temp'
    AS $$
DECLARE
    k record;
    mine uuid[];
BEGIN
    SELECT * INTO k FROM expired_key WHERE hour_key_id = p_hour_key_id AND certificate IS NOT NULL;
    IF NOT FOUND THEN RETURN false; END IF;
    -- commit_segment() adds rows to a dead key under this lock.
    PERFORM pg_advisory_xact_lock(hashtextextended('camera ' || k.camera_id, 0));
    SELECT array_agg(segment_id) INTO mine FROM segment
    WHERE camera_id = k.camera_id AND state = 'expiring' AND hour_key_id = p_hour_key_id
      AND start_ns >= k.hour_ns AND start_ns < k.hour_ns + 3600000000000 AND segment_id = ANY (p_segment_ids);
    DELETE FROM tag WHERE segment_id = ANY (mine);
    DELETE FROM segment_identity WHERE segment_id = ANY (mine);
    IF EXISTS (
        SELECT FROM hour_key
        WHERE hour_ns >= k.hour_ns - k.hour_ns % 86400000000000
          AND hour_ns < k.hour_ns - k.hour_ns % 86400000000000 + 86400000000000
          AND expires_hour_ns > p_now_ns + 93600000000000)
    THEN
        DELETE FROM segment
        WHERE camera_id = k.camera_id AND state = 'expiring' AND hour_key_id = p_hour_key_id
          AND start_ns >= k.hour_ns AND start_ns < k.hour_ns + 3600000000000 AND segment_id = ANY (mine);
    END IF;
    UPDATE expired_key SET removed_ns = p_now_ns
    WHERE hour_key_id = p_hour_key_id AND removed_ns IS NULL AND NOT EXISTS (
        SELECT FROM segment s JOIN segment_identity i ON i.segment_id = s.segment_id AND i.start_ns = s.start_ns
        WHERE s.camera_id = k.camera_id AND s.state = 'expiring' AND s.hour_key_id = p_hour_key_id
          AND s.start_ns >= k.hour_ns AND s.start_ns < k.hour_ns + 3600000000000);
    RETURN FOUND;
END $$;

CREATE FUNCTION tallenne.replace_erased_key(p_old uuid, p_new uuid, p_broken uuid[], p_now_ns bigint, p_late_ns bigint) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'tallenne', 'pg_temp'
    AS $$
DECLARE
    k hour_key;
BEGIN
    SELECT * INTO k FROM hour_key WHERE hour_key_id = p_old;
    PERFORM pg_advisory_xact_lock(hashtextextended('camera ' || k.camera_id, 0));
    -- As it is under the lock: another hour of expiry may have been set meanwhile.
    SELECT * INTO k FROM hour_key WHERE hour_key_id = p_old FOR UPDATE;
    IF NOT FOUND OR NOT EXISTS (SELECT FROM erased_segment WHERE hour_key_id = p_old) THEN RETURN 'replaced'; END IF;
    IF NOT hour_key_idle(p_old, p_now_ns, p_late_ns) THEN RETURN 'waits'; END IF;
    IF EXISTS (SELECT FROM hold_backlog WHERE hour_key_id = p_old)
    OR EXISTS (SELECT FROM erasure_survivors(p_old, p_new) s WHERE NOT s.wrapped AND s.segment_id <> ALL (p_broken))
    THEN
        RETURN 'more';
    END IF;
    IF p_new IS NOT NULL AND NOT EXISTS (
        SELECT FROM hour_key WHERE hour_key_id = p_new AND camera_id = k.camera_id AND hour_ns = k.hour_ns) THEN
        RETURN 'more';
    END IF;
    -- From here on the row names the key that opens the segment and that it ends with.
    UPDATE segment SET hour_key_id = p_new
    WHERE p_new IS NOT NULL AND camera_id = k.camera_id AND state IN ('live', 'contested') AND hour_key_id = p_old
      AND start_ns >= k.hour_ns AND start_ns < k.hour_ns + 3600000000000;
    UPDATE segment SET hour_key_id = p_new
    WHERE p_new IS NOT NULL AND camera_id = k.camera_id AND state <> 'live' AND state IN ('shadow', 'gone')
      AND hour_key_id = p_old AND start_ns >= k.hour_ns AND start_ns < k.hour_ns + 3600000000000;
    DELETE FROM wrap_record w USING erased_segment e WHERE e.hour_key_id = p_old AND w.segment_id = e.segment_id;
    DELETE FROM wrap_record WHERE hour_key_id = p_old;
    DELETE FROM hour_key WHERE hour_key_id = p_old;
    INSERT INTO expired_key
    SELECT k.hour_key_id, k.site_id, k.camera_id, k.hour_ns, k.expires_hour_ns, count(*), coalesce(sum(size_bytes), 0),
           min(start_ns), max(end_ns), p_now_ns, NULL, NULL, true
    FROM erased_segment WHERE hour_key_id = p_old;
    RETURN 'replaced';
END $$;

CREATE FUNCTION tallenne.replay_erasures(p_now_ns bigint) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'tallenne', 'pg_temp'
    AS $$
DECLARE
    e record;
    k record;
    lost uuid[];
BEGIN
    FOR e IN SELECT erasure_id, camera_ids FROM erasure WHERE state IN ('approved', 'done') ORDER BY decided_ns LOOP
        PERFORM lock_cameras(e.camera_ids);
        PERFORM erase_footage(e.erasure_id, p_now_ns);
    END LOOP;
    FOR k IN SELECT h.* FROM hour_key h JOIN expired_key x USING (hour_key_id) WHERE x.erased ORDER BY h.camera_id LOOP
        PERFORM pg_advisory_xact_lock(hashtextextended('camera ' || k.camera_id, 0));
        UPDATE segment s SET hour_key_id = w.hour_key_id
        FROM (SELECT DISTINCT ON (segment_id) segment_id, hour_key_id FROM wrap_record
              WHERE hour_key_id <> k.hour_key_id ORDER BY segment_id, wrap_id DESC) AS w
        WHERE s.camera_id = k.camera_id AND s.hour_key_id = k.hour_key_id AND s.state NOT IN ('expiring', 'refused')
          AND s.start_ns >= k.hour_ns AND s.start_ns < k.hour_ns + 3600000000000 AND w.segment_id = s.segment_id;
        WITH over AS (
            UPDATE segment s SET state = 'expiring'
            WHERE s.camera_id = k.camera_id AND s.hour_key_id = k.hour_key_id AND s.state NOT IN ('expiring', 'refused')
              AND s.start_ns >= k.hour_ns AND s.start_ns < k.hour_ns + 3600000000000
              AND NOT EXISTS (SELECT FROM wrap_record w WHERE w.segment_id = s.segment_id AND w.hold_id IS NOT NULL)
            RETURNING s.segment_id
        ), told AS (INSERT INTO outbox (kind, ref) SELECT 'segment', segment_id FROM over)
        SELECT array_agg(segment_id) INTO lost FROM over;
        PERFORM fill_gap(s.camera_id, s.start_ns, s.end_ns, 'lost')
        FROM segment_identity i JOIN segment s ON s.start_ns = i.start_ns AND s.segment_id = i.segment_id
        WHERE i.segment_id = ANY (lost);
        DELETE FROM wrap_record WHERE hour_key_id = k.hour_key_id;
        DELETE FROM hour_key WHERE hour_key_id = k.hour_key_id;
        UPDATE expired_key SET removed_ns = NULL WHERE hour_key_id = k.hour_key_id;
    END LOOP;
END $$;

CREATE FUNCTION tallenne.segment_days_over(p_now_ns bigint) RETURNS SETOF bigint
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'tallenne', 'pg_temp'
    AS $$
DECLARE
    day_ns bigint;
    name text;
    used boolean;
BEGIN
    FOR name IN
        SELECT c.relname FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid
        WHERE inhparent = 'segment'::regclass ORDER BY c.relname
    LOOP
        day_ns := extract(epoch FROM to_timestamp(right(name, 8) || '+00', 'YYYYMMDDTZH'))::bigint * 1000000000;
        CONTINUE WHEN day_ns + 86400000000000 > p_now_ns;
        CONTINUE WHEN EXISTS (
            SELECT FROM hour_key WHERE hour_ns >= day_ns AND hour_ns < day_ns + 86400000000000);
        CONTINUE WHEN EXISTS (
            SELECT FROM expired_key
            WHERE hour_ns >= day_ns AND hour_ns < day_ns + 86400000000000 AND removed_ns IS NULL);
        -- Refused rows keep nothing: they may name any key.
        EXECUTE format('SELECT EXISTS (SELECT FROM %I s WHERE s.state <> ''refused'' AND (s.state <> ''expiring'' OR EXISTS '
                       '(SELECT FROM segment_identity i WHERE i.segment_id = s.segment_id)))', name) INTO used;
        IF NOT used THEN RETURN NEXT day_ns; END IF;
    END LOOP;
END $$;

CREATE FUNCTION tallenne.settle_segment(p_segment_id uuid, p_flaw text, p_object_name text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'tallenne', 'pg_temp'
    AS $$
DECLARE
    this segment;
    settled_ns bigint := now_ns() - 2 * 86400000000000;
    best_epoch bigint;
    fixed boolean;
    begins boolean;
    misfiled bigint[];
    loser record;
BEGIN
    SELECT s.* INTO this FROM segment_identity i JOIN segment s ON s.start_ns = i.start_ns AND s.segment_id = i.segment_id
    WHERE i.segment_id = p_segment_id;
    IF FOUND THEN
        PERFORM pg_advisory_xact_lock(hashtextextended('camera ' || this.camera_id, 0));
        SELECT * INTO this FROM segment WHERE start_ns = this.start_ns AND segment_id = p_segment_id FOR UPDATE;
    END IF;
    IF this.state = 'contested' AND p_flaw IS NULL AND EXISTS (
        SELECT FROM segment s JOIN segment_claim c ON c.segment_id = s.segment_id
        WHERE s.camera_id = this.camera_id AND s.state = 'live'
          AND s.start_ns > this.start_ns - 120000000000 AND s.start_ns < this.end_ns AND s.end_ns > this.start_ns)
    THEN
        RETURN this.state;
    END IF;
    DELETE FROM segment_claim WHERE segment_id = p_segment_id;
    IF this.state IS NULL OR this.state NOT IN ('live', 'contested') THEN RETURN this.state; END IF;

    IF p_flaw IS NOT NULL THEN
        UPDATE segment SET state = 'refused' WHERE start_ns = this.start_ns AND segment_id = p_segment_id;
        INSERT INTO object_quarantine VALUES (p_object_name, now_ns(), p_flaw)
        ON CONFLICT (object_name) DO UPDATE SET reason = excluded.reason;
        IF this.state = 'live' THEN
            INSERT INTO outbox (kind, ref) VALUES ('segment', p_segment_id);
            PERFORM fill_gap(this.camera_id, this.start_ns, this.end_ns, 'quarantined');
        END IF;
        RETURN 'refused';
    END IF;

    DELETE FROM object_quarantine WHERE object_name = p_object_name;
    SELECT max(epoch), bool_or(committed_ns < settled_ns) INTO best_epoch, fixed FROM segment
    WHERE camera_id = this.camera_id AND state = 'live' AND segment_id <> p_segment_id
      AND start_ns > this.start_ns - 120000000000 AND start_ns < this.end_ns AND end_ns > this.start_ns;
    -- Segments of one epoch may arrive out of order: keep the earliest start. FOUND then says whether this one is the
    -- earliest so far.
    INSERT INTO footage_epoch AS known VALUES (this.camera_id, this.recorder_id, this.epoch, this.start_ns)
    ON CONFLICT (camera_id, recorder_id, epoch) DO UPDATE SET start_ns = excluded.start_ns
    WHERE excluded.start_ns < known.start_ns;
    begins := FOUND;
    -- Equal epochs too: of two segments of one epoch that overlap, the first one committed stays.
    IF fixed OR best_epoch >= this.epoch OR EXISTS (
        SELECT FROM footage_epoch mine JOIN footage_epoch later USING (camera_id, recorder_id)
        WHERE camera_id = this.camera_id AND recorder_id = this.recorder_id AND mine.epoch = this.epoch
          AND later.epoch > this.epoch AND later.start_ns <= mine.start_ns)
    THEN
        UPDATE segment SET state = 'shadow' WHERE start_ns = this.start_ns AND segment_id = p_segment_id;
        IF this.state = 'live' THEN
            INSERT INTO outbox (kind, ref) VALUES ('segment', p_segment_id);
        END IF;
        PERFORM fill_gap(this.camera_id, this.start_ns, this.end_ns, 'clock');
        RETURN 'shadow';
    END IF;
    IF begins THEN
        SELECT array_agg(epoch) INTO misfiled FROM footage_epoch
        WHERE camera_id = this.camera_id AND recorder_id = this.recorder_id AND epoch < this.epoch
          AND start_ns >= this.start_ns;
    END IF;
    IF best_epoch IS NOT NULL OR misfiled IS NOT NULL THEN
        FOR loser IN
            UPDATE segment SET state = 'shadow'
            WHERE camera_id = this.camera_id AND state = 'live' AND segment_id <> p_segment_id
              AND start_ns > this.start_ns - 120000000000
              AND (start_ns < this.end_ns AND end_ns > this.start_ns
                   OR recorder_id = this.recorder_id AND epoch = ANY (misfiled) AND committed_ns >= settled_ns)
            RETURNING segment_id, start_ns, end_ns
        LOOP
            -- The indexer ends the tags of the shadow.
            INSERT INTO outbox (kind, ref) VALUES ('segment', loser.segment_id);
            PERFORM fill_gap(this.camera_id, loser.start_ns, loser.end_ns, 'clock');
        END LOOP;
    END IF;
    IF this.state = 'contested' THEN
        UPDATE segment SET state = 'live' WHERE start_ns = this.start_ns AND segment_id = p_segment_id;
        INSERT INTO outbox (kind, ref) VALUES ('segment', p_segment_id);
    END IF;
    PERFORM cut_gaps(this.camera_id, this.start_ns, this.end_ns);
    RETURN 'live';
END $$;

CREATE FUNCTION tallenne.staff_in_one_hand(p_staff_id uuid, p_now_ns bigint) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'tallenne', 'pg_temp'
    AS $$
    WITH RECURSIVE hand (staff_id) AS (
        SELECT p_staff_id
        UNION
        SELECT linked.staff_id
        FROM hand JOIN staff_handover h ON hand.staff_id IN (h.staff_id, h.by_staff_id) AND h.at_ns > p_now_ns - 3 * 86400000000000,
             LATERAL (VALUES (h.staff_id), (h.by_staff_id)) AS linked (staff_id))
    SELECT staff_id FROM hand
$$;

CREATE FUNCTION tallenne.staff_may(p_session_id uuid, p_action text, p_camera_id uuid, p_now_ns bigint) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'tallenne', 'pg_temp'
    AS $$
    SELECT EXISTS (
        SELECT FROM staff_session s
        JOIN staff u USING (staff_id)
        JOIN staff_grant g USING (staff_id)
        JOIN camera c ON c.camera_id = p_camera_id
        WHERE s.session_id = p_session_id AND s.ended_ns IS NULL AND s.second_factor AND u.disabled_ns IS NULL
          AND p_now_ns - s.created_ns < 43200000000000 AND p_now_ns - s.seen_ns < 900000000000
          AND (p_action IN ('look', 'preview') OR p_now_ns - s.stepped_up_ns < 300000000000)
          AND (g.site_id IS NULL OR g.site_id = c.site_id) AND (g.camera_id IS NULL OR g.camera_id = c.camera_id)
          AND g.role = ANY (CASE p_action WHEN 'look' THEN ARRAY['viewer', 'exporter']
                                          WHEN 'export' THEN ARRAY['exporter']
                                          WHEN 'preview' THEN ARRAY['exporter', 'admin']
                                          WHEN 'case' THEN ARRAY['exporter', 'admin']
                                          WHEN 'erase' THEN ARRAY['exporter', 'admin']
                                          WHEN 'erase_approve' THEN ARRAY['admin'] ELSE ARRAY[]::text[] END))
$$;

CREATE FUNCTION tallenne.staff_may_preview(p_session_id uuid, p_export_id uuid, p_camera_id uuid, p_start_ns bigint, p_end_ns bigint, p_now_ns bigint) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'tallenne', 'pg_temp'
    AS $$
    SELECT EXISTS (
        SELECT FROM footage_export x JOIN staff_session s ON s.session_id = p_session_id
        WHERE x.export_id = p_export_id AND x.state = 'approval' AND p_camera_id = ANY (x.camera_ids)
          AND p_start_ns >= x.start_ns - 180000000000 AND p_end_ns <= x.end_ns + 120000000000
          AND p_start_ns < x.end_ns AND p_end_ns > x.start_ns
          AND NOT EXISTS (SELECT FROM staff_in_one_hand(s.staff_id, p_now_ns) AS hand (staff_id) WHERE hand.staff_id = x.staff_id)
          AND (SELECT bool_and(staff_may(p_session_id, 'preview', each.camera_id, p_now_ns)) FROM unnest(x.camera_ids) AS each (camera_id)))
$$;

CREATE FUNCTION tallenne.take_leases(p_camera_ids uuid[], p_recorder_id uuid) RETURNS TABLE(camera_id uuid, lease bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'tallenne', 'pg_temp'
    AS $$
#variable_conflict use_column
DECLARE
    wanted uuid;
    newest record;
BEGIN
    IF NOT EXISTS (SELECT FROM recorder WHERE recorder_id = p_recorder_id AND revoked_ns IS NULL) THEN RETURN; END IF;
    FOR wanted IN SELECT c.camera_id FROM camera c WHERE c.camera_id = ANY (p_camera_ids) ORDER BY 1 LOOP
        PERFORM pg_advisory_xact_lock(hashtextextended('camera ' || wanted, 0));
        SELECT l.lease, l.recorder_id INTO newest FROM camera_lease l WHERE l.camera_id = wanted ORDER BY 1 DESC LIMIT 1;
        IF newest.recorder_id IS DISTINCT FROM p_recorder_id THEN
            newest.lease := coalesce(newest.lease, 0) + 1;
            INSERT INTO camera_lease VALUES (wanted, newest.lease, p_recorder_id, now_ns());
        END IF;
        camera_id := wanted;
        lease := newest.lease;
        RETURN NEXT;
    END LOOP;
END $$;

CREATE TABLE tallenne.access_event (
    event_id uuid NOT NULL,
    dedup_key bytea NOT NULL,
    site_id uuid NOT NULL,
    door_id uuid NOT NULL,
    kind text NOT NULL,
    direction text,
    member_id uuid,
    occurred_ns bigint NOT NULL,
    received_ns bigint NOT NULL,
    uncertain boolean DEFAULT false NOT NULL,
    superseded_by uuid,
    superseded_ns bigint,
    reported_ns bigint,
    CONSTRAINT access_event_dedup_key_check CHECK ((length(dedup_key) = 32)),
    CONSTRAINT access_event_direction_check CHECK ((direction = ANY (ARRAY['in'::text, 'out'::text]))),
    CONSTRAINT access_event_kind_check CHECK ((kind = ANY (ARRAY['granted'::text, 'denied'::text, 'entered'::text, 'not_entered'::text, 'forced_open'::text, 'held_open'::text, 'exit'::text])))
);

CREATE TABLE tallenne.audit_writer (
    writer text NOT NULL,
    names_staff boolean NOT NULL,
    actions text[] NOT NULL
);

CREATE TABLE tallenne.bookmark (
    bookmark_id uuid NOT NULL,
    camera_id uuid NOT NULL,
    at_ns bigint NOT NULL,
    note text DEFAULT ''::text NOT NULL,
    staff_id uuid NOT NULL,
    added_ns bigint NOT NULL,
    case_id uuid,
    CONSTRAINT bookmark_note_check CHECK ((length(note) <= 1000))
);

CREATE TABLE tallenne.camera (
    camera_id uuid NOT NULL,
    site_id uuid NOT NULL,
    name text NOT NULL,
    retention_s bigint NOT NULL,
    removed_ns bigint,
    CONSTRAINT camera_retention_s_check CHECK ((retention_s > 0))
);

CREATE TABLE tallenne.camera_health (
    camera_id uuid NOT NULL,
    updated_ns bigint NOT NULL,
    health jsonb NOT NULL
);

CREATE TABLE tallenne.camera_lease (
    camera_id uuid NOT NULL,
    lease bigint NOT NULL,
    recorder_id uuid NOT NULL,
    granted_ns bigint NOT NULL,
    CONSTRAINT camera_lease_lease_check CHECK ((lease > 0))
);

CREATE TABLE tallenne.case_entry (
    entry_id bigint NOT NULL,
    case_id uuid NOT NULL,
    kind text NOT NULL,
    staff_id uuid NOT NULL,
    added_ns bigint NOT NULL,
    note text DEFAULT ''::text NOT NULL,
    camera_id uuid,
    start_ns bigint,
    end_ns bigint,
    export_id uuid,
    CONSTRAINT case_entry_kind_check CHECK ((kind = ANY (ARRAY['note'::text, 'clip'::text, 'export'::text]))),
    CONSTRAINT case_entry_note_check CHECK ((length(note) <= 4000))
);

ALTER TABLE tallenne.case_entry ALTER COLUMN entry_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME tallenne.case_entry_entry_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE tallenne.case_file (
    case_id uuid NOT NULL,
    number text NOT NULL,
    title text NOT NULL,
    reason text NOT NULL,
    opened_by uuid NOT NULL,
    opened_ns bigint NOT NULL,
    review_ns bigint NOT NULL,
    state text DEFAULT 'open'::text NOT NULL,
    closing_by uuid,
    closing_ns bigint,
    closed_by uuid,
    closed_ns bigint,
    CONSTRAINT case_file_check CHECK (((state = 'open'::text) OR (closing_by IS NOT NULL))),
    CONSTRAINT case_file_check1 CHECK (((state <> 'closed'::text) OR ((closed_by IS NOT NULL) AND (closed_by <> closing_by)))),
    CONSTRAINT case_file_number_check CHECK (((length(number) >= 1) AND (length(number) <= 40))),
    CONSTRAINT case_file_reason_check CHECK (((length(reason) >= 1) AND (length(reason) <= 2000))),
    CONSTRAINT case_file_state_check CHECK ((state = ANY (ARRAY['open'::text, 'closing'::text, 'closed'::text]))),
    CONSTRAINT case_file_title_check CHECK (((length(title) >= 1) AND (length(title) <= 200)))
);

CREATE TABLE tallenne.certificate (
    number bigint NOT NULL,
    kind text NOT NULL,
    body bytea NOT NULL,
    signature bytea NOT NULL,
    issued_ns bigint NOT NULL,
    CONSTRAINT certificate_kind_check CHECK ((kind = ANY (ARRAY['expiry'::text, 'erasure'::text]))),
    CONSTRAINT certificate_number_check CHECK ((number > 0)),
    CONSTRAINT certificate_signature_check CHECK ((length(signature) = 64))
);

CREATE TABLE tallenne.controller_skew (
    door_id uuid NOT NULL,
    skew_ns bigint NOT NULL,
    updated_ns bigint NOT NULL
);

CREATE TABLE tallenne.credential (
    credential text NOT NULL,
    member_id uuid NOT NULL,
    valid_from_ns bigint NOT NULL,
    valid_to_ns bigint DEFAULT '9223372036854775807'::bigint NOT NULL,
    CONSTRAINT credential_check CHECK ((valid_from_ns < valid_to_ns))
);

CREATE TABLE tallenne.door (
    door_id uuid NOT NULL,
    site_id uuid NOT NULL,
    name text NOT NULL,
    external_id text NOT NULL,
    removed_ns bigint
);

CREATE TABLE tallenne.door_camera (
    door_id uuid NOT NULL,
    camera_id uuid NOT NULL,
    before_ns bigint NOT NULL,
    after_ns bigint NOT NULL,
    valid_from_ns bigint NOT NULL,
    valid_to_ns bigint DEFAULT '9223372036854775807'::bigint NOT NULL,
    CONSTRAINT door_camera_after_ns_check CHECK ((after_ns >= 0)),
    CONSTRAINT door_camera_before_ns_check CHECK ((before_ns >= 0)),
    CONSTRAINT door_camera_check CHECK ((valid_from_ns < valid_to_ns))
);

CREATE TABLE tallenne.door_sequence (
    door_id uuid NOT NULL,
    instance text NOT NULL,
    first_seq bigint NOT NULL,
    first_ns bigint NOT NULL,
    last_seq bigint NOT NULL,
    missing jsonb NOT NULL
);

CREATE TABLE tallenne.erased_segment (
    segment_id uuid NOT NULL,
    erasure_id uuid NOT NULL,
    camera_id uuid NOT NULL,
    hour_key_id uuid NOT NULL,
    start_ns bigint NOT NULL,
    end_ns bigint NOT NULL,
    size_bytes bigint NOT NULL,
    erased_ns bigint NOT NULL
);

CREATE TABLE tallenne.erasure (
    erasure_id uuid NOT NULL,
    state text DEFAULT 'asked'::text NOT NULL,
    reason text NOT NULL,
    member_id uuid,
    camera_ids uuid[] NOT NULL,
    start_ns bigint[] NOT NULL,
    end_ns bigint[] NOT NULL,
    asked_by uuid NOT NULL,
    asked_ns bigint NOT NULL,
    decided_by uuid,
    decided_ns bigint,
    done_ns bigint,
    CONSTRAINT erasure_camera_ids_check CHECK (((cardinality(camera_ids) >= 1) AND (cardinality(camera_ids) <= 10000))),
    CONSTRAINT erasure_check CHECK ((cardinality(start_ns) = cardinality(camera_ids))),
    CONSTRAINT erasure_check1 CHECK ((cardinality(end_ns) = cardinality(camera_ids))),
    CONSTRAINT erasure_check2 CHECK (((state = 'done'::text) = (done_ns IS NOT NULL))),
    CONSTRAINT erasure_reason_check CHECK (((length(reason) >= 1) AND (length(reason) <= 2000))),
    CONSTRAINT erasure_state_check CHECK ((state = ANY (ARRAY['asked'::text, 'approved'::text, 'refused'::text, 'cancelled'::text, 'done'::text]))),
    CONSTRAINT erasure_two_persons CHECK (((state = ANY (ARRAY['asked'::text, 'cancelled'::text])) OR ((decided_by IS NOT NULL) AND (decided_by <> asked_by))))
);

CREATE TABLE tallenne.erasure_span (
    erasure_id uuid NOT NULL,
    camera_id uuid NOT NULL,
    start_ns bigint NOT NULL,
    end_ns bigint NOT NULL,
    CONSTRAINT erasure_span_check CHECK (((end_ns > start_ns) AND ((end_ns - start_ns) <= '86400000000000'::bigint)))
);

CREATE TABLE tallenne.expired_key (
    hour_key_id uuid NOT NULL,
    site_id uuid NOT NULL,
    camera_id uuid NOT NULL,
    hour_ns bigint NOT NULL,
    expires_hour_ns bigint NOT NULL,
    segments integer NOT NULL,
    size_bytes bigint NOT NULL,
    first_ns bigint,
    last_ns bigint,
    expired_ns bigint NOT NULL,
    certificate bigint,
    removed_ns bigint,
    erased boolean DEFAULT false NOT NULL
);

CREATE TABLE tallenne.export_step (
    step_id bigint NOT NULL,
    export_id uuid NOT NULL,
    step text NOT NULL,
    staff_id uuid,
    reason text,
    at_ns bigint NOT NULL,
    CONSTRAINT export_step_step_check CHECK ((step = ANY (ARRAY['asked'::text, 'approved'::text, 'refused'::text, 'cancelled'::text, 'lapsed'::text, 'reopened'::text, 'ready'::text, 'failed'::text])))
);

ALTER TABLE tallenne.export_step ALTER COLUMN step_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME tallenne.export_step_step_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE tallenne.footage_epoch (
    camera_id uuid NOT NULL,
    recorder_id uuid NOT NULL,
    epoch bigint NOT NULL,
    start_ns bigint NOT NULL
);

CREATE TABLE tallenne.footage_export (
    export_id uuid NOT NULL,
    staff_id uuid NOT NULL,
    purpose_id uuid NOT NULL,
    camera_ids uuid[] NOT NULL,
    start_ns bigint NOT NULL,
    end_ns bigint NOT NULL,
    format text NOT NULL,
    state text NOT NULL,
    minor boolean NOT NULL,
    attempt integer DEFAULT 0 NOT NULL,
    approved_by uuid,
    approved_ns bigint,
    problem text,
    manifest bytea,
    signature bytea,
    created_ns bigint NOT NULL,
    finished_ns bigint,
    footage_ns bigint DEFAULT 0 NOT NULL,
    ended_by uuid,
    ended_ns bigint,
    refusal text,
    masked boolean DEFAULT false NOT NULL,
    CONSTRAINT footage_export_camera_ids_check CHECK ((cardinality(camera_ids) > 0)),
    CONSTRAINT footage_export_check CHECK ((end_ns > start_ns)),
    CONSTRAINT footage_export_check1 CHECK ((approved_by <> staff_id)),
    CONSTRAINT footage_export_check2 CHECK ((created_ns >= end_ns)),
    CONSTRAINT footage_export_check3 CHECK (((state = 'ready'::text) = ((manifest IS NOT NULL) AND (signature IS NOT NULL)))),
    CONSTRAINT footage_export_ended CHECK ((((ended_ns IS NOT NULL) = (state = ANY (ARRAY['refused'::text, 'cancelled'::text, 'lapsed'::text]))) AND (
CASE state
    WHEN 'refused'::text THEN (ended_by <> staff_id)
    WHEN 'cancelled'::text THEN (ended_by = staff_id)
    ELSE (ended_by IS NULL)
END IS TRUE) AND (
CASE
    WHEN (state = 'refused'::text) THEN ((length(refusal) >= 1) AND (length(refusal) <= 500))
    ELSE (refusal IS NULL)
END IS TRUE))),
    CONSTRAINT footage_export_format_check CHECK ((format = ANY (ARRAY['zip'::text, 'mp4'::text]))),
    CONSTRAINT footage_export_signature_check CHECK ((length(signature) = 64)),
    CONSTRAINT footage_export_state_check CHECK ((state = ANY (ARRAY['approval'::text, 'approved'::text, 'working'::text, 'ready'::text, 'failed'::text, 'refused'::text, 'cancelled'::text, 'lapsed'::text]))),
    CONSTRAINT footage_export_two_persons CHECK (((approved_by IS NULL) = (state = ANY (ARRAY['approval'::text, 'refused'::text, 'cancelled'::text, 'lapsed'::text]))))
);

CREATE TABLE tallenne.gap (
    camera_id uuid NOT NULL,
    start_ns bigint NOT NULL,
    end_ns bigint NOT NULL,
    cause text NOT NULL,
    detail text DEFAULT ''::text NOT NULL,
    CONSTRAINT gap_check CHECK (((end_ns > start_ns) AND ((end_ns - start_ns) <= '86400000000000'::bigint)))
);

CREATE TABLE tallenne.hold (
    hold_id uuid NOT NULL,
    case_id uuid NOT NULL,
    kind text NOT NULL,
    camera_id uuid NOT NULL,
    start_ns bigint NOT NULL,
    end_ns bigint NOT NULL,
    public_key bytea NOT NULL,
    sealed_private bytea NOT NULL,
    placed_by uuid NOT NULL,
    placed_ns bigint NOT NULL,
    ended_ns bigint,
    destroyed_ns bigint,
    CONSTRAINT hold_check CHECK (((end_ns > start_ns) AND ((end_ns - start_ns) <= '86400000000000'::bigint))),
    CONSTRAINT hold_kind_check CHECK ((kind = ANY (ARRAY['hold'::text, 'restriction'::text]))),
    CONSTRAINT hold_public_key_check CHECK ((length(public_key) = 32))
);

CREATE TABLE tallenne.hold_backlog (
    hold_id uuid NOT NULL,
    segment_id uuid NOT NULL,
    hour_key_id uuid NOT NULL
);

CREATE TABLE tallenne.hour_key (
    hour_key_id uuid NOT NULL,
    serial bigint NOT NULL,
    site_id uuid NOT NULL,
    camera_id uuid NOT NULL,
    hour_ns bigint NOT NULL,
    expires_hour_ns bigint NOT NULL,
    public_key bytea NOT NULL,
    sealed_private bytea NOT NULL,
    state text DEFAULT 'active'::text NOT NULL,
    signature bytea NOT NULL,
    created_ns bigint NOT NULL,
    moved_ns bigint DEFAULT 0 NOT NULL,
    CONSTRAINT hour_key_public_key_check CHECK ((length(public_key) = 32)),
    CONSTRAINT hour_key_signature_check CHECK ((length(signature) = 64)),
    CONSTRAINT hour_key_state_check CHECK ((state = ANY (ARRAY['active'::text, 'draining'::text, 'dead'::text])))
);

CREATE VIEW tallenne.hour_key_kept AS
 SELECT hour_key_id,
    camera_id,
    hour_ns,
    expires_hour_ns
   FROM tallenne.hour_key;

CREATE VIEW tallenne.hour_key_public AS
 SELECT hour_key_id,
    serial,
    site_id,
    camera_id,
    hour_ns,
    public_key,
    state,
    signature
   FROM tallenne.hour_key;

CREATE SEQUENCE tallenne.hour_key_serial
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

CREATE TABLE tallenne.index_secret (
    secret bytea NOT NULL,
    CONSTRAINT index_secret_secret_check CHECK ((length(secret) = 32))
);

CREATE TABLE tallenne.journal_outbox (
    entry_id bigint NOT NULL,
    kind text NOT NULL,
    at_ns bigint NOT NULL,
    entry jsonb NOT NULL
);

ALTER TABLE tallenne.journal_outbox ALTER COLUMN entry_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME tallenne.journal_outbox_entry_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE tallenne.member (
    member_id uuid NOT NULL,
    created_ns bigint NOT NULL,
    minor boolean DEFAULT false NOT NULL
);

CREATE TABLE tallenne.member_code (
    request_hash bytea NOT NULL,
    code_hash bytea NOT NULL,
    member_id uuid NOT NULL
);

CREATE TABLE tallenne.member_code_request (
    request_hash bytea NOT NULL,
    email_hash bytea NOT NULL,
    kind text NOT NULL,
    asked_ns bigint NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    used_ns bigint,
    CONSTRAINT member_code_request_kind_check CHECK ((kind = ANY (ARRAY['sign_in'::text, 'new_email'::text])))
);

CREATE TABLE tallenne.member_consent (
    consent_id uuid NOT NULL,
    member_id uuid NOT NULL,
    purpose text NOT NULL,
    how text NOT NULL,
    given_ns bigint NOT NULL,
    staff_id uuid,
    withdrawn_ns bigint,
    withdrawn_how text,
    withdrawn_staff_id uuid,
    CONSTRAINT member_consent_check CHECK ((withdrawn_ns >= given_ns)),
    CONSTRAINT member_consent_check1 CHECK (((withdrawn_ns IS NULL) = (withdrawn_how IS NULL))),
    CONSTRAINT member_consent_how_check CHECK ((how = ANY (ARRAY['member'::text, 'desk'::text, 'paper'::text, 'outside'::text]))),
    CONSTRAINT member_consent_withdrawn_how_check CHECK ((withdrawn_how = ANY (ARRAY['member'::text, 'desk'::text, 'paper'::text, 'outside'::text])))
);

CREATE TABLE tallenne.member_field (
    member_id uuid NOT NULL,
    field text NOT NULL,
    value text NOT NULL,
    source text NOT NULL,
    staff_id uuid,
    from_ns bigint NOT NULL,
    to_ns bigint DEFAULT '9223372036854775807'::bigint NOT NULL,
    CONSTRAINT member_field_check CHECK ((to_ns >= from_ns)),
    CONSTRAINT member_field_check1 CHECK (((source = 'staff'::text) OR (staff_id IS NULL))),
    CONSTRAINT member_field_field_check CHECK ((field = ANY (ARRAY['name'::text, 'birth_date'::text, 'email'::text, 'phone'::text, 'address'::text, 'other'::text, 'membership'::text, 'member_from'::text, 'member_to'::text, 'offers_email'::text, 'offers_sms'::text, 'offers_post'::text]))),
    CONSTRAINT member_field_source_check CHECK ((source = ANY (ARRAY['member'::text, 'staff'::text, 'import'::text, 'outside'::text])))
);

CREATE TABLE tallenne.member_identity (
    member_id uuid NOT NULL,
    number text NOT NULL,
    name text NOT NULL,
    search text NOT NULL
);

CREATE TABLE tallenne.member_request (
    request_id uuid NOT NULL,
    member_id uuid NOT NULL,
    kind text NOT NULL,
    channel text NOT NULL,
    state text DEFAULT 'received'::text NOT NULL,
    details text DEFAULT ''::text NOT NULL,
    received_ns bigint NOT NULL,
    due_ns bigint NOT NULL,
    extended_ns bigint,
    extension text,
    identity_ns bigint,
    identity text,
    identity_staff_id uuid,
    ended_ns bigint,
    ended_by uuid,
    answer text,
    erased_ns bigint,
    CONSTRAINT member_request_channel_check CHECK ((channel = ANY (ARRAY['page'::text, 'letter'::text, 'email'::text, 'desk'::text]))),
    CONSTRAINT member_request_check CHECK ((due_ns > received_ns)),
    CONSTRAINT member_request_check1 CHECK (((extension IS NULL) = (extended_ns IS NULL))),
    CONSTRAINT member_request_check2 CHECK (((identity IS NULL) = (identity_ns IS NULL))),
    CONSTRAINT member_request_check3 CHECK (((state = ANY (ARRAY['received'::text, 'checked'::text])) = (ended_ns IS NULL))),
    CONSTRAINT member_request_check4 CHECK (((identity_ns IS NOT NULL) OR ((state <> ALL (ARRAY['checked'::text, 'answered'::text])) AND (erased_ns IS NULL)))),
    CONSTRAINT member_request_kind_check CHECK ((kind = ANY (ARRAY['access'::text, 'portability'::text, 'rectification'::text, 'erasure'::text, 'restriction'::text, 'objection'::text]))),
    CONSTRAINT member_request_state_check CHECK ((state = ANY (ARRAY['received'::text, 'checked'::text, 'answered'::text, 'refused'::text, 'withdrawn'::text])))
);

CREATE TABLE tallenne.member_session (
    session_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    member_id uuid NOT NULL,
    email_hash bytea NOT NULL,
    created_ns bigint NOT NULL,
    seen_ns bigint NOT NULL,
    ended_ns bigint
);

CREATE TABLE tallenne.object_quarantine (
    object_name text NOT NULL,
    found_ns bigint NOT NULL,
    reason text NOT NULL
);

CREATE TABLE tallenne.outbox (
    outbox_id bigint NOT NULL,
    kind text NOT NULL,
    ref uuid NOT NULL,
    CONSTRAINT outbox_kind_check CHECK ((kind = ANY (ARRAY['segment'::text, 'event'::text])))
)
WITH (autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='20000', autovacuum_vacuum_cost_delay='0');

ALTER TABLE tallenne.outbox ALTER COLUMN outbox_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME tallenne.outbox_outbox_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE tallenne.purpose (
    purpose_id uuid NOT NULL,
    session_id uuid NOT NULL,
    category text NOT NULL,
    reason text NOT NULL,
    stated_ns bigint NOT NULL,
    export_id uuid
);

CREATE TABLE tallenne.quarantine (
    quarantine_id uuid NOT NULL,
    received_ns bigint NOT NULL,
    topic text NOT NULL,
    reason text NOT NULL,
    sealed_payload bytea NOT NULL,
    digest bytea NOT NULL,
    seen_count integer DEFAULT 1 NOT NULL,
    replayed_ns bigint
);

CREATE TABLE tallenne.recipient (
    recipient_id uuid NOT NULL,
    member_id uuid NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    what text NOT NULL,
    why text NOT NULL,
    basis text NOT NULL,
    consent_id uuid,
    reference text DEFAULT ''::text NOT NULL,
    receipt text DEFAULT ''::text NOT NULL,
    staff_id uuid NOT NULL,
    handed_ns bigint NOT NULL,
    CONSTRAINT recipient_basis_check CHECK ((basis = ANY (ARRAY['consent'::text, 'contract'::text, 'legal_obligation'::text, 'vital_interests'::text, 'legitimate_interests'::text, 'request'::text]))),
    CONSTRAINT recipient_check CHECK (((basis = 'consent'::text) = (consent_id IS NOT NULL))),
    CONSTRAINT recipient_check1 CHECK (((kind <> ALL (ARRAY['police'::text, 'authority'::text])) OR (reference <> ''::text))),
    CONSTRAINT recipient_kind_check CHECK ((kind = ANY (ARRAY['police'::text, 'authority'::text, 'insurer'::text, 'payment'::text, 'member'::text, 'other'::text]))),
    CONSTRAINT recipient_name_check CHECK ((name <> ''::text)),
    CONSTRAINT recipient_receipt_check CHECK (((receipt = ''::text) OR (receipt ~ '^[0-9a-f]{64}$'::text))),
    CONSTRAINT recipient_what_check CHECK ((what <> ''::text)),
    CONSTRAINT recipient_why_check CHECK ((why <> ''::text))
);

CREATE TABLE tallenne.recorder (
    recorder_id uuid NOT NULL,
    name text NOT NULL,
    public_key bytea NOT NULL,
    enrolled_ns bigint NOT NULL,
    revoked_ns bigint,
    CONSTRAINT recorder_public_key_check CHECK ((length(public_key) = 32))
);

CREATE TABLE tallenne.recovery_code (
    staff_id uuid NOT NULL,
    code_hash bytea NOT NULL,
    used_ns bigint
);

CREATE TABLE tallenne.register_right (
    role text NOT NULL,
    field text NOT NULL,
    level text NOT NULL,
    CONSTRAINT register_right_level_check CHECK ((level = ANY (ARRAY['see'::text, 'change'::text]))),
    CONSTRAINT register_right_role_check CHECK ((role = ANY (ARRAY['viewer'::text, 'exporter'::text, 'admin'::text])))
);

CREATE TABLE tallenne.retention_pause (
    reason text NOT NULL,
    since_ns bigint NOT NULL
);

CREATE TABLE tallenne.schema_migration (
    version integer NOT NULL,
    name text NOT NULL,
    checksum bytea NOT NULL,
    applied_ns bigint NOT NULL
);

CREATE TABLE tallenne.segment (
    segment_id uuid NOT NULL,
    site_id uuid NOT NULL,
    camera_id uuid NOT NULL,
    recorder_id uuid NOT NULL,
    hour_key_id uuid NOT NULL,
    start_ns bigint NOT NULL,
    end_ns bigint NOT NULL,
    size_bytes bigint NOT NULL,
    sha256 bytea NOT NULL,
    header bytea NOT NULL,
    codec text NOT NULL,
    mime text NOT NULL,
    width integer NOT NULL,
    height integer NOT NULL,
    init_size integer NOT NULL,
    frames integer NOT NULL,
    recovered boolean NOT NULL,
    epoch bigint DEFAULT 1 NOT NULL,
    state text DEFAULT 'live'::text NOT NULL,
    fragment_start_ms integer[],
    fragment_offset integer[],
    fragment_size integer[],
    fragment_key boolean[],
    committed_ns bigint NOT NULL,
    init_sha256 bytea,
    trailer bytea,
    CONSTRAINT segment_check CHECK (((end_ns > start_ns) AND ((end_ns - start_ns) <= '120000000000'::bigint))),
    CONSTRAINT segment_check1 CHECK (((codec = ANY (ARRAY['h264'::text, 'h265'::text])) AND (length(mime) <= 100) AND (init_size >= 0) AND (frames >= 0))),
    CONSTRAINT segment_fragments CHECK (((num_nulls(fragment_start_ms, fragment_offset, fragment_size, fragment_key) = ANY (ARRAY[0, 4])) AND (cardinality(fragment_start_ms) = cardinality(fragment_offset)) AND (cardinality(fragment_start_ms) = cardinality(fragment_size)) AND (cardinality(fragment_start_ms) = cardinality(fragment_key)) AND (COALESCE(GREATEST(array_ndims(fragment_start_ms), array_ndims(fragment_offset), array_ndims(fragment_size), array_ndims(fragment_key)), 1) = 1) AND (array_position(fragment_start_ms, NULL::integer) IS NULL) AND (array_position(fragment_offset, NULL::integer) IS NULL) AND (array_position(fragment_size, NULL::integer) IS NULL) AND (array_position(fragment_key, NULL::boolean) IS NULL))),
    CONSTRAINT segment_header_check CHECK ((length(header) = 210)),
    CONSTRAINT segment_init_sha256_check CHECK ((length(init_sha256) = 32)),
    CONSTRAINT segment_sha256_check CHECK ((length(sha256) = 32)),
    CONSTRAINT segment_size_bytes_check CHECK ((size_bytes >= 378)),
    CONSTRAINT segment_state_check CHECK ((state = ANY (ARRAY['live'::text, 'shadow'::text, 'expiring'::text, 'gone'::text, 'contested'::text, 'refused'::text]))),
    CONSTRAINT segment_trailer_check CHECK ((length(trailer) = 168))
)
PARTITION BY RANGE (start_ns);

CREATE TABLE tallenne.segment_claim (
    claim_id bigint NOT NULL,
    segment_id uuid NOT NULL,
    start_ns bigint NOT NULL
);

ALTER TABLE tallenne.segment_claim ALTER COLUMN claim_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME tallenne.segment_claim_claim_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE tallenne.segment_identity (
    segment_id uuid NOT NULL,
    start_ns bigint NOT NULL
);

CREATE TABLE tallenne.sign_in_throttle (
    throttle_key bytea NOT NULL,
    failures integer NOT NULL,
    last_ns bigint NOT NULL,
    blocked_until_ns bigint NOT NULL
);

CREATE TABLE tallenne.site (
    site_id uuid NOT NULL,
    name text NOT NULL,
    time_zone text NOT NULL
);

CREATE TABLE tallenne.staff (
    staff_id uuid NOT NULL,
    user_name text NOT NULL,
    display_name text NOT NULL,
    password_hash text NOT NULL,
    totp_secret bytea,
    totp_last_step bigint DEFAULT 0 NOT NULL,
    language text DEFAULT ''::text NOT NULL,
    disabled_ns bigint,
    created_ns bigint NOT NULL
);

CREATE TABLE tallenne.staff_grant (
    grant_id uuid NOT NULL,
    staff_id uuid NOT NULL,
    role text NOT NULL,
    site_id uuid,
    camera_id uuid,
    CONSTRAINT staff_grant_role_check CHECK ((role = ANY (ARRAY['viewer'::text, 'exporter'::text, 'admin'::text, 'auditor'::text])))
);

CREATE TABLE tallenne.staff_handover (
    staff_id uuid NOT NULL,
    by_staff_id uuid NOT NULL,
    kind text NOT NULL,
    at_ns bigint NOT NULL,
    CONSTRAINT staff_handover_check CHECK ((by_staff_id <> staff_id)),
    CONSTRAINT staff_handover_kind_check CHECK ((kind = ANY (ARRAY['account'::text, 'password'::text, 'factor'::text])))
);

CREATE TABLE tallenne.staff_session (
    session_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    staff_id uuid NOT NULL,
    created_ns bigint NOT NULL,
    seen_ns bigint NOT NULL,
    stepped_up_ns bigint DEFAULT 0 NOT NULL,
    second_factor boolean DEFAULT false NOT NULL,
    ended_ns bigint
);

CREATE TABLE tallenne.staff_wall (
    staff_id uuid NOT NULL,
    site_id uuid NOT NULL,
    camera_ids uuid[] NOT NULL,
    CONSTRAINT staff_wall_camera_ids_check CHECK (((cardinality(camera_ids) >= 1) AND (cardinality(camera_ids) <= 16)))
);

CREATE TABLE tallenne.tag (
    event_id uuid NOT NULL,
    segment_id uuid NOT NULL,
    segment_start_ns bigint NOT NULL,
    camera_id uuid NOT NULL,
    start_ns bigint NOT NULL,
    end_ns bigint NOT NULL,
    uncertain boolean DEFAULT false NOT NULL,
    superseded_ns bigint
);

CREATE TABLE tallenne.wrap_record (
    wrap_id bigint NOT NULL,
    segment_id uuid NOT NULL,
    hour_key_id uuid,
    hold_id uuid,
    wrap bytea NOT NULL,
    created_ns bigint NOT NULL,
    CONSTRAINT wrap_record_check CHECK (((hour_key_id IS NULL) <> (hold_id IS NULL))),
    CONSTRAINT wrap_record_wrap_check CHECK ((length(wrap) = 80))
);

ALTER TABLE tallenne.wrap_record ALTER COLUMN wrap_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME tallenne.wrap_record_wrap_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE ONLY tallenne.access_event
    ADD CONSTRAINT access_event_dedup_key_key UNIQUE (dedup_key);

ALTER TABLE ONLY tallenne.access_event
    ADD CONSTRAINT access_event_pkey PRIMARY KEY (event_id);

ALTER TABLE ONLY tallenne.audit_entry
    ADD CONSTRAINT audit_entry_pkey PRIMARY KEY (seq);

ALTER TABLE ONLY tallenne.audit_writer
    ADD CONSTRAINT audit_writer_pkey PRIMARY KEY (writer);

ALTER TABLE ONLY tallenne.bookmark
    ADD CONSTRAINT bookmark_pkey PRIMARY KEY (bookmark_id);

ALTER TABLE ONLY tallenne.camera_health
    ADD CONSTRAINT camera_health_pkey PRIMARY KEY (camera_id);

ALTER TABLE ONLY tallenne.camera_lease
    ADD CONSTRAINT camera_lease_pkey PRIMARY KEY (camera_id, lease);

ALTER TABLE ONLY tallenne.camera
    ADD CONSTRAINT camera_pkey PRIMARY KEY (camera_id);

ALTER TABLE ONLY tallenne.case_entry
    ADD CONSTRAINT case_entry_pkey PRIMARY KEY (entry_id);

ALTER TABLE ONLY tallenne.case_file
    ADD CONSTRAINT case_file_number_key UNIQUE (number);

ALTER TABLE ONLY tallenne.case_file
    ADD CONSTRAINT case_file_pkey PRIMARY KEY (case_id);

ALTER TABLE ONLY tallenne.certificate
    ADD CONSTRAINT certificate_pkey PRIMARY KEY (number);

ALTER TABLE ONLY tallenne.controller_skew
    ADD CONSTRAINT controller_skew_pkey PRIMARY KEY (door_id);

ALTER TABLE ONLY tallenne.credential
    ADD CONSTRAINT credential_pkey PRIMARY KEY (credential, valid_from_ns);

ALTER TABLE ONLY tallenne.door_camera
    ADD CONSTRAINT door_camera_pkey PRIMARY KEY (door_id, camera_id, valid_from_ns);

ALTER TABLE ONLY tallenne.door
    ADD CONSTRAINT door_pkey PRIMARY KEY (door_id);

ALTER TABLE ONLY tallenne.door_sequence
    ADD CONSTRAINT door_sequence_pkey PRIMARY KEY (door_id, instance);

ALTER TABLE ONLY tallenne.erased_segment
    ADD CONSTRAINT erased_segment_pkey PRIMARY KEY (segment_id);

ALTER TABLE ONLY tallenne.erasure
    ADD CONSTRAINT erasure_pkey PRIMARY KEY (erasure_id);

ALTER TABLE ONLY tallenne.erasure_span
    ADD CONSTRAINT erasure_span_pkey PRIMARY KEY (camera_id, start_ns, end_ns, erasure_id);

ALTER TABLE ONLY tallenne.expired_key
    ADD CONSTRAINT expired_key_pkey PRIMARY KEY (hour_key_id);

ALTER TABLE ONLY tallenne.export_step
    ADD CONSTRAINT export_step_pkey PRIMARY KEY (step_id);

ALTER TABLE ONLY tallenne.footage_epoch
    ADD CONSTRAINT footage_epoch_pkey PRIMARY KEY (camera_id, recorder_id, epoch);

ALTER TABLE ONLY tallenne.footage_export
    ADD CONSTRAINT footage_export_pkey PRIMARY KEY (export_id);

ALTER TABLE ONLY tallenne.gap
    ADD CONSTRAINT gap_pkey PRIMARY KEY (camera_id, start_ns, end_ns, cause);

ALTER TABLE ONLY tallenne.hold_backlog
    ADD CONSTRAINT hold_backlog_pkey PRIMARY KEY (hold_id, segment_id);

ALTER TABLE ONLY tallenne.hold
    ADD CONSTRAINT hold_pkey PRIMARY KEY (hold_id);

ALTER TABLE ONLY tallenne.hour_key
    ADD CONSTRAINT hour_key_camera_id_hour_ns_serial_key UNIQUE (camera_id, hour_ns, serial);

ALTER TABLE ONLY tallenne.hour_key
    ADD CONSTRAINT hour_key_pkey PRIMARY KEY (hour_key_id);

ALTER TABLE ONLY tallenne.hour_key
    ADD CONSTRAINT hour_key_serial_key UNIQUE (serial);

ALTER TABLE ONLY tallenne.journal_outbox
    ADD CONSTRAINT journal_outbox_pkey PRIMARY KEY (entry_id);

ALTER TABLE ONLY tallenne.member_code
    ADD CONSTRAINT member_code_pkey PRIMARY KEY (request_hash, code_hash);

ALTER TABLE ONLY tallenne.member_code
    ADD CONSTRAINT member_code_request_hash_member_id_key UNIQUE (request_hash, member_id);

ALTER TABLE ONLY tallenne.member_code_request
    ADD CONSTRAINT member_code_request_pkey PRIMARY KEY (request_hash);

ALTER TABLE ONLY tallenne.member_consent
    ADD CONSTRAINT member_consent_pkey PRIMARY KEY (consent_id);

ALTER TABLE ONLY tallenne.member_identity
    ADD CONSTRAINT member_identity_number_key UNIQUE (number);

ALTER TABLE ONLY tallenne.member_identity
    ADD CONSTRAINT member_identity_pkey PRIMARY KEY (member_id);

ALTER TABLE ONLY tallenne.member
    ADD CONSTRAINT member_pkey PRIMARY KEY (member_id);

ALTER TABLE ONLY tallenne.member_request
    ADD CONSTRAINT member_request_pkey PRIMARY KEY (request_id);

ALTER TABLE ONLY tallenne.member_session
    ADD CONSTRAINT member_session_pkey PRIMARY KEY (session_id);

ALTER TABLE ONLY tallenne.member_session
    ADD CONSTRAINT member_session_token_hash_key UNIQUE (token_hash);

ALTER TABLE ONLY tallenne.object_quarantine
    ADD CONSTRAINT object_quarantine_pkey PRIMARY KEY (object_name);

ALTER TABLE ONLY tallenne.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (outbox_id);

ALTER TABLE ONLY tallenne.purpose
    ADD CONSTRAINT purpose_pkey PRIMARY KEY (purpose_id);

ALTER TABLE ONLY tallenne.quarantine
    ADD CONSTRAINT quarantine_digest_key UNIQUE (digest);

ALTER TABLE ONLY tallenne.quarantine
    ADD CONSTRAINT quarantine_pkey PRIMARY KEY (quarantine_id);

ALTER TABLE ONLY tallenne.recipient
    ADD CONSTRAINT recipient_pkey PRIMARY KEY (recipient_id);

ALTER TABLE ONLY tallenne.recorder
    ADD CONSTRAINT recorder_pkey PRIMARY KEY (recorder_id);

ALTER TABLE ONLY tallenne.recovery_code
    ADD CONSTRAINT recovery_code_pkey PRIMARY KEY (staff_id, code_hash);

ALTER TABLE ONLY tallenne.register_right
    ADD CONSTRAINT register_right_pkey PRIMARY KEY (role, field);

ALTER TABLE ONLY tallenne.schema_migration
    ADD CONSTRAINT schema_migration_pkey PRIMARY KEY (version);

ALTER TABLE ONLY tallenne.segment_claim
    ADD CONSTRAINT segment_claim_pkey PRIMARY KEY (claim_id);

ALTER TABLE ONLY tallenne.segment_claim
    ADD CONSTRAINT segment_claim_segment_id_key UNIQUE (segment_id);

ALTER TABLE ONLY tallenne.segment_identity
    ADD CONSTRAINT segment_identity_pkey PRIMARY KEY (segment_id);

ALTER TABLE ONLY tallenne.segment
    ADD CONSTRAINT segment_pkey PRIMARY KEY (start_ns, segment_id);

ALTER TABLE ONLY tallenne.sign_in_throttle
    ADD CONSTRAINT sign_in_throttle_pkey PRIMARY KEY (throttle_key);

ALTER TABLE ONLY tallenne.site
    ADD CONSTRAINT site_name_key UNIQUE (name);

ALTER TABLE ONLY tallenne.site
    ADD CONSTRAINT site_pkey PRIMARY KEY (site_id);

ALTER TABLE ONLY tallenne.staff_grant
    ADD CONSTRAINT staff_grant_pkey PRIMARY KEY (grant_id);

ALTER TABLE ONLY tallenne.staff
    ADD CONSTRAINT staff_pkey PRIMARY KEY (staff_id);

ALTER TABLE ONLY tallenne.staff_session
    ADD CONSTRAINT staff_session_pkey PRIMARY KEY (session_id);

ALTER TABLE ONLY tallenne.staff_session
    ADD CONSTRAINT staff_session_token_hash_key UNIQUE (token_hash);

ALTER TABLE ONLY tallenne.staff
    ADD CONSTRAINT staff_user_name_key UNIQUE (user_name);

ALTER TABLE ONLY tallenne.staff_wall
    ADD CONSTRAINT staff_wall_pkey PRIMARY KEY (staff_id, site_id);

ALTER TABLE ONLY tallenne.tag
    ADD CONSTRAINT tag_pkey PRIMARY KEY (event_id, segment_id);

ALTER TABLE ONLY tallenne.wrap_record
    ADD CONSTRAINT wrap_record_pkey PRIMARY KEY (wrap_id);

CREATE INDEX access_event_door_time ON tallenne.access_event USING btree (door_id, occurred_ns);

CREATE INDEX access_event_member_time ON tallenne.access_event USING btree (member_id, occurred_ns);

CREATE INDEX access_event_site_time ON tallenne.access_event USING btree (site_id, occurred_ns);

CREATE INDEX access_event_uncertain ON tallenne.access_event USING btree (site_id, received_ns) WHERE uncertain;

CREATE INDEX audit_entry_action ON tallenne.audit_entry USING btree (action, seq);

CREATE INDEX audit_entry_actor ON tallenne.audit_entry USING btree (actor, seq);

CREATE INDEX audit_entry_at ON tallenne.audit_entry USING btree (at_ns, seq);

CREATE INDEX audit_entry_camera ON tallenne.audit_entry USING btree (camera_id, seq) WHERE (camera_id IS NOT NULL);

CREATE INDEX audit_entry_cameras ON tallenne.audit_entry USING gin (((detail -> 'cameras'::text))) WITH (fastupdate=off) WHERE (detail ? 'cameras'::text);

CREATE INDEX audit_entry_look ON tallenne.audit_entry USING btree (purpose_id) WHERE (action = 'look'::text);

CREATE INDEX audit_entry_member ON tallenne.audit_entry USING btree (member_id, seq);

CREATE INDEX audit_entry_members ON tallenne.audit_entry USING gin (((detail -> 'members'::text))) WITH (fastupdate=off) WHERE (detail ? 'members'::text);

CREATE INDEX bookmark_camera_time ON tallenne.bookmark USING btree (camera_id, at_ns);

CREATE INDEX bookmark_case ON tallenne.bookmark USING btree (case_id) WHERE (case_id IS NOT NULL);

CREATE UNIQUE INDEX camera_name ON tallenne.camera USING btree (site_id, name) WHERE (removed_ns IS NULL);

CREATE INDEX case_entry_case ON tallenne.case_entry USING btree (case_id, entry_id);

CREATE INDEX credential_member ON tallenne.credential USING btree (member_id);

CREATE UNIQUE INDEX door_external_id ON tallenne.door USING btree (site_id, external_id) WHERE (removed_ns IS NULL);

CREATE UNIQUE INDEX door_name ON tallenne.door USING btree (site_id, name) WHERE (removed_ns IS NULL);

CREATE INDEX erased_segment_erasure ON tallenne.erased_segment USING btree (erasure_id);

CREATE INDEX erased_segment_key ON tallenne.erased_segment USING btree (hour_key_id);

CREATE INDEX erasure_asked ON tallenne.erasure USING btree (asked_ns);

CREATE INDEX erasure_open ON tallenne.erasure USING btree (state) WHERE (state = ANY (ARRAY['asked'::text, 'approved'::text]));

CREATE INDEX expired_key_hour ON tallenne.expired_key USING btree (hour_ns);

CREATE INDEX expired_key_to_remove ON tallenne.expired_key USING btree (expires_hour_ns, camera_id) WHERE (removed_ns IS NULL);

CREATE INDEX expired_key_uncertified ON tallenne.expired_key USING btree (expires_hour_ns) WHERE (certificate IS NULL);

CREATE INDEX export_step_export ON tallenne.export_step USING btree (export_id, step_id);

CREATE INDEX export_step_staff ON tallenne.export_step USING btree (staff_id, step_id);

CREATE INDEX footage_export_created ON tallenne.footage_export USING btree (created_ns);

CREATE INDEX footage_export_waiting ON tallenne.footage_export USING btree (created_ns) WHERE (state = 'approval'::text);

CREATE INDEX hold_backlog_key ON tallenne.hold_backlog USING btree (hour_key_id);

CREATE INDEX hold_case ON tallenne.hold USING btree (case_id);

CREATE INDEX hold_ended ON tallenne.hold USING btree (ended_ns) WHERE ((ended_ns IS NOT NULL) AND (destroyed_ns IS NULL));

CREATE INDEX hold_span ON tallenne.hold USING btree (camera_id, start_ns) WHERE (ended_ns IS NULL);

CREATE INDEX hour_key_expires ON tallenne.hour_key USING btree (expires_hour_ns);

CREATE INDEX hour_key_hour ON tallenne.hour_key USING btree (hour_ns, expires_hour_ns);

CREATE INDEX member_code_request_asked ON tallenne.member_code_request USING btree (asked_ns);

CREATE INDEX member_consent_member ON tallenne.member_consent USING btree (member_id, given_ns);

CREATE INDEX member_field_email ON tallenne.member_field USING btree (lower(value)) WHERE ((field = 'email'::text) AND (to_ns = '9223372036854775807'::bigint));

CREATE INDEX member_field_member ON tallenne.member_field USING btree (member_id, field, from_ns);

CREATE INDEX member_field_past ON tallenne.member_field USING btree (to_ns) WHERE (to_ns < '9223372036854775807'::bigint);

CREATE UNIQUE INDEX member_field_present ON tallenne.member_field USING btree (member_id, field) WHERE (to_ns = '9223372036854775807'::bigint);

CREATE INDEX member_request_ended ON tallenne.member_request USING btree (ended_ns) WHERE (ended_ns IS NOT NULL);

CREATE INDEX member_request_member ON tallenne.member_request USING btree (member_id, received_ns);

CREATE INDEX member_request_open ON tallenne.member_request USING btree (due_ns) WHERE (state = ANY (ARRAY['received'::text, 'checked'::text]));

CREATE INDEX member_session_member ON tallenne.member_session USING btree (member_id) WHERE (ended_ns IS NULL);

CREATE INDEX purpose_export ON tallenne.purpose USING btree (export_id) WHERE (export_id IS NOT NULL);

CREATE INDEX purpose_session ON tallenne.purpose USING btree (session_id, stated_ns);

CREATE INDEX quarantine_received ON tallenne.quarantine USING btree (received_ns, quarantine_id);

CREATE INDEX recipient_handed ON tallenne.recipient USING btree (handed_ns);

CREATE INDEX recipient_member ON tallenne.recipient USING btree (member_id, handed_ns);

CREATE INDEX segment_camera_other ON ONLY tallenne.segment USING btree (camera_id, start_ns) WHERE (state <> 'live'::text);

CREATE INDEX segment_camera_time ON ONLY tallenne.segment USING btree (camera_id, start_ns, end_ns) INCLUDE (segment_id) WHERE (state = ANY (ARRAY['live'::text, 'contested'::text]));

CREATE INDEX staff_grant_staff ON tallenne.staff_grant USING btree (staff_id);

CREATE UNIQUE INDEX staff_handover_account ON tallenne.staff_handover USING btree (staff_id) WHERE (kind = 'account'::text);

CREATE INDEX staff_handover_at ON tallenne.staff_handover USING btree (at_ns);

CREATE INDEX staff_session_staff ON tallenne.staff_session USING btree (staff_id) WHERE (ended_ns IS NULL);

CREATE INDEX tag_segment ON tallenne.tag USING btree (segment_id);

CREATE INDEX wrap_record_hold ON tallenne.wrap_record USING btree (hold_id) WHERE (hold_id IS NOT NULL);

CREATE INDEX wrap_record_hour_key ON tallenne.wrap_record USING btree (hour_key_id);

CREATE INDEX wrap_record_segment ON tallenne.wrap_record USING btree (segment_id, wrap_id DESC);

CREATE TRIGGER birth_date_given AFTER INSERT ON tallenne.member_field FOR EACH ROW WHEN ((new.field = 'birth_date'::text)) EXECUTE FUNCTION tallenne.birth_date_given();

CREATE TRIGGER bookmark_ends AFTER UPDATE ON tallenne.segment REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tallenne.end_bookmarks();

CREATE TRIGGER footage_export_step AFTER INSERT OR UPDATE OF state ON tallenne.footage_export FOR EACH ROW EXECUTE FUNCTION tallenne.footage_export_step();

CREATE TRIGGER journal_changed AFTER UPDATE ON tallenne.case_file REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION tallenne.journal_rows('opened_ns', 'title,reason');

CREATE TRIGGER journal_changed AFTER UPDATE ON tallenne.erasure REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION tallenne.journal_rows('asked_ns', 'reason,member_id');

CREATE TRIGGER journal_changed AFTER UPDATE ON tallenne.expired_key REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION tallenne.journal_rows('expires_hour_ns');

CREATE TRIGGER journal_changed AFTER UPDATE ON tallenne.hold REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION tallenne.journal_rows('placed_ns');

CREATE TRIGGER journal_changed AFTER UPDATE ON tallenne.hour_key REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION tallenne.journal_rows('expires_hour_ns');

CREATE TRIGGER journal_changed AFTER UPDATE ON tallenne.recorder REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION tallenne.journal_rows('enrolled_ns');

CREATE TRIGGER journal_new AFTER INSERT ON tallenne.camera_lease REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION tallenne.journal_rows('granted_ns');

CREATE TRIGGER journal_new AFTER INSERT ON tallenne.case_file REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION tallenne.journal_rows('opened_ns', 'title,reason');

CREATE TRIGGER journal_new AFTER INSERT ON tallenne.certificate REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION tallenne.journal_rows('issued_ns');

CREATE TRIGGER journal_new AFTER INSERT ON tallenne.erased_segment REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION tallenne.journal_rows('start_ns');

CREATE TRIGGER journal_new AFTER INSERT ON tallenne.erasure REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION tallenne.journal_rows('asked_ns', 'reason,member_id');

CREATE TRIGGER journal_new AFTER INSERT ON tallenne.expired_key REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION tallenne.journal_rows('expires_hour_ns');

CREATE TRIGGER journal_new AFTER INSERT ON tallenne.hold REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION tallenne.journal_rows('placed_ns');

CREATE TRIGGER journal_new AFTER INSERT ON tallenne.hour_key REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION tallenne.journal_rows('expires_hour_ns');

CREATE TRIGGER journal_new AFTER INSERT ON tallenne.recorder REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION tallenne.journal_rows('enrolled_ns');

CREATE TRIGGER journal_new AFTER INSERT ON tallenne.wrap_record REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION tallenne.journal_rows('created_ns');

CREATE TRIGGER keep_name AFTER UPDATE OF name ON tallenne.member_identity FOR EACH ROW WHEN ((old.name IS DISTINCT FROM new.name)) EXECUTE FUNCTION tallenne.keep_name();

CREATE TRIGGER minor_by_birth BEFORE UPDATE OF minor ON tallenne.member FOR EACH ROW EXECUTE FUNCTION tallenne.minor_by_birth();

ALTER TABLE ONLY tallenne.access_event
    ADD CONSTRAINT access_event_door_id_fkey FOREIGN KEY (door_id) REFERENCES tallenne.door(door_id);

ALTER TABLE ONLY tallenne.bookmark
    ADD CONSTRAINT bookmark_camera_id_fkey FOREIGN KEY (camera_id) REFERENCES tallenne.camera(camera_id);

ALTER TABLE ONLY tallenne.bookmark
    ADD CONSTRAINT bookmark_case_id_fkey FOREIGN KEY (case_id) REFERENCES tallenne.case_file(case_id);

ALTER TABLE ONLY tallenne.bookmark
    ADD CONSTRAINT bookmark_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES tallenne.staff(staff_id);

ALTER TABLE ONLY tallenne.camera_health
    ADD CONSTRAINT camera_health_camera_id_fkey FOREIGN KEY (camera_id) REFERENCES tallenne.camera(camera_id);

ALTER TABLE ONLY tallenne.camera
    ADD CONSTRAINT camera_site_id_fkey FOREIGN KEY (site_id) REFERENCES tallenne.site(site_id);

ALTER TABLE ONLY tallenne.case_entry
    ADD CONSTRAINT case_entry_camera_id_fkey FOREIGN KEY (camera_id) REFERENCES tallenne.camera(camera_id);

ALTER TABLE ONLY tallenne.case_entry
    ADD CONSTRAINT case_entry_case_id_fkey FOREIGN KEY (case_id) REFERENCES tallenne.case_file(case_id);

ALTER TABLE ONLY tallenne.case_entry
    ADD CONSTRAINT case_entry_export_id_fkey FOREIGN KEY (export_id) REFERENCES tallenne.footage_export(export_id);

ALTER TABLE ONLY tallenne.case_entry
    ADD CONSTRAINT case_entry_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES tallenne.staff(staff_id);

ALTER TABLE ONLY tallenne.controller_skew
    ADD CONSTRAINT controller_skew_door_id_fkey FOREIGN KEY (door_id) REFERENCES tallenne.door(door_id);

ALTER TABLE ONLY tallenne.credential
    ADD CONSTRAINT credential_member_id_fkey FOREIGN KEY (member_id) REFERENCES tallenne.member(member_id);

ALTER TABLE ONLY tallenne.door_camera
    ADD CONSTRAINT door_camera_camera_id_fkey FOREIGN KEY (camera_id) REFERENCES tallenne.camera(camera_id);

ALTER TABLE ONLY tallenne.door_camera
    ADD CONSTRAINT door_camera_door_id_fkey FOREIGN KEY (door_id) REFERENCES tallenne.door(door_id);

ALTER TABLE ONLY tallenne.door_sequence
    ADD CONSTRAINT door_sequence_door_id_fkey FOREIGN KEY (door_id) REFERENCES tallenne.door(door_id);

ALTER TABLE ONLY tallenne.door
    ADD CONSTRAINT door_site_id_fkey FOREIGN KEY (site_id) REFERENCES tallenne.site(site_id);

ALTER TABLE ONLY tallenne.erasure_span
    ADD CONSTRAINT erasure_span_erasure_id_fkey FOREIGN KEY (erasure_id) REFERENCES tallenne.erasure(erasure_id);

ALTER TABLE ONLY tallenne.expired_key
    ADD CONSTRAINT expired_key_certificate_fkey FOREIGN KEY (certificate) REFERENCES tallenne.certificate(number);

ALTER TABLE ONLY tallenne.export_step
    ADD CONSTRAINT export_step_export_id_fkey FOREIGN KEY (export_id) REFERENCES tallenne.footage_export(export_id) ON DELETE CASCADE;

ALTER TABLE ONLY tallenne.export_step
    ADD CONSTRAINT export_step_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES tallenne.staff(staff_id);

ALTER TABLE ONLY tallenne.footage_export
    ADD CONSTRAINT footage_export_approved_by_fkey FOREIGN KEY (approved_by) REFERENCES tallenne.staff(staff_id);

ALTER TABLE ONLY tallenne.footage_export
    ADD CONSTRAINT footage_export_ended_by_fkey FOREIGN KEY (ended_by) REFERENCES tallenne.staff(staff_id);

ALTER TABLE ONLY tallenne.footage_export
    ADD CONSTRAINT footage_export_purpose_id_fkey FOREIGN KEY (purpose_id) REFERENCES tallenne.purpose(purpose_id);

ALTER TABLE ONLY tallenne.footage_export
    ADD CONSTRAINT footage_export_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES tallenne.staff(staff_id);

ALTER TABLE ONLY tallenne.hold_backlog
    ADD CONSTRAINT hold_backlog_hold_id_fkey FOREIGN KEY (hold_id) REFERENCES tallenne.hold(hold_id);

ALTER TABLE ONLY tallenne.hold
    ADD CONSTRAINT hold_case_id_fkey FOREIGN KEY (case_id) REFERENCES tallenne.case_file(case_id);

ALTER TABLE ONLY tallenne.member_code
    ADD CONSTRAINT member_code_member_id_fkey FOREIGN KEY (member_id) REFERENCES tallenne.member(member_id);

ALTER TABLE ONLY tallenne.member_code
    ADD CONSTRAINT member_code_request_hash_fkey FOREIGN KEY (request_hash) REFERENCES tallenne.member_code_request(request_hash) ON DELETE CASCADE;

ALTER TABLE ONLY tallenne.member_consent
    ADD CONSTRAINT member_consent_member_id_fkey FOREIGN KEY (member_id) REFERENCES tallenne.member(member_id);

ALTER TABLE ONLY tallenne.member_consent
    ADD CONSTRAINT member_consent_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES tallenne.staff(staff_id);

ALTER TABLE ONLY tallenne.member_consent
    ADD CONSTRAINT member_consent_withdrawn_staff_id_fkey FOREIGN KEY (withdrawn_staff_id) REFERENCES tallenne.staff(staff_id);

ALTER TABLE ONLY tallenne.member_field
    ADD CONSTRAINT member_field_member_id_fkey FOREIGN KEY (member_id) REFERENCES tallenne.member(member_id);

ALTER TABLE ONLY tallenne.member_field
    ADD CONSTRAINT member_field_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES tallenne.staff(staff_id);

ALTER TABLE ONLY tallenne.member_identity
    ADD CONSTRAINT member_identity_member_id_fkey FOREIGN KEY (member_id) REFERENCES tallenne.member(member_id);

ALTER TABLE ONLY tallenne.member_request
    ADD CONSTRAINT member_request_ended_by_fkey FOREIGN KEY (ended_by) REFERENCES tallenne.staff(staff_id);

ALTER TABLE ONLY tallenne.member_request
    ADD CONSTRAINT member_request_identity_staff_id_fkey FOREIGN KEY (identity_staff_id) REFERENCES tallenne.staff(staff_id);

ALTER TABLE ONLY tallenne.member_request
    ADD CONSTRAINT member_request_member_id_fkey FOREIGN KEY (member_id) REFERENCES tallenne.member(member_id);

ALTER TABLE ONLY tallenne.member_session
    ADD CONSTRAINT member_session_member_id_fkey FOREIGN KEY (member_id) REFERENCES tallenne.member(member_id);

ALTER TABLE ONLY tallenne.purpose
    ADD CONSTRAINT purpose_export_id_fkey FOREIGN KEY (export_id) REFERENCES tallenne.footage_export(export_id) ON DELETE SET NULL;

ALTER TABLE ONLY tallenne.purpose
    ADD CONSTRAINT purpose_session_id_fkey FOREIGN KEY (session_id) REFERENCES tallenne.staff_session(session_id);

ALTER TABLE ONLY tallenne.recipient
    ADD CONSTRAINT recipient_member_id_fkey FOREIGN KEY (member_id) REFERENCES tallenne.member(member_id);

ALTER TABLE ONLY tallenne.recipient
    ADD CONSTRAINT recipient_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES tallenne.staff(staff_id);

ALTER TABLE ONLY tallenne.recovery_code
    ADD CONSTRAINT recovery_code_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES tallenne.staff(staff_id);

ALTER TABLE ONLY tallenne.staff_grant
    ADD CONSTRAINT staff_grant_camera_id_fkey FOREIGN KEY (camera_id) REFERENCES tallenne.camera(camera_id);

ALTER TABLE ONLY tallenne.staff_grant
    ADD CONSTRAINT staff_grant_site_id_fkey FOREIGN KEY (site_id) REFERENCES tallenne.site(site_id);

ALTER TABLE ONLY tallenne.staff_grant
    ADD CONSTRAINT staff_grant_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES tallenne.staff(staff_id);

ALTER TABLE ONLY tallenne.staff_handover
    ADD CONSTRAINT staff_handover_by_staff_id_fkey FOREIGN KEY (by_staff_id) REFERENCES tallenne.staff(staff_id);

ALTER TABLE ONLY tallenne.staff_handover
    ADD CONSTRAINT staff_handover_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES tallenne.staff(staff_id);

ALTER TABLE ONLY tallenne.staff_session
    ADD CONSTRAINT staff_session_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES tallenne.staff(staff_id);

ALTER TABLE ONLY tallenne.staff_wall
    ADD CONSTRAINT staff_wall_site_id_fkey FOREIGN KEY (site_id) REFERENCES tallenne.site(site_id);

ALTER TABLE ONLY tallenne.staff_wall
    ADD CONSTRAINT staff_wall_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES tallenne.staff(staff_id);

ALTER TABLE ONLY tallenne.wrap_record
    ADD CONSTRAINT wrap_record_hold_id_fkey FOREIGN KEY (hold_id) REFERENCES tallenne.hold(hold_id);

ALTER TABLE ONLY tallenne.wrap_record
    ADD CONSTRAINT wrap_record_hour_key_id_fkey FOREIGN KEY (hour_key_id) REFERENCES tallenne.hour_key(hour_key_id);

GRANT USAGE ON SCHEMA tallenne TO tallenne_ingest;
GRANT USAGE ON SCHEMA tallenne TO tallenne_index;
GRANT USAGE ON SCHEMA tallenne TO tallenne_custodian;
GRANT USAGE ON SCHEMA tallenne TO tallenne_serve;
GRANT USAGE ON SCHEMA tallenne TO tallenne_keeper;

REVOKE ALL ON FUNCTION tallenne.approve_erasure(p_erasure_id uuid, p_staff_id uuid, p_now_ns bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION tallenne.approve_erasure(p_erasure_id uuid, p_staff_id uuid, p_now_ns bigint) TO tallenne_custodian;

REVOKE ALL ON FUNCTION tallenne.audit_append(p_at_ns bigint, p_actor text, p_action text, p_session_id uuid, p_purpose_id uuid, p_member_id uuid, p_camera_id uuid, p_start_ns bigint, p_end_ns bigint, p_detail jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION tallenne.audit_append(p_at_ns bigint, p_actor text, p_action text, p_session_id uuid, p_purpose_id uuid, p_member_id uuid, p_camera_id uuid, p_start_ns bigint, p_end_ns bigint, p_detail jsonb) TO tallenne_custodian;
GRANT ALL ON FUNCTION tallenne.audit_append(p_at_ns bigint, p_actor text, p_action text, p_session_id uuid, p_purpose_id uuid, p_member_id uuid, p_camera_id uuid, p_start_ns bigint, p_end_ns bigint, p_detail jsonb) TO tallenne_serve;
GRANT ALL ON FUNCTION tallenne.audit_append(p_at_ns bigint, p_actor text, p_action text, p_session_id uuid, p_purpose_id uuid, p_member_id uuid, p_camera_id uuid, p_start_ns bigint, p_end_ns bigint, p_detail jsonb) TO tallenne_index;

GRANT SELECT ON TABLE tallenne.audit_entry TO tallenne_custodian;
GRANT SELECT ON TABLE tallenne.audit_entry TO tallenne_serve;

REVOKE ALL ON FUNCTION tallenne.audit_may(p_writer text, p_actor text, p_action text, p_session_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION tallenne.birth_date_given() FROM PUBLIC;

REVOKE ALL ON FUNCTION tallenne.cards_for_copy(p_request_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION tallenne.cards_for_copy(p_request_id uuid) TO tallenne_serve;

REVOKE ALL ON FUNCTION tallenne.commit_gaps(p_camera_id uuid[], p_start_ns bigint[], p_end_ns bigint[], p_cause text[], p_detail text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION tallenne.commit_gaps(p_camera_id uuid[], p_start_ns bigint[], p_end_ns bigint[], p_cause text[], p_detail text[]) TO tallenne_ingest;

REVOKE ALL ON FUNCTION tallenne.commit_segment(p_segment_id uuid, p_site_id uuid, p_camera_id uuid, p_recorder_id uuid, p_hour_key_id uuid, p_start_ns bigint, p_end_ns bigint, p_size_bytes bigint, p_sha256 bytea, p_header bytea, p_codec text, p_mime text, p_width integer, p_height integer, p_init_size integer, p_frames integer, p_recovered boolean, p_epoch bigint, p_fragment_start_ms integer[], p_fragment_offset integer[], p_fragment_size integer[], p_fragment_key boolean[], p_init_sha256 bytea, p_trailer bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION tallenne.commit_segment(p_segment_id uuid, p_site_id uuid, p_camera_id uuid, p_recorder_id uuid, p_hour_key_id uuid, p_start_ns bigint, p_end_ns bigint, p_size_bytes bigint, p_sha256 bytea, p_header bytea, p_codec text, p_mime text, p_width integer, p_height integer, p_init_size integer, p_frames integer, p_recovered boolean, p_epoch bigint, p_fragment_start_ms integer[], p_fragment_offset integer[], p_fragment_size integer[], p_fragment_key boolean[], p_init_sha256 bytea, p_trailer bytea) TO tallenne_ingest;

REVOKE ALL ON FUNCTION tallenne.cut_gaps(p_camera_id uuid, p_start_ns bigint, p_end_ns bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION tallenne.delete_older(p_kind text, p_before_ns bigint, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION tallenne.delete_older(p_kind text, p_before_ns bigint, p_limit integer) TO tallenne_keeper;

REVOKE ALL ON FUNCTION tallenne.drop_segment_day(p_day_ns bigint, p_now_ns bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION tallenne.drop_segment_day(p_day_ns bigint, p_now_ns bigint) TO tallenne_keeper;

REVOKE ALL ON FUNCTION tallenne.end_bookmarks() FROM PUBLIC;

REVOKE ALL ON FUNCTION tallenne.end_hold(p_hold_id uuid, p_now_ns bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION tallenne.end_hold(p_hold_id uuid, p_now_ns bigint) TO tallenne_custodian;

REVOKE ALL ON FUNCTION tallenne.ensure_segment_day(day_ns bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION tallenne.ensure_segment_day(day_ns bigint) TO tallenne_ingest;

REVOKE ALL ON FUNCTION tallenne.erasable(p_camera_ids uuid[], p_start_ns bigint[], p_end_ns bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION tallenne.erasable(p_camera_ids uuid[], p_start_ns bigint[], p_end_ns bigint[]) TO tallenne_custodian;
GRANT ALL ON FUNCTION tallenne.erasable(p_camera_ids uuid[], p_start_ns bigint[], p_end_ns bigint[]) TO tallenne_serve;

REVOKE ALL ON FUNCTION tallenne.erase_footage(p_erasure_id uuid, p_now_ns bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION tallenne.erase_person(p_request_id uuid, p_now_ns bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION tallenne.erase_person(p_request_id uuid, p_now_ns bigint) TO tallenne_serve;

REVOKE ALL ON FUNCTION tallenne.erasure_blocks(p_camera_ids uuid[], p_start_ns bigint[], p_end_ns bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION tallenne.erasure_blocks(p_camera_ids uuid[], p_start_ns bigint[], p_end_ns bigint[]) TO tallenne_custodian;
GRANT ALL ON FUNCTION tallenne.erasure_blocks(p_camera_ids uuid[], p_start_ns bigint[], p_end_ns bigint[]) TO tallenne_serve;

REVOKE ALL ON FUNCTION tallenne.erasure_survivors(p_old uuid, p_new uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION tallenne.erasure_survivors(p_old uuid, p_new uuid) TO tallenne_custodian;

REVOKE ALL ON FUNCTION tallenne.expire_hour_keys(p_hour_key_ids uuid[], p_now_ns bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION tallenne.expire_hour_keys(p_hour_key_ids uuid[], p_now_ns bigint) TO tallenne_custodian;

REVOKE ALL ON FUNCTION tallenne.fill_gap(p_camera_id uuid, p_start_ns bigint, p_end_ns bigint, p_cause text) FROM PUBLIC;

REVOKE ALL ON FUNCTION tallenne.footage_export_step() FROM PUBLIC;

REVOKE ALL ON FUNCTION tallenne.has_footage(p_camera_id uuid, p_at_ns bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION tallenne.hold_segment(p_segment_id uuid, p_camera_id uuid, p_hour_key_id uuid, p_start_ns bigint, p_end_ns bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION tallenne.hour_key_idle(p_hour_key_id uuid, p_now_ns bigint, p_late_ns bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION tallenne.hour_key_idle(p_hour_key_id uuid, p_now_ns bigint, p_late_ns bigint) TO tallenne_custodian;

REVOKE ALL ON FUNCTION tallenne.is_minor_by_birth(p_member_id uuid, p_otherwise boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION tallenne.is_minor_on(p_born date, p_day date) FROM PUBLIC;

REVOKE ALL ON FUNCTION tallenne.journal_over_before(p_now_ns bigint, p_days integer) FROM PUBLIC;
GRANT ALL ON FUNCTION tallenne.journal_over_before(p_now_ns bigint, p_days integer) TO tallenne_keeper;

REVOKE ALL ON FUNCTION tallenne.keep_name() FROM PUBLIC;

REVOKE ALL ON FUNCTION tallenne.lock_asker(p_session_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION tallenne.lock_asker(p_session_id uuid) TO tallenne_custodian;

REVOKE ALL ON FUNCTION tallenne.lock_cameras(p_camera_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION tallenne.minor_by_birth() FROM PUBLIC;

REVOKE ALL ON FUNCTION tallenne.now_ns() FROM PUBLIC;

REVOKE ALL ON FUNCTION tallenne.of_age_now() FROM PUBLIC;
GRANT ALL ON FUNCTION tallenne.of_age_now() TO tallenne_keeper;

REVOKE ALL ON FUNCTION tallenne.place_hold(p_hold_id uuid, p_case_id uuid, p_kind text, p_camera_id uuid, p_start_ns bigint, p_end_ns bigint, p_public_key bytea, p_sealed_private bytea, p_staff_id uuid, p_now_ns bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION tallenne.place_hold(p_hold_id uuid, p_case_id uuid, p_kind text, p_camera_id uuid, p_start_ns bigint, p_end_ns bigint, p_public_key bytea, p_sealed_private bytea, p_staff_id uuid, p_now_ns bigint) TO tallenne_custodian;

REVOKE ALL ON FUNCTION tallenne.remove_expired(p_hour_key_id uuid, p_segment_ids uuid[], p_now_ns bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION tallenne.remove_expired(p_hour_key_id uuid, p_segment_ids uuid[], p_now_ns bigint) TO tallenne_keeper;

REVOKE ALL ON FUNCTION tallenne.replace_erased_key(p_old uuid, p_new uuid, p_broken uuid[], p_now_ns bigint, p_late_ns bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION tallenne.replace_erased_key(p_old uuid, p_new uuid, p_broken uuid[], p_now_ns bigint, p_late_ns bigint) TO tallenne_custodian;

REVOKE ALL ON FUNCTION tallenne.replay_erasures(p_now_ns bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION tallenne.segment_days_over(p_now_ns bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION tallenne.segment_days_over(p_now_ns bigint) TO tallenne_keeper;

REVOKE ALL ON FUNCTION tallenne.settle_segment(p_segment_id uuid, p_flaw text, p_object_name text) FROM PUBLIC;
GRANT ALL ON FUNCTION tallenne.settle_segment(p_segment_id uuid, p_flaw text, p_object_name text) TO tallenne_custodian;

REVOKE ALL ON FUNCTION tallenne.staff_in_one_hand(p_staff_id uuid, p_now_ns bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION tallenne.staff_in_one_hand(p_staff_id uuid, p_now_ns bigint) TO tallenne_serve;
GRANT ALL ON FUNCTION tallenne.staff_in_one_hand(p_staff_id uuid, p_now_ns bigint) TO tallenne_custodian;

REVOKE ALL ON FUNCTION tallenne.staff_may(p_session_id uuid, p_action text, p_camera_id uuid, p_now_ns bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION tallenne.staff_may(p_session_id uuid, p_action text, p_camera_id uuid, p_now_ns bigint) TO tallenne_custodian;
GRANT ALL ON FUNCTION tallenne.staff_may(p_session_id uuid, p_action text, p_camera_id uuid, p_now_ns bigint) TO tallenne_serve;

REVOKE ALL ON FUNCTION tallenne.staff_may_preview(p_session_id uuid, p_export_id uuid, p_camera_id uuid, p_start_ns bigint, p_end_ns bigint, p_now_ns bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION tallenne.staff_may_preview(p_session_id uuid, p_export_id uuid, p_camera_id uuid, p_start_ns bigint, p_end_ns bigint, p_now_ns bigint) TO tallenne_custodian;
GRANT ALL ON FUNCTION tallenne.staff_may_preview(p_session_id uuid, p_export_id uuid, p_camera_id uuid, p_start_ns bigint, p_end_ns bigint, p_now_ns bigint) TO tallenne_serve;

REVOKE ALL ON FUNCTION tallenne.take_leases(p_camera_ids uuid[], p_recorder_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION tallenne.take_leases(p_camera_ids uuid[], p_recorder_id uuid) TO tallenne_ingest;

GRANT SELECT,INSERT,UPDATE ON TABLE tallenne.access_event TO tallenne_index;
GRANT SELECT ON TABLE tallenne.access_event TO tallenne_serve;
GRANT SELECT ON TABLE tallenne.access_event TO tallenne_custodian;

GRANT SELECT,INSERT,DELETE ON TABLE tallenne.bookmark TO tallenne_serve;

GRANT UPDATE(case_id) ON TABLE tallenne.bookmark TO tallenne_serve;

GRANT SELECT ON TABLE tallenne.camera TO tallenne_ingest;
GRANT SELECT ON TABLE tallenne.camera TO tallenne_index;
GRANT SELECT ON TABLE tallenne.camera TO tallenne_custodian;
GRANT SELECT ON TABLE tallenne.camera TO tallenne_serve;
GRANT SELECT ON TABLE tallenne.camera TO tallenne_keeper;

GRANT SELECT,INSERT,UPDATE ON TABLE tallenne.camera_health TO tallenne_ingest;
GRANT SELECT ON TABLE tallenne.camera_health TO tallenne_serve;

GRANT SELECT ON TABLE tallenne.case_entry TO tallenne_custodian;
GRANT SELECT,INSERT ON TABLE tallenne.case_entry TO tallenne_serve;

GRANT SELECT ON TABLE tallenne.case_file TO tallenne_custodian;
GRANT SELECT ON TABLE tallenne.case_file TO tallenne_serve;

GRANT INSERT(case_id) ON TABLE tallenne.case_file TO tallenne_serve;

GRANT INSERT(number) ON TABLE tallenne.case_file TO tallenne_serve;

GRANT INSERT(title),UPDATE(title) ON TABLE tallenne.case_file TO tallenne_serve;

GRANT INSERT(reason),UPDATE(reason) ON TABLE tallenne.case_file TO tallenne_serve;

GRANT INSERT(opened_by) ON TABLE tallenne.case_file TO tallenne_serve;

GRANT INSERT(opened_ns) ON TABLE tallenne.case_file TO tallenne_serve;

GRANT INSERT(review_ns),UPDATE(review_ns) ON TABLE tallenne.case_file TO tallenne_serve;

GRANT UPDATE(state) ON TABLE tallenne.case_file TO tallenne_custodian;

GRANT UPDATE(closing_by) ON TABLE tallenne.case_file TO tallenne_custodian;

GRANT UPDATE(closing_ns) ON TABLE tallenne.case_file TO tallenne_custodian;

GRANT UPDATE(closed_by) ON TABLE tallenne.case_file TO tallenne_custodian;

GRANT UPDATE(closed_ns) ON TABLE tallenne.case_file TO tallenne_custodian;

GRANT SELECT,INSERT ON TABLE tallenne.certificate TO tallenne_custodian;
GRANT SELECT ON TABLE tallenne.certificate TO tallenne_serve;

GRANT SELECT,INSERT,UPDATE ON TABLE tallenne.controller_skew TO tallenne_index;
GRANT SELECT ON TABLE tallenne.controller_skew TO tallenne_serve;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tallenne.credential TO tallenne_index;

GRANT SELECT ON TABLE tallenne.door TO tallenne_ingest;
GRANT SELECT ON TABLE tallenne.door TO tallenne_index;
GRANT SELECT ON TABLE tallenne.door TO tallenne_custodian;
GRANT SELECT ON TABLE tallenne.door TO tallenne_serve;

GRANT SELECT ON TABLE tallenne.door_camera TO tallenne_ingest;
GRANT SELECT ON TABLE tallenne.door_camera TO tallenne_index;
GRANT SELECT ON TABLE tallenne.door_camera TO tallenne_custodian;
GRANT SELECT ON TABLE tallenne.door_camera TO tallenne_serve;

GRANT SELECT,INSERT,UPDATE ON TABLE tallenne.door_sequence TO tallenne_index;

GRANT SELECT ON TABLE tallenne.erased_segment TO tallenne_custodian;
GRANT SELECT ON TABLE tallenne.erased_segment TO tallenne_serve;

GRANT SELECT,INSERT ON TABLE tallenne.erasure TO tallenne_custodian;
GRANT SELECT ON TABLE tallenne.erasure TO tallenne_serve;

GRANT UPDATE(state) ON TABLE tallenne.erasure TO tallenne_custodian;

GRANT UPDATE(decided_by) ON TABLE tallenne.erasure TO tallenne_custodian;

GRANT UPDATE(decided_ns) ON TABLE tallenne.erasure TO tallenne_custodian;

GRANT UPDATE(done_ns) ON TABLE tallenne.erasure TO tallenne_custodian;

GRANT SELECT ON TABLE tallenne.erasure_span TO tallenne_serve;

GRANT SELECT,UPDATE ON TABLE tallenne.expired_key TO tallenne_custodian;
GRANT SELECT ON TABLE tallenne.expired_key TO tallenne_serve;
GRANT SELECT ON TABLE tallenne.expired_key TO tallenne_keeper;

GRANT SELECT ON TABLE tallenne.export_step TO tallenne_serve;

GRANT SELECT,INSERT,UPDATE ON TABLE tallenne.footage_export TO tallenne_serve;

GRANT SELECT ON TABLE tallenne.gap TO tallenne_ingest;
GRANT SELECT ON TABLE tallenne.gap TO tallenne_index;
GRANT SELECT ON TABLE tallenne.gap TO tallenne_custodian;
GRANT SELECT ON TABLE tallenne.gap TO tallenne_serve;

GRANT SELECT ON TABLE tallenne.hold TO tallenne_custodian;

GRANT SELECT(hold_id) ON TABLE tallenne.hold TO tallenne_serve;

GRANT SELECT(case_id) ON TABLE tallenne.hold TO tallenne_serve;

GRANT SELECT(kind) ON TABLE tallenne.hold TO tallenne_serve;

GRANT SELECT(camera_id) ON TABLE tallenne.hold TO tallenne_serve;

GRANT SELECT(start_ns) ON TABLE tallenne.hold TO tallenne_serve;

GRANT SELECT(end_ns) ON TABLE tallenne.hold TO tallenne_serve;

GRANT SELECT(placed_by) ON TABLE tallenne.hold TO tallenne_serve;

GRANT SELECT(placed_ns) ON TABLE tallenne.hold TO tallenne_serve;

GRANT SELECT(ended_ns) ON TABLE tallenne.hold TO tallenne_serve;

GRANT UPDATE(destroyed_ns) ON TABLE tallenne.hold TO tallenne_custodian;

GRANT SELECT,DELETE ON TABLE tallenne.hold_backlog TO tallenne_custodian;

GRANT SELECT,INSERT,UPDATE ON TABLE tallenne.hour_key TO tallenne_custodian;

GRANT SELECT ON TABLE tallenne.hour_key_kept TO tallenne_serve;

GRANT SELECT ON TABLE tallenne.hour_key_public TO tallenne_ingest;
GRANT SELECT ON TABLE tallenne.hour_key_public TO tallenne_custodian;

GRANT USAGE,UPDATE ON SEQUENCE tallenne.hour_key_serial TO tallenne_custodian;

GRANT SELECT ON TABLE tallenne.index_secret TO tallenne_index;

GRANT SELECT,DELETE ON TABLE tallenne.journal_outbox TO tallenne_custodian;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tallenne.member TO tallenne_index;
GRANT SELECT,INSERT ON TABLE tallenne.member TO tallenne_serve;

GRANT SELECT,INSERT ON TABLE tallenne.member_code TO tallenne_serve;

GRANT SELECT,INSERT,UPDATE ON TABLE tallenne.member_code_request TO tallenne_serve;

GRANT SELECT,INSERT ON TABLE tallenne.member_consent TO tallenne_serve;

GRANT UPDATE(withdrawn_ns) ON TABLE tallenne.member_consent TO tallenne_serve;

GRANT UPDATE(withdrawn_how) ON TABLE tallenne.member_consent TO tallenne_serve;

GRANT UPDATE(withdrawn_staff_id) ON TABLE tallenne.member_consent TO tallenne_serve;

GRANT SELECT,INSERT ON TABLE tallenne.member_field TO tallenne_serve;

GRANT UPDATE(to_ns) ON TABLE tallenne.member_field TO tallenne_serve;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tallenne.member_identity TO tallenne_index;
GRANT SELECT,INSERT ON TABLE tallenne.member_identity TO tallenne_serve;

GRANT UPDATE(name) ON TABLE tallenne.member_identity TO tallenne_serve;

GRANT UPDATE(search) ON TABLE tallenne.member_identity TO tallenne_serve;

GRANT SELECT,INSERT ON TABLE tallenne.member_request TO tallenne_serve;

GRANT UPDATE(state) ON TABLE tallenne.member_request TO tallenne_serve;

GRANT UPDATE(due_ns) ON TABLE tallenne.member_request TO tallenne_serve;

GRANT UPDATE(extended_ns) ON TABLE tallenne.member_request TO tallenne_serve;

GRANT UPDATE(extension) ON TABLE tallenne.member_request TO tallenne_serve;

GRANT UPDATE(identity_ns) ON TABLE tallenne.member_request TO tallenne_serve;

GRANT UPDATE(identity) ON TABLE tallenne.member_request TO tallenne_serve;

GRANT UPDATE(identity_staff_id) ON TABLE tallenne.member_request TO tallenne_serve;

GRANT UPDATE(ended_ns) ON TABLE tallenne.member_request TO tallenne_serve;

GRANT UPDATE(ended_by) ON TABLE tallenne.member_request TO tallenne_serve;

GRANT UPDATE(answer) ON TABLE tallenne.member_request TO tallenne_serve;

GRANT SELECT,INSERT,UPDATE ON TABLE tallenne.member_session TO tallenne_serve;

GRANT SELECT ON TABLE tallenne.object_quarantine TO tallenne_serve;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tallenne.outbox TO tallenne_index;

GRANT SELECT,INSERT ON TABLE tallenne.purpose TO tallenne_serve;
GRANT SELECT ON TABLE tallenne.purpose TO tallenne_custodian;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tallenne.quarantine TO tallenne_index;
GRANT SELECT ON TABLE tallenne.quarantine TO tallenne_serve;

GRANT SELECT,INSERT ON TABLE tallenne.recipient TO tallenne_serve;

GRANT SELECT ON TABLE tallenne.recorder TO tallenne_ingest;
GRANT SELECT,INSERT,UPDATE ON TABLE tallenne.recorder TO tallenne_custodian;
GRANT SELECT ON TABLE tallenne.recorder TO tallenne_serve;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tallenne.recovery_code TO tallenne_serve;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tallenne.register_right TO tallenne_serve;

GRANT SELECT,DELETE ON TABLE tallenne.retention_pause TO tallenne_custodian;
GRANT SELECT ON TABLE tallenne.retention_pause TO tallenne_serve;

GRANT SELECT ON TABLE tallenne.schema_migration TO tallenne_ingest;
GRANT SELECT ON TABLE tallenne.schema_migration TO tallenne_index;
GRANT SELECT ON TABLE tallenne.schema_migration TO tallenne_custodian;
GRANT SELECT ON TABLE tallenne.schema_migration TO tallenne_serve;
GRANT SELECT ON TABLE tallenne.schema_migration TO tallenne_keeper;

GRANT SELECT ON TABLE tallenne.segment TO tallenne_ingest;
GRANT SELECT ON TABLE tallenne.segment TO tallenne_index;
GRANT SELECT ON TABLE tallenne.segment TO tallenne_custodian;
GRANT SELECT ON TABLE tallenne.segment TO tallenne_serve;
GRANT SELECT ON TABLE tallenne.segment TO tallenne_keeper;

GRANT SELECT ON TABLE tallenne.segment_claim TO tallenne_custodian;

GRANT SELECT ON TABLE tallenne.segment_identity TO tallenne_ingest;
GRANT SELECT ON TABLE tallenne.segment_identity TO tallenne_index;
GRANT SELECT ON TABLE tallenne.segment_identity TO tallenne_custodian;
GRANT SELECT ON TABLE tallenne.segment_identity TO tallenne_serve;
GRANT SELECT ON TABLE tallenne.segment_identity TO tallenne_keeper;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tallenne.sign_in_throttle TO tallenne_serve;

GRANT SELECT ON TABLE tallenne.site TO tallenne_ingest;
GRANT SELECT ON TABLE tallenne.site TO tallenne_index;
GRANT SELECT ON TABLE tallenne.site TO tallenne_custodian;
GRANT SELECT ON TABLE tallenne.site TO tallenne_serve;
GRANT SELECT ON TABLE tallenne.site TO tallenne_keeper;

GRANT SELECT,INSERT,UPDATE ON TABLE tallenne.staff TO tallenne_serve;

GRANT SELECT,INSERT,DELETE ON TABLE tallenne.staff_grant TO tallenne_serve;

GRANT SELECT,INSERT ON TABLE tallenne.staff_handover TO tallenne_serve;

GRANT SELECT,INSERT,UPDATE ON TABLE tallenne.staff_session TO tallenne_serve;
GRANT SELECT ON TABLE tallenne.staff_session TO tallenne_custodian;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE tallenne.staff_wall TO tallenne_serve;

GRANT SELECT,INSERT,UPDATE ON TABLE tallenne.tag TO tallenne_index;
GRANT SELECT ON TABLE tallenne.tag TO tallenne_serve;
GRANT SELECT ON TABLE tallenne.tag TO tallenne_custodian;

GRANT SELECT,INSERT,DELETE ON TABLE tallenne.wrap_record TO tallenne_custodian;

GRANT SELECT(segment_id) ON TABLE tallenne.wrap_record TO tallenne_serve;

GRANT SELECT(hour_key_id) ON TABLE tallenne.wrap_record TO tallenne_serve;
