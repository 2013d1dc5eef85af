-- links that were won, lost or changed that night, the best first
SELECT target, concat_ws(', ', vendor, extract, scope) AS list, count(*) OVER (PARTITION BY vendor, extract, target, scope) AS total,
       replace(change, 'new', 'won'), source_page, source_domain_authority, target_page, array_to_string(coalesce(anchor_texts, previous_anchor_texts), ' | '),
       CASE WHEN coalesce(nofollow, previous_nofollow) THEN 'nofollow' ELSE '' END, date_first_seen::VARCHAR
FROM marts.link_changes
WHERE job = $job AND target IN ($targets) AND run_date = $date
QUALIFY row_number() OVER (PARTITION BY vendor, extract, target, scope ORDER BY source_domain_authority DESC NULLS LAST, source_page, target_page) <= $rows
ORDER BY target, list, source_domain_authority DESC NULLS LAST, source_page, target_page
