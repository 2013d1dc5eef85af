SELECT job, extract, endpoint, target, scope, question, list(run_date ORDER BY run_date) AS nights, $date AS run_date
FROM helper.whole_tasks
WHERE job = $job AND run_date >= $date AND run_date < $date + INTERVAL 1 MONTH
GROUP BY job, extract, endpoint, target, scope, question
