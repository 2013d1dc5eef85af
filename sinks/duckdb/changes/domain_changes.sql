SELECT 'moz' AS vendor, coalesce(c.job, p.job) AS job, coalesce(c.extract, p.extract) AS extract,
       coalesce(c.target, p.target) AS target, coalesce(c.scope, p.scope) AS scope,
       coalesce(p.run_date, c.previous_run_date) AS previous_run_date, coalesce(c.run_date, p.next_run_date) AS run_date,
       CASE WHEN p.job IS NULL THEN 'new' ELSE 'lost' END AS change, coalesce(c.root_domain, p.root_domain) AS root_domain,
       p.pages AS previous_pages, c.pages, coalesce(c.domain_authority, p.domain_authority) AS domain_authority,
       coalesce(c.spam_score, p.spam_score) AS spam_score
FROM (SELECT * FROM helper.domains_by_night WHERE vendor = 'moz' AND job = $job AND run_date = $date AND previous_run_date IS NOT NULL) c
FULL JOIN (SELECT * FROM helper.domains_by_night WHERE vendor = 'moz' AND job = $job AND next_run_date = $date AND run_date IN ($earlier)) p
  ON  p.extract = c.extract AND p.question = c.question
  AND p.target IS NOT DISTINCT FROM c.target AND p.scope IS NOT DISTINCT FROM c.scope AND p.root_domain = c.root_domain
WHERE p.job IS NULL OR c.job IS NULL
