-- units spent by day and vendor: by the job, and by all jobs of the warehouse
SELECT vendor, day::VARCHAR, coalesce(sum(units) FILTER (job = $job), 0)::BIGINT, sum(units)::BIGINT
FROM ops.spend
WHERE day BETWEEN $begin AND $end
GROUP BY vendor, day
ORDER BY vendor, day
