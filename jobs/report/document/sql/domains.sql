-- domains that were won or lost that night, the best first
SELECT target, concat_ws(', ', vendor, extract, scope) AS list, count(*) OVER (PARTITION BY vendor, extract, target, scope) AS total,
       replace(change, 'new', 'won'), root_domain, domain_authority, spam_score, coalesce(pages, previous_pages)
FROM marts.domain_changes
WHERE job = $job AND target IN ($targets) AND run_date = $date
QUALIFY row_number() OVER (PARTITION BY vendor, extract, target, scope ORDER BY domain_authority DESC NULLS LAST, root_domain) <= $rows
ORDER BY target, list, domain_authority DESC NULLS LAST, root_domain
