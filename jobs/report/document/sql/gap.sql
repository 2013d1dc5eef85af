-- what became of the gaps of the job, month by month: the latest twelve of each
SELECT target, concat_ws(', ', extract, scope) AS list, strftime(month, '%Y-%m'), open_before, opened, closed, lost, unknown, open_after
FROM marts.gap_closure
WHERE job = $job AND month <= $date
QUALIFY row_number() OVER (PARTITION BY target, extract, scope ORDER BY month DESC, first_night DESC) <= 12
ORDER BY target NULLS FIRST, list, month, first_night
