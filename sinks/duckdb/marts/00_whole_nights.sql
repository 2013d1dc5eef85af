-- Which nights of a list can be compared: those on which the whole list was bought, down to its end, and is in the lake. A
-- list that was cut off, by a fault, a budget or max_rows, or of which rows did not fit, is not taken for losses, and a night on
-- which a target had no row counts as a night. A night that was skipped because the vendor's index had not changed has no rows
-- and is none.
--
-- Two nights are compared only where the same was asked on both: ops.tasks.question says so, a changed filter or another
-- surface begins anew. Lists over a moving window of time, such as Moz's gained_last_60_days, are left out: what leaves the
-- window is not lost.
--
-- Runs of versions that did not keep these columns have null there: their rows are taken to have fitted, and their question is what
-- this version would have written; `backhaul replay` fills the columns.
--
-- Whoever joins nights with rows names the nights first. DuckDB looks for files from left to right, and a run publishes the nights
-- after its rows: so a night that is known has its rows. This is what marts.whole_spans is written from.
CREATE VIEW helper.whole_tasks AS
SELECT job, extract, endpoint, target, scope, run_date,
       coalesce(min(question), CASE count(*) WHEN 1 THEN min(task_id) ELSE left(sha256(array_to_string(list_sort(list(task_id) FILTER (question IS NULL)), ' ')), 16) END) AS question
FROM ops.tasks
GROUP BY job, extract, endpoint, target, scope, run_date
HAVING bool_and(published AND ending = 'end of list' AND coalesce(rejected_rows, 0) = 0 AND NOT coalesce(windowed, false));

CREATE VIEW helper.nights AS
SELECT job, extract, endpoint, target, scope, question, unnest(generate_series(first_night, last_night, INTERVAL 1 DAY))::DATE AS run_date
FROM marts.whole_spans;

-- The latest whole night of each list, whatever was asked.
CREATE VIEW helper.latest AS
SELECT job, extract, endpoint, target, scope, max(last_night) AS run_date
FROM marts.whole_spans
GROUP BY job, extract, endpoint, target, scope;

CREATE VIEW marts.whole_nights AS
SELECT job, extract, endpoint, target, scope, question, run_date,
       lag(run_date) OVER list AS previous_run_date,
       lead(run_date) OVER list AS next_run_date,
       run_date = max(run_date) OVER (PARTITION BY job, extract, endpoint, target, scope) AS latest
FROM helper.nights
WINDOW list AS (PARTITION BY job, extract, endpoint, target, scope, question ORDER BY run_date);

COMMENT ON VIEW marts.whole_nights IS 'one night on which the whole list of one target of one extract was bought, to its end: the nights that can be compared';
COMMENT ON COLUMN marts.whole_nights.job IS 'the job';
COMMENT ON COLUMN marts.whole_nights.extract IS 'the job''s extract';
COMMENT ON COLUMN marts.whole_nights.endpoint IS 'vendor and report: moz/links';
COMMENT ON COLUMN marts.whole_nights.target IS 'the target as sent';
COMMENT ON COLUMN marts.whole_nights.scope IS 'scope or mode of the target';
COMMENT ON COLUMN marts.whole_nights.question IS 'what was asked, parameters included; nights with different ones are not compared';
COMMENT ON COLUMN marts.whole_nights.run_date IS 'the night';
COMMENT ON COLUMN marts.whole_nights.previous_run_date IS 'the whole night before it; null if it is the first';
COMMENT ON COLUMN marts.whole_nights.next_run_date IS 'the whole night after it; null if it is the last of this question';
COMMENT ON COLUMN marts.whole_nights.latest IS 'nothing newer is known of the list, whatever was asked';
