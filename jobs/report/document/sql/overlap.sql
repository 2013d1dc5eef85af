-- what two vendors saw of a target that night: both, or one alone
SELECT target, kind, reach, count(*) FILTER (seen_by = 'moz'), count(*) FILTER (seen_by = 'both'), count(*) FILTER (seen_by = 'ahrefs')
FROM marts.vendor_overlap
WHERE target IN ($targets) AND run_date = $date
GROUP BY ALL
ORDER BY ALL
