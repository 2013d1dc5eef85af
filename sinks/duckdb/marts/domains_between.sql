-- What came and went between any two whole nights of the same target; marts.whole_nights says which nights these are.
CREATE MACRO marts.domains_between(from_date, to_date) AS TABLE
SELECT coalesce(c.job, p.job) AS job, coalesce(c.extract, p.extract) AS extract, coalesce(c.target, p.target) AS target,
       coalesce(c.scope, p.scope) AS scope,
       CASE WHEN p.job IS NULL THEN 'new' ELSE 'lost' END AS change, coalesce(c.root_domain, p.root_domain) AS root_domain,
       p.pages AS previous_pages, c.pages, coalesce(c.domain_authority, p.domain_authority) AS domain_authority,
       coalesce(c.spam_score, p.spam_score) AS spam_score
FROM (
    SELECT d.* FROM marts.domains_by_night d
    SEMI JOIN marts.whole_nights n
      ON  n.job = d.job AND n.extract = d.extract AND n.question = d.question AND n.run_date = from_date::DATE
      AND n.target IS NOT DISTINCT FROM d.target AND n.scope IS NOT DISTINCT FROM d.scope
    WHERE d.run_date = to_date::DATE
) c
FULL JOIN (
    SELECT d.* FROM marts.domains_by_night d
    SEMI JOIN marts.whole_nights n
      ON  n.job = d.job AND n.extract = d.extract AND n.question = d.question AND n.run_date = to_date::DATE
      AND n.target IS NOT DISTINCT FROM d.target AND n.scope IS NOT DISTINCT FROM d.scope
    WHERE d.run_date = from_date::DATE
) p
  ON  p.job = c.job AND p.extract = c.extract AND p.question = c.question
  AND p.target IS NOT DISTINCT FROM c.target AND p.scope IS NOT DISTINCT FROM c.scope AND p.root_domain = c.root_domain
WHERE p.job IS NULL OR c.job IS NULL;

COMMENT ON MACRO TABLE marts.domains_between IS 'root domains that began (new) or ceased (lost) to link to targets between any two whole nights: FROM marts.domains_between(DATE ''2026-11-01'', DATE ''2026-11-30'')';
