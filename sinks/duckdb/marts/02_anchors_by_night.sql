-- The live anchor texts of nights that can be compared. A text that a vendor delivered twice, at the seam of two pages, is one.
CREATE VIEW marts.anchors_by_night AS
SELECT a.vendor, n.job, n.extract, n.target, n.scope, n.question, n.run_date, n.previous_run_date, n.next_run_date,
       a.anchor AS anchor_text, max(a.domains) AS domains, max(a.pages) AS pages
FROM marts.whole_nights n
JOIN marts.anchors a
  ON  a.job = n.job AND a.extract = n.extract AND a.run_date = n.run_date
  AND a.target IS NOT DISTINCT FROM n.target AND a.scope IS NOT DISTINCT FROM n.scope
WHERE n.endpoint IN ('moz/anchor_text', 'ahrefs/anchors') AND a.live AND starts_with(n.endpoint, a.vendor)
GROUP BY ALL;

COMMENT ON VIEW marts.anchors_by_night IS 'one live anchor text of a target on a night that can be compared with others';
COMMENT ON COLUMN marts.anchors_by_night.vendor IS 'moz or ahrefs';
COMMENT ON COLUMN marts.anchors_by_night.job IS 'the job';
COMMENT ON COLUMN marts.anchors_by_night.extract IS 'the job''s extract';
COMMENT ON COLUMN marts.anchors_by_night.target IS 'the target as sent';
COMMENT ON COLUMN marts.anchors_by_night.scope IS 'scope or mode of the target';
COMMENT ON COLUMN marts.anchors_by_night.question IS 'what was asked; see marts.whole_nights';
COMMENT ON COLUMN marts.anchors_by_night.run_date IS 'the night';
COMMENT ON COLUMN marts.anchors_by_night.previous_run_date IS 'the whole night before it';
COMMENT ON COLUMN marts.anchors_by_night.next_run_date IS 'the whole night after it';
COMMENT ON COLUMN marts.anchors_by_night.anchor_text IS 'the text as the vendor gives it';
COMMENT ON COLUMN marts.anchors_by_night.domains IS 'domains linking with this text [root domains]';
COMMENT ON COLUMN marts.anchors_by_night.pages IS 'pages linking with this text [pages]';
