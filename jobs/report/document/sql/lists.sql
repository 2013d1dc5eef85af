-- the latest night of each anchor list that has rows: the nights to make profiles of
SELECT DISTINCT max(run_date)::VARCHAR AS night
FROM ops.tasks
WHERE job = $job AND target IN ($targets) AND run_date BETWEEN $from AND $date AND endpoint IN ('moz/anchor_text', 'ahrefs/anchors')
  AND published AND ending IN ('end of list', 'max_rows')
GROUP BY extract, endpoint, target, scope
ORDER BY 1
