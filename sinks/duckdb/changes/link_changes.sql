SELECT 'moz' AS vendor, coalesce(c.job, p.job) AS job, coalesce(c.extract, p.extract) AS extract,
       coalesce(c.target, p.target) AS target, coalesce(c.scope, p.scope) AS scope,
       coalesce(p.run_date, c.previous_run_date) AS previous_run_date, coalesce(c.run_date, p.next_run_date) AS run_date,
       CASE WHEN p.job IS NULL THEN 'new' WHEN c.job IS NULL THEN 'lost' ELSE 'changed' END AS change,
       coalesce(c.source_page, p.source_page) AS source_page, coalesce(c.target_page, p.target_page) AS target_page,
       coalesce(c.source_root_domain, p.source_root_domain) AS source_root_domain,
       p.anchor_texts AS previous_anchor_texts, c.anchor_texts, p.nofollow AS previous_nofollow, c.nofollow,
       coalesce(c.date_first_seen, p.date_first_seen) AS date_first_seen,
       coalesce(c.source_page_authority, p.source_page_authority) AS source_page_authority,
       coalesce(c.source_domain_authority, p.source_domain_authority) AS source_domain_authority,
       coalesce(c.source_spam_score, p.source_spam_score) AS source_spam_score
FROM (SELECT * FROM helper.links_by_night WHERE vendor = 'moz' AND job = $job AND run_date = $date AND previous_run_date IS NOT NULL) c
FULL JOIN (SELECT * FROM helper.links_by_night WHERE vendor = 'moz' AND job = $job AND next_run_date = $date AND run_date IN ($earlier)) p
  ON  p.extract = c.extract AND p.question = c.question
  AND p.target IS NOT DISTINCT FROM c.target AND p.scope IS NOT DISTINCT FROM c.scope
  AND p.source_page = c.source_page AND p.target_page IS NOT DISTINCT FROM c.target_page
WHERE p.job IS NULL OR c.job IS NULL OR p.anchor_texts IS DISTINCT FROM c.anchor_texts OR p.nofollow IS DISTINCT FROM c.nofollow
