-- What came and went between any two whole nights of the same target; marts.whole_nights says which nights these are.
CREATE MACRO marts.links_between(from_date, to_date) AS TABLE
SELECT coalesce(c.job, p.job) AS job, coalesce(c.extract, p.extract) AS extract, coalesce(c.target, p.target) AS target,
       coalesce(c.scope, p.scope) AS scope,
       CASE WHEN p.job IS NULL THEN 'new' WHEN c.job IS NULL THEN 'lost' ELSE 'changed' END AS change,
       coalesce(c.source_page, p.source_page) AS source_page, coalesce(c.target_page, p.target_page) AS target_page,
       coalesce(c.source_root_domain, p.source_root_domain) AS source_root_domain,
       p.anchor_texts AS previous_anchor_texts, c.anchor_texts, p.nofollow AS previous_nofollow, c.nofollow,
       coalesce(c.date_first_seen, p.date_first_seen) AS date_first_seen,
       coalesce(c.source_page_authority, p.source_page_authority) AS source_page_authority,
       coalesce(c.source_domain_authority, p.source_domain_authority) AS source_domain_authority,
       coalesce(c.source_spam_score, p.source_spam_score) AS source_spam_score
FROM (
    SELECT l.* FROM marts.links_by_night l
    SEMI JOIN marts.whole_nights n
      ON  n.job = l.job AND n.extract = l.extract AND n.question = l.question AND n.run_date = from_date::DATE
      AND n.target IS NOT DISTINCT FROM l.target AND n.scope IS NOT DISTINCT FROM l.scope
    WHERE l.run_date = to_date::DATE
) c
FULL JOIN (
    SELECT l.* FROM marts.links_by_night l
    SEMI JOIN marts.whole_nights n
      ON  n.job = l.job AND n.extract = l.extract AND n.question = l.question AND n.run_date = to_date::DATE
      AND n.target IS NOT DISTINCT FROM l.target AND n.scope IS NOT DISTINCT FROM l.scope
    WHERE l.run_date = from_date::DATE
) p
  ON  p.job = c.job AND p.extract = c.extract AND p.question = c.question
  AND p.target IS NOT DISTINCT FROM c.target AND p.scope IS NOT DISTINCT FROM c.scope
  AND p.source_page = c.source_page AND p.target_page IS NOT DISTINCT FROM c.target_page
WHERE p.job IS NULL OR c.job IS NULL OR p.anchor_texts IS DISTINCT FROM c.anchor_texts OR p.nofollow IS DISTINCT FROM c.nofollow;

COMMENT ON MACRO TABLE marts.links_between IS 'links that targets gained (new), lost, or whose text or rel=nofollow changed between any two whole nights: FROM marts.links_between(DATE ''2026-11-01'', DATE ''2026-11-30'')';
