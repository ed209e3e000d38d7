SELECT true FROM member WHERE member_id = $1
