SELECT e.*, p.category, p.reason, u.display_name, a.display_name AS approver
FROM footage_export e JOIN purpose p USING (purpose_id) JOIN staff u ON u.staff_id = e.staff_id
LEFT JOIN staff a ON a.staff_id = e.approved_by
WHERE e.export_id = $1
