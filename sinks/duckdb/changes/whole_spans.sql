-- What is known of a span is kept up to the days that are worked out again, and from after them. What is left of each is a span without
-- a gap to the one before it exactly if the days between them and the first are all whole.
WITH spans AS (
    SELECT extract, endpoint, target, scope, question,
           unnest([first_night, greatest(first_night, $until)]) AS first_night, unnest([least(last_night, $from - 1), last_night]) AS last_night
    FROM marts.whole_spans
    WHERE job = $job AND run_date = $year
    UNION ALL
    SELECT extract, endpoint, target, scope, question, run_date, run_date
    FROM helper.whole_tasks
    WHERE job = $job AND run_date >= $from AND run_date < $until AND ($held)
),
numbered AS (
    SELECT *, last_night - (sum(last_night - first_night + 1) OVER (PARTITION BY extract, endpoint, target, scope, question ORDER BY first_night))::INTEGER AS span
    FROM spans
    WHERE first_night <= last_night
)
SELECT $job AS job, extract, endpoint, target, scope, question, min(first_night) AS first_night, max(last_night) AS last_night, $year AS run_date
FROM numbered
GROUP BY extract, endpoint, target, scope, question, span
