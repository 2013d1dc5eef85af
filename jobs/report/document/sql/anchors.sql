-- anchor texts that were won or lost that night, those of most domains first
SELECT target, concat_ws(', ', vendor, extract, scope) AS list, count(*) OVER (PARTITION BY vendor, extract, target, scope) AS total,
       replace(change, 'new', 'won'), anchor_text, coalesce(external_root_domains, previous_external_root_domains) AS domains,
       coalesce(external_pages, previous_external_pages)
FROM marts.anchor_changes
WHERE job = $job AND target IN ($targets) AND run_date = $date
QUALIFY row_number() OVER (PARTITION BY vendor, extract, target, scope
    ORDER BY coalesce(external_root_domains, previous_external_root_domains) DESC NULLS LAST, anchor_text) <= $rows
ORDER BY target, list, domains DESC NULLS LAST, anchor_text
