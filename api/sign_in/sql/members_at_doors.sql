-- $1 members, $2 doors. Those of the members who have ever been at one of the doors.
SELECT m.member_id FROM unnest($1::uuid[]) AS m (member_id)
WHERE EXISTS (SELECT FROM access_event e WHERE e.member_id = m.member_id AND e.door_id = ANY ($2::uuid[])
              AND e.superseded_by IS NULL)
