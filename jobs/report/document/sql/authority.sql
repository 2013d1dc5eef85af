-- how many linking domains have which authority, on the latest whole night of each list: by tens, -1 where it is not known
WITH nights AS (
    SELECT extract, endpoint, target, scope, max(run_date) AS run_date
    FROM marts.whole_nights
    WHERE job = $job AND target IN ($targets) AND run_date BETWEEN $from AND $date AND endpoint IN ('moz/linking_root_domains', 'ahrefs/refdomains')
    GROUP BY ALL
),
domains AS (
    SELECT 'moz' AS vendor, n.extract, n.target, n.scope, n.run_date, l.root_domain AS domain, max(l.domain_authority) AS authority
    FROM nights n
    JOIN moz.linking_root_domains l
      ON  l.job = $job AND l.extract = n.extract AND l.target = n.target AND l.scope IS NOT DISTINCT FROM n.scope AND l.run_date = n.run_date
    WHERE n.endpoint = 'moz/linking_root_domains' AND l.to_target_pages IS DISTINCT FROM 0
    GROUP BY ALL
    UNION ALL
    SELECT 'ahrefs', n.extract, n.target, n.scope, n.run_date, l.domain, max(l.domain_rating)
    FROM nights n
    JOIN ahrefs.refdomains l
      ON  l.job = $job AND l.extract = n.extract AND l.target = n.target AND l.scope IS NOT DISTINCT FROM n.scope AND l.run_date = n.run_date
    WHERE n.endpoint = 'ahrefs/refdomains' AND l.last_seen IS NULL
    GROUP BY ALL
)
SELECT target, concat_ws(', ', vendor, extract, scope) AS list, run_date::VARCHAR,
       CASE WHEN authority IS NULL THEN -1 ELSE least(floor(authority / 10), 9) END::BIGINT AS ten, count(*)
FROM domains
GROUP BY ALL
ORDER BY target, list, ten
