-- how many placements of the job stand how
SELECT verdict, count(*) AS placements, max(run_date)::VARCHAR
FROM marts.campaign
WHERE job = $job
GROUP BY verdict
ORDER BY placements DESC, verdict
