-- What came and went between any two whole nights of the same target; marts.whole_nights says which nights these are.
CREATE MACRO marts.anchors_between(from_date, to_date) AS TABLE
SELECT coalesce(c.vendor, p.vendor) AS vendor, coalesce(c.target, p.target) AS target, coalesce(c.scope, p.scope) AS scope,
       coalesce(c.job, p.job) AS job, coalesce(c.extract, p.extract) AS extract,
       CASE WHEN p.job IS NULL THEN 'new' ELSE 'lost' END AS change,
       coalesce(c.anchor_text, p.anchor_text) AS anchor_text,
       p.domains AS previous_external_root_domains, c.domains AS external_root_domains,
       p.pages AS previous_external_pages, c.pages AS external_pages
FROM (
    SELECT a.* FROM marts.anchors_by_night a
    SEMI JOIN marts.whole_nights n
      ON  n.job = a.job AND n.extract = a.extract AND n.question = a.question AND n.run_date = from_date::DATE
      AND n.target IS NOT DISTINCT FROM a.target AND n.scope IS NOT DISTINCT FROM a.scope
    WHERE a.run_date = to_date::DATE
) c
FULL JOIN (
    SELECT a.* FROM marts.anchors_by_night a
    SEMI JOIN marts.whole_nights n
      ON  n.job = a.job AND n.extract = a.extract AND n.question = a.question AND n.run_date = to_date::DATE
      AND n.target IS NOT DISTINCT FROM a.target AND n.scope IS NOT DISTINCT FROM a.scope
    WHERE a.run_date = from_date::DATE
) p
  ON  p.vendor = c.vendor AND p.job = c.job AND p.extract = c.extract AND p.question = c.question
  AND p.target IS NOT DISTINCT FROM c.target AND p.scope IS NOT DISTINCT FROM c.scope AND p.anchor_text = c.anchor_text
WHERE p.job IS NULL OR c.job IS NULL;

COMMENT ON MACRO TABLE marts.anchors_between IS 'anchor texts that targets gained (new) or lost between any two whole nights: FROM marts.anchors_between(DATE ''2026-11-01'', DATE ''2026-11-30'')';
