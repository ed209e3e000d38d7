-- name: audit_recent
-- $1 below this seq, $2 how many, [$3, $4) when: entries from the end of the trail backwards.
SELECT seq FROM audit_entry WHERE seq < $1::bigint AND at_ns >= $3::bigint AND at_ns < $4::bigint ORDER BY seq DESC LIMIT $2

-- name: audit_by_index
-- Until the end of the transaction: plans for the values at hand, since one for any values would suit none, and by index.
SELECT set_config('plan_cache_mode', 'force_custom_plan', true), set_config('enable_seqscan', 'off', true)

-- name: audit_extent
-- How many entries each filter leaves by itself. [$1, $2) the period or NULL, $3 action or NULL, $4 staff or NULL; counting
-- stops at $5 entries, for the period at $6.
SELECT (SELECT count(*) FROM (
            SELECT FROM audit_entry WHERE at_ns >= $1::bigint AND at_ns < $2::bigint ORDER BY at_ns LIMIT $6) AS f) AS period,
       (SELECT count(*) FROM (
            SELECT FROM audit_entry WHERE action = ANY (ARRAY[$3::text]) ORDER BY action, seq LIMIT $5) AS f) AS action,
       (SELECT count(*) FROM (
            SELECT FROM audit_entry WHERE actor = ANY (ARRAY[$4::text]) ORDER BY actor, seq LIMIT $5) AS f) AS actor

-- name: audit_found
-- $1 below this seq, $2 how many, $3 whether every camera, $4 else these cameras only, [$5, $6) when, $7 action or NULL,
-- $8 staff or NULL, $9 members, who must all be named, $10 cameras of which one must be named, or none, $11 how many
-- entries are read by each way, $12 the filter by which they are read: period, action, actor, member (the first) or camera.
-- Both kinds of naming are ways of their own: in a column, and in the detail. A way that was cut has been read down to its
-- lowest seq; what is found above the highest of those is complete, and the next page goes on there. Each way is
-- ordered as its own index is (= ANY, since = would make the order that of the trail): read backwards, the trail looks
-- cheaper than it is where what fits is long ago.
WITH read AS MATERIALIZED (
    (SELECT 0 AS way, seq FROM audit_entry
     WHERE $12::text = 'period' AND at_ns >= $5::bigint AND at_ns < $6::bigint)
    UNION ALL
    (SELECT 1, seq FROM audit_entry
     WHERE $12::text = 'action' AND action = ANY (ARRAY[$7::text]) AND seq < $1::bigint
     ORDER BY action DESC, seq DESC LIMIT $11)
    UNION ALL
    (SELECT 2, seq FROM audit_entry
     WHERE $12::text = 'actor' AND actor = ANY (ARRAY[$8::text]) AND seq < $1::bigint
     ORDER BY actor DESC, seq DESC LIMIT $11)
    UNION ALL
    (SELECT 3, seq FROM audit_entry
     WHERE $12::text = 'member' AND member_id = ANY (($9::uuid[])[1:1]) AND seq < $1::bigint
     ORDER BY member_id DESC, seq DESC LIMIT $11)
    UNION ALL
    (SELECT * FROM (
         SELECT 4, seq FROM audit_entry
         WHERE $12::text = 'member' AND detail ? 'members' AND detail -> 'members' ? ($9::uuid[])[1]::text
         OFFSET 0) AS listed
     WHERE seq < $1::bigint ORDER BY seq DESC LIMIT $11)
    UNION ALL
    (SELECT * FROM (
         SELECT 5, seq FROM audit_entry
         WHERE $12::text = 'camera' AND detail ? 'cameras' AND detail -> 'cameras' ?| $10::uuid[]::text[]
         OFFSET 0) AS listed
     WHERE seq < $1::bigint ORDER BY seq DESC LIMIT $11)
    UNION ALL
    SELECT 5 + c.number, a.seq
    FROM unnest(CASE WHEN $12::text = 'camera' THEN $10::uuid[] END) WITH ORDINALITY AS c (camera_id, number)
    CROSS JOIN LATERAL (
        SELECT seq FROM audit_entry e
        WHERE e.camera_id = ANY (ARRAY[c.camera_id]) AND e.camera_id IS NOT NULL AND seq < $1::bigint
        ORDER BY e.camera_id DESC, seq DESC LIMIT $11) AS a
), reached AS (
    SELECT coalesce(max(lowest), 0) AS seq
    FROM (SELECT min(seq) AS lowest FROM read WHERE way > 0 GROUP BY way HAVING count(*) >= $11) AS cut
)
SELECT reached.seq AS reached, ARRAY(
    SELECT r.seq
    FROM (SELECT DISTINCT seq FROM read WHERE read.seq >= reached.seq AND read.seq < $1::bigint
          ORDER BY seq DESC) AS n
    CROSS JOIN LATERAL (SELECT * FROM audit_entry e WHERE e.seq = n.seq OFFSET 0) AS r
    WHERE ($3::boolean OR r.camera_id = ANY ($4::uuid[]) OR r.detail -> 'cameras' ?| $4::uuid[]::text[])
      AND r.at_ns >= $5::bigint AND r.at_ns < $6::bigint
      AND ($7::text IS NULL OR r.action = $7) AND ($8::text IS NULL OR r.actor = $8)
      AND NOT EXISTS (SELECT FROM unnest($9::uuid[]) AS m (member_id)
                      WHERE r.member_id IS DISTINCT FROM m.member_id
                        AND (r.detail -> 'members' ? m.member_id::text) IS NOT TRUE)
      AND (cardinality($10::uuid[]) = 0 OR r.camera_id = ANY ($10) OR r.detail -> 'cameras' ?| $10::uuid[]::text[])
    ORDER BY n.seq DESC LIMIT $2) AS found
FROM reached

-- name: audit_member
-- The member with the number $1.
SELECT member_id FROM member_identity WHERE number = $1
