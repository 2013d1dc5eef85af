-- Which anchor texts appeared and disappeared between two consecutive whole nights of the same target. Which nights
-- are whole is what ops.tasks says: a list that was cut off, by a fault, a budget or max_rows, is not taken for lost
-- anchors, and a night on which a target had no anchor counts as a night.
CREATE VIEW marts.anchor_changes AS
WITH dates AS (
    SELECT job, extract, target, scope, run_date FROM ops.tasks WHERE published AND ending = 'end of list' AND endpoint = 'moz/anchor_text'
),
nights AS (
    SELECT *,
           lag(run_date) OVER w AS previous_run_date,
           lead(run_date) OVER w AS next_run_date
    FROM dates
    WINDOW w AS (PARTITION BY job, extract, target, scope ORDER BY run_date)
),
anchors AS (
    SELECT a.job, a.extract, a.target, a.scope, a.run_date, n.previous_run_date, n.next_run_date,
           a.anchor_text, a.external_root_domains, a.external_pages
    FROM moz.anchor_text a
    JOIN nights n
      ON  a.job = n.job AND a.extract = n.extract AND a.run_date = n.run_date
      AND a.target IS NOT DISTINCT FROM n.target AND a.scope IS NOT DISTINCT FROM n.scope
),
new_anchors AS (
    SELECT target, scope, job, extract, previous_run_date, run_date, 'new' AS change, anchor_text,
           NULL::BIGINT AS previous_external_root_domains, external_root_domains,
           NULL::BIGINT AS previous_external_pages, external_pages
    FROM anchors c
    WHERE previous_run_date IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM moz.anchor_text p
        WHERE p.job = c.job AND p.extract = c.extract AND p.run_date = c.previous_run_date
          AND p.target IS NOT DISTINCT FROM c.target AND p.scope IS NOT DISTINCT FROM c.scope
          AND p.anchor_text = c.anchor_text)
),
lost_anchors AS (
    SELECT target, scope, job, extract, run_date AS previous_run_date, next_run_date AS run_date, 'lost' AS change, anchor_text,
           external_root_domains AS previous_external_root_domains, NULL::BIGINT AS external_root_domains,
           external_pages AS previous_external_pages, NULL::BIGINT AS external_pages
    FROM anchors p
    WHERE next_run_date IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM moz.anchor_text c
        WHERE c.job = p.job AND c.extract = p.extract AND c.run_date = p.next_run_date
          AND c.target IS NOT DISTINCT FROM p.target AND c.scope IS NOT DISTINCT FROM p.scope
          AND c.anchor_text = p.anchor_text)
)
SELECT * FROM new_anchors UNION ALL SELECT * FROM lost_anchors;

COMMENT ON VIEW marts.anchor_changes IS 'one anchor text that a target gained (new) or lost between two consecutive run dates of the same job and extract; only nights whose list was bought to its end are compared';
COMMENT ON COLUMN marts.anchor_changes.change IS 'new: on run_date but not on previous_run_date; lost: the reverse';
COMMENT ON COLUMN marts.anchor_changes.previous_external_root_domains IS 'root domains linking with this text on previous_run_date; null if new [root domains]';
COMMENT ON COLUMN marts.anchor_changes.external_root_domains IS 'root domains linking with this text on run_date; null if lost [root domains]';
