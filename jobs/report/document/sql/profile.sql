-- anchor texts by kind, of the latest night of each list
SELECT target, concat_ws(', ', vendor, extract, scope) AS list, run_date::VARCHAR, whole, kind, anchors, domains, pages, domain_share::DOUBLE
FROM marts.anchor_profile
WHERE job = $job AND target IN ($targets) AND run_date IN ($nights)
QUALIFY run_date = max(run_date) OVER (PARTITION BY vendor, extract, target, scope)
ORDER BY target, list, domains DESC, kind
