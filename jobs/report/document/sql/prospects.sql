-- whom to ask for a link, the best first
SELECT count(*) OVER () AS total, source, title, matching, array_to_string(matching_targets, ', '), domain_authority, page_authority, spam_score,
       open_since::VARCHAR, label
FROM marts.prospects_review
WHERE job = $job AND run_date <= $date
ORDER BY matching DESC, domain_authority DESC NULLS LAST, page_authority DESC NULLS LAST, source
LIMIT $rows
