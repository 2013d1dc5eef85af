-- the placements of the job: what is wrong first
SELECT count(*) OVER () AS total, verdict, campaign, source_page, target_page, since::VARCHAR, placed::VARCHAR, answered_on::VARCHAR, domain_authority, contact
FROM marts.campaign
WHERE job = $job
ORDER BY CASE WHEN verdict = 'lost' THEN 1 WHEN verdict = 'lost? (index changed)' THEN 2 WHEN verdict = 'missing' THEN 3 WHEN verdict = 'redirected' THEN 4
              WHEN starts_with(verdict, 'unknown') THEN 5 WHEN starts_with(verdict, 'not yet') THEN 6 ELSE 7 END, campaign, row
LIMIT $rows
