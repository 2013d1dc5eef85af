SELECT coalesce(c.vendor, p.vendor) AS vendor, coalesce(c.job, p.job) AS job, coalesce(c.extract, p.extract) AS extract,
       coalesce(c.target, p.target) AS target, coalesce(c.scope, p.scope) AS scope,
       coalesce(p.run_date, c.previous_run_date) AS previous_run_date, coalesce(c.run_date, p.next_run_date) AS run_date,
       CASE WHEN p.job IS NULL THEN 'new' ELSE 'lost' END AS change,
       coalesce(c.anchor_text, p.anchor_text) AS anchor_text,
       p.domains AS previous_external_root_domains, c.domains AS external_root_domains,
       p.pages AS previous_external_pages, c.pages AS external_pages
FROM (SELECT * FROM helper.anchors_by_night WHERE job = $job AND run_date = $date AND previous_run_date IS NOT NULL) c
FULL JOIN (SELECT * FROM helper.anchors_by_night WHERE job = $job AND next_run_date = $date AND run_date IN ($earlier)) p
  ON  p.vendor = c.vendor AND p.extract = c.extract AND p.question = c.question
  AND p.target IS NOT DISTINCT FROM c.target AND p.scope IS NOT DISTINCT FROM c.scope AND p.anchor_text = c.anchor_text
WHERE p.job IS NULL OR c.job IS NULL
