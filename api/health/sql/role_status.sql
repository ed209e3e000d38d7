SELECT role, instance, updated_ns, status::text AS status FROM role_status ORDER BY role, instance
