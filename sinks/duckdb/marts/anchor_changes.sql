-- Which anchor texts appeared and disappeared between two consecutive whole nights of the same target; marts.whole_nights
-- says which nights these are. marts.anchors_between compares any two.
CREATE VIEW marts.anchor_changes AS
SELECT coalesce(c.vendor, p.vendor) AS vendor, coalesce(c.target, p.target) AS target, coalesce(c.scope, p.scope) AS scope,
       coalesce(c.job, p.job) AS job, coalesce(c.extract, p.extract) AS extract,
       coalesce(p.run_date, c.previous_run_date) AS previous_run_date, coalesce(c.run_date, p.next_run_date) AS run_date,
       CASE WHEN p.job IS NULL THEN 'new' ELSE 'lost' END AS change,
       coalesce(c.anchor_text, p.anchor_text) AS anchor_text,
       p.domains AS previous_external_root_domains, c.domains AS external_root_domains,
       p.pages AS previous_external_pages, c.pages AS external_pages
FROM (FROM marts.anchors_by_night WHERE previous_run_date IS NOT NULL) c
FULL JOIN (FROM marts.anchors_by_night WHERE next_run_date IS NOT NULL) p
  ON  p.vendor = c.vendor AND p.job = c.job AND p.extract = c.extract AND p.question = c.question AND p.next_run_date = c.run_date
  AND p.target IS NOT DISTINCT FROM c.target AND p.scope IS NOT DISTINCT FROM c.scope AND p.anchor_text = c.anchor_text
WHERE p.job IS NULL OR c.job IS NULL;

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

COMMENT ON VIEW marts.anchor_changes IS 'one anchor text that a target gained (new) or lost between two consecutive run dates of the same job and extract; only nights whose list was bought to its end are compared';
COMMENT ON COLUMN marts.anchor_changes.vendor IS 'moz or ahrefs';
COMMENT ON COLUMN marts.anchor_changes.target IS 'the target as sent';
COMMENT ON COLUMN marts.anchor_changes.scope IS 'scope or mode of the target';
COMMENT ON COLUMN marts.anchor_changes.job IS 'the job';
COMMENT ON COLUMN marts.anchor_changes.extract IS 'the job''s extract';
COMMENT ON COLUMN marts.anchor_changes.previous_run_date IS 'the earlier of the two nights';
COMMENT ON COLUMN marts.anchor_changes.run_date IS 'the later of the two nights';
COMMENT ON COLUMN marts.anchor_changes.change IS 'new: on run_date but not on previous_run_date; lost: the reverse';
COMMENT ON COLUMN marts.anchor_changes.anchor_text IS 'the text as the vendor gives it';
COMMENT ON COLUMN marts.anchor_changes.previous_external_root_domains IS 'root domains linking with this text on previous_run_date; null if new; Ahrefs'' refdomains [root domains]';
COMMENT ON COLUMN marts.anchor_changes.external_root_domains IS 'root domains linking with this text on run_date; null if lost; Ahrefs'' refdomains [root domains]';
COMMENT ON COLUMN marts.anchor_changes.previous_external_pages IS 'pages linking with this text on previous_run_date; null if new; Ahrefs'' refpages [pages]';
COMMENT ON COLUMN marts.anchor_changes.external_pages IS 'pages linking with this text on run_date; null if lost; Ahrefs'' refpages [pages]';
