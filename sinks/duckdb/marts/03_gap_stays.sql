-- How long sources stayed in a gap: the answers of one link_intersect extract, night by night, cut where a source left and came
-- back. The nights are those whose list is in the lake down to its end or to max_rows, of the same question.
--
-- The sites that are compared, and what belongs to them, are not in the gap, though they may link to one another.
--
-- Why a source left the list the list does not say. Either it links to us now, or it no longer links to enough of the rivals.
-- A job that wants to know asks moz/link_status about the sources that are gone, against the negative targets and at the scope
-- of the gap; jobs/linkgap.yaml does. The outcome is
--   open     in the list of the latest night
--   dropped  in the list of the last night on which this was asked; something else is asked since, other rivals say
--   closed   gone, and an answer from then on, before it came back if it did, says that it links to one of our targets
--   lost     gone, and the answers say that it does not: the rivals' links are gone. This is only said where the list that no
--            longer has it was bought to its end
--   unknown  gone, and nobody asked, or the list was cut off by max_rows above its place
CREATE VIEW marts.gap_stays AS
WITH nights AS (
    SELECT *, row_number() OVER (PARTITION BY job, extract, target, scope, question ORDER BY run_date) AS night,
           question = last_value(question) OVER (PARTITION BY job, extract, target, scope ORDER BY run_date
             ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS asked_still
    FROM (
        SELECT job, extract, target, scope, run_date, string_agg(task_id, ' ' ORDER BY task_id) AS question, bool_and(ending = 'end of list') AS whole
        FROM ops.tasks
        WHERE endpoint = 'moz/link_intersect'
        GROUP BY job, extract, target, scope, run_date
        HAVING bool_and(published AND ending IN ('end of list', 'max_rows') AND coalesce(rejected_rows, 0) = 0)
    )
),
present AS (
    -- Moz prints a host alone with a slash, which is not sent
    SELECT n.job, n.extract, n.target, n.scope, n.question, n.asked_still, n.night, n.run_date, regexp_replace(i.page, '^([^/]+)/$', '\1') AS source_page,
           any_value(i.negative_targets) AS negative_targets
    FROM nights n
    JOIN moz.link_intersect i
      ON  i.job = n.job AND i.extract = n.extract AND i.run_date = n.run_date
      AND i.target IS NOT DISTINCT FROM n.target AND i.scope IS NOT DISTINCT FROM n.scope
    WHERE NOT EXISTS (
        SELECT 1 FROM (SELECT unnest(list_concat(i.positive_targets, i.negative_targets)) AS site)
        WHERE ends_with('.' || split_part(i.page, '/', 1), '.' || split_part(site, '/', 1)))
    GROUP BY n.job, n.extract, n.target, n.scope, n.question, n.asked_still, n.night, n.run_date, regexp_replace(i.page, '^([^/]+)/$', '\1')
),
islands AS (
    SELECT *, night - row_number() OVER (PARTITION BY job, extract, target, scope, question, source_page ORDER BY night) AS island
    FROM present
),
stays AS (
    SELECT job, extract, target, scope, question, source_page, min(night) AS first_night, max(night) AS last_night,
           min(run_date) AS opened_on, max(run_date) AS last_seen_on, bool_and(asked_still) AS asked_still, any_value(negative_targets) AS negative_targets
    FROM islands
    GROUP BY job, extract, target, scope, question, source_page, island
),
ended AS (
    SELECT s.*, n.run_date AS left_on, n.whole AS left_whole,
           lead(s.opened_on) OVER (PARTITION BY s.job, s.extract, s.target, s.scope, s.question, s.source_page ORDER BY s.opened_on) AS back_on
    FROM stays s
    LEFT JOIN nights n
      ON  n.job = s.job AND n.extract = s.extract AND n.question = s.question AND n.night = s.last_night + 1
      AND n.target IS NOT DISTINCT FROM s.target AND n.scope IS NOT DISTINCT FROM s.scope
),
answers AS (
    SELECT e.job, e.extract, e.target, e.scope, e.question, e.source_page, e.first_night,
           bool_or(a.link_exists) AS linked, min(a.run_date) FILTER (a.link_exists) AS linked_on, max(a.run_date) AS answered_on
    FROM ended e
    JOIN moz.link_status a
      ON  a.job = e.job AND a.source = e.source_page AND a.source_scope = e.scope
      AND a.run_date >= e.left_on AND a.run_date < coalesce(e.back_on, DATE '9999-12-31')
    WHERE list_contains(e.negative_targets, a.target)
    GROUP BY e.job, e.extract, e.target, e.scope, e.question, e.source_page, e.first_night
)
SELECT e.job, e.extract, e.target, e.scope, e.question, e.source_page, e.opened_on, e.first_night = 1 AS from_the_start,
       e.last_seen_on, e.left_on,
       CASE
           WHEN e.left_on IS NULL AND e.asked_still THEN 'open'
           WHEN e.left_on IS NULL THEN 'dropped'
           WHEN a.linked THEN 'closed'
           WHEN NOT a.linked AND e.left_whole THEN 'lost'
           ELSE 'unknown'
       END AS outcome,
       a.linked_on, a.answered_on
FROM ended e
LEFT JOIN answers a
  ON  a.job = e.job AND a.extract = e.extract AND a.question = e.question AND a.source_page = e.source_page AND a.first_night = e.first_night
  AND a.target IS NOT DISTINCT FROM e.target AND a.scope IS NOT DISTINCT FROM e.scope;

COMMENT ON VIEW marts.gap_stays IS 'one unbroken stay of a source in the gap of a link_intersect extract, and why it ended';
COMMENT ON COLUMN marts.gap_stays.job IS 'the job';
COMMENT ON COLUMN marts.gap_stays.extract IS 'the job''s extract';
COMMENT ON COLUMN marts.gap_stays.target IS 'our targets, which the source does not link to, joined with +';
COMMENT ON COLUMN marts.gap_stays.scope IS 'how wide the source is taken: page, root_domain';
COMMENT ON COLUMN marts.gap_stays.question IS 'what was asked, rivals included: another question begins new stays';
COMMENT ON COLUMN marts.gap_stays.source_page IS 'the source: a page, or a root domain at that scope';
COMMENT ON COLUMN marts.gap_stays.opened_on IS 'the first night of the stay';
COMMENT ON COLUMN marts.gap_stays.from_the_start IS 'it was there on the first night that was asked about: when it opened is not known';
COMMENT ON COLUMN marts.gap_stays.last_seen_on IS 'the last night of the stay';
COMMENT ON COLUMN marts.gap_stays.left_on IS 'the night after that, on which the list no longer had it; null while it is open';
COMMENT ON COLUMN marts.gap_stays.outcome IS 'open; dropped: open when this was last asked, something else is asked since; closed: it links to us now; lost: it links neither to us nor to enough rivals; unknown: gone, and nobody asked whether it links to us, or the list was cut off';
COMMENT ON COLUMN marts.gap_stays.linked_on IS 'the first night on which it was found to link to us after it left';
COMMENT ON COLUMN marts.gap_stays.answered_on IS 'the last night on which it was asked about after it left';
