-- Which night's rows are the latest whole ones of every target, and when that was looked at last: a night that was skipped
-- because the vendor's index had not changed has no rows of its own. A list of which rows did not fit is not whole.
CREATE VIEW marts.freshness AS
SELECT job, extract, endpoint, target, scope,
       max(run_date) FILTER (WHERE published AND ending IN ('end of list', 'max_rows') AND coalesce(rejected_rows, 0) = 0) AS rows_of,
       max(run_date) FILTER (WHERE complete AND coalesce(rejected_rows, 0) = 0) AS checked_on,
       max_by(rows, run_date) FILTER (WHERE published AND ending IN ('end of list', 'max_rows') AND coalesce(rejected_rows, 0) = 0) AS rows,
       max_by(ending, run_date) AS last_ending,
       coalesce(max_by(rejected_rows, run_date), 0) AS last_rejected_rows,
       max(run_date) AS last_run_date
FROM ops.tasks
GROUP BY job, extract, endpoint, target, scope;

COMMENT ON VIEW marts.freshness IS 'one target of one extract: which night its latest whole rows are of, and when they were last known to be current';
COMMENT ON COLUMN marts.freshness.rows_of IS 'the run date whose rows are the latest whole ones; null if there is none';
COMMENT ON COLUMN marts.freshness.checked_on IS 'the latest run date on which the target was complete, or skipped because the index was unchanged';
COMMENT ON COLUMN marts.freshness.rows IS 'how many rows that night holds [rows]';
COMMENT ON COLUMN marts.freshness.last_ending IS 'how the list ended on the last run date';
COMMENT ON COLUMN marts.freshness.last_rejected_rows IS 'how many of its rows did not fit on the last run date [rows]';
COMMENT ON COLUMN marts.freshness.job IS 'the job';
COMMENT ON COLUMN marts.freshness.extract IS 'the job''s extract';
COMMENT ON COLUMN marts.freshness.endpoint IS 'vendor and report: moz/anchor_text';
COMMENT ON COLUMN marts.freshness.target IS 'the target as sent; null for batches of targets';
COMMENT ON COLUMN marts.freshness.scope IS 'scope or mode of the target';
COMMENT ON COLUMN marts.freshness.last_run_date IS 'the last run date on which the target was intended';
