-- What became of a gap, month by month. A month begins with what was open on the last night before it (the first month: on the
-- first night ever) and ends with what is open on its last night; in between sources came and went:
--
--   open_before + opened - closed - lost - unknown = open_after
--
-- Sources that come back count as opened again. Whether a gap was closed or lost is what marts.gap_stays says; a source counts in the
-- month in which it left the list. ignored is beside the sum: an ignored source stays in the list.
CREATE VIEW marts.gap_closure AS
WITH nights AS (
    SELECT job, extract, target, scope, run_date, string_agg(task_id, ' ' ORDER BY task_id) AS question
    FROM ops.tasks
    WHERE endpoint = 'moz/link_intersect'
    GROUP BY job, extract, target, scope, run_date
    HAVING bool_and(published AND ending IN ('end of list', 'max_rows') AND coalesce(rejected_rows, 0) = 0)
),
months AS (
    SELECT job, extract, target, scope, question, date_trunc('month', run_date)::DATE AS month, min(run_date) AS first_night, max(run_date) AS last_night
    FROM nights
    GROUP BY ALL
),
ignored AS (
    SELECT job, source_page, min(run_date) AS ignored_on
    FROM marts.gap_labels
    WHERE ignored
    GROUP BY job, source_page
),
stays AS (
    SELECT s.*, i.ignored_on
    FROM marts.gap_stays s
    LEFT JOIN ignored i ON i.job = s.job AND i.source_page = s.source_page
)
SELECT m.job, m.extract, m.target, m.scope, m.month, m.first_night, m.last_night,
       count(*) FILTER (s.opened_on < m.month AND (s.left_on IS NULL OR s.left_on >= m.month) OR s.from_the_start AND s.opened_on >= m.month AND s.opened_on <= m.last_night) AS open_before,
       count(*) FILTER (NOT s.from_the_start AND s.opened_on BETWEEN m.month AND m.last_night) AS opened,
       count(*) FILTER (s.outcome = 'closed' AND s.left_on BETWEEN m.month AND m.last_night) AS closed,
       count(*) FILTER (s.outcome = 'lost' AND s.left_on BETWEEN m.month AND m.last_night) AS lost,
       count(*) FILTER (s.outcome = 'unknown' AND s.left_on BETWEEN m.month AND m.last_night) AS unknown,
       count(*) FILTER (s.opened_on <= m.last_night AND (s.left_on IS NULL OR s.left_on > m.last_night)) AS open_after,
       count(DISTINCT s.source_page) FILTER (s.ignored_on BETWEEN m.month AND m.last_night) AS ignored
FROM months m
LEFT JOIN stays s
  ON  s.job = m.job AND s.extract = m.extract AND s.question = m.question
  AND s.target IS NOT DISTINCT FROM m.target AND s.scope IS NOT DISTINCT FROM m.scope
GROUP BY m.job, m.extract, m.target, m.scope, m.question, m.month, m.first_night, m.last_night
ORDER BY m.job, m.extract, m.target, m.scope, m.month, m.first_night;

COMMENT ON VIEW marts.gap_closure IS 'what became of the gap of a link_intersect extract in one month; a month in which the question changed has a row for each';
COMMENT ON COLUMN marts.gap_closure.job IS 'the job';
COMMENT ON COLUMN marts.gap_closure.extract IS 'the job''s extract';
COMMENT ON COLUMN marts.gap_closure.target IS 'our targets, which the sources do not link to, joined with +';
COMMENT ON COLUMN marts.gap_closure.scope IS 'how wide the sources are taken: page, root_domain';
COMMENT ON COLUMN marts.gap_closure.month IS 'the first day of the month';
COMMENT ON COLUMN marts.gap_closure.first_night IS 'the first night of the month whose list is known';
COMMENT ON COLUMN marts.gap_closure.last_night IS 'the last night of the month whose list is known';
COMMENT ON COLUMN marts.gap_closure.open_before IS 'in the gap before the month, or on the very first night [sources]';
COMMENT ON COLUMN marts.gap_closure.opened IS 'came to the gap in the month, for the first time or again [sources]';
COMMENT ON COLUMN marts.gap_closure.closed IS 'left it in the month and link to us [sources]';
COMMENT ON COLUMN marts.gap_closure.lost IS 'left it in the month and do not link to us: the rivals'' links are gone [sources]';
COMMENT ON COLUMN marts.gap_closure.unknown IS 'left it in the month, and nobody asked whether they link to us, or the list was cut off [sources]';
COMMENT ON COLUMN marts.gap_closure.open_after IS 'in the gap on the last night of the month [sources]';
COMMENT ON COLUMN marts.gap_closure.ignored IS 'of those ever in the gap, labelled ignore in the month for the first time [sources]';
