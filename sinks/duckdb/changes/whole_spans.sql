-- What is known of the days that are not worked out again, and those that are.
WITH known AS (
    SELECT extract, endpoint, target, scope, question, first_night, last_night
    FROM marts.whole_spans
    WHERE job = $job AND run_date = $year
),
spans AS (
    SELECT * REPLACE (least(last_night, $from - 1) AS last_night) FROM known WHERE first_night < $from
    UNION ALL
    SELECT * REPLACE (greatest(first_night, $until) AS first_night) FROM known WHERE last_night >= $until
    UNION ALL
    SELECT extract, endpoint, target, scope, question, run_date, run_date
    FROM helper.whole_tasks
    WHERE job = $job AND run_date >= $from AND run_date < $until AND ($held)
),
apart AS (
    SELECT *, first_night > lag(last_night) OVER list + 1 AS apart
    FROM spans
    WINDOW list AS (PARTITION BY extract, endpoint, target, scope, question ORDER BY first_night)
),
numbered AS (
    SELECT *, count(*) FILTER (apart) OVER (PARTITION BY extract, endpoint, target, scope, question ORDER BY first_night) AS span
    FROM apart
)
SELECT $job AS job, extract, endpoint, target, scope, question, min(first_night) AS first_night, max(last_night) AS last_night, $year AS run_date
FROM numbered
GROUP BY extract, endpoint, target, scope, question, span
