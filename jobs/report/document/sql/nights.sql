-- what was won and lost, by night
WITH compared AS (
    SELECT DISTINCT CASE endpoint WHEN 'moz/linking_root_domains' THEN 'domains' WHEN 'moz/links' THEN 'links' ELSE 'anchor texts' END AS what,
           split_part(endpoint, '/', 1) AS vendor, extract, target, scope, run_date
    FROM marts.whole_nights
    WHERE job = $job AND target IN ($targets) AND run_date BETWEEN $from AND $date AND previous_run_date IS NOT NULL
      AND endpoint IN ('moz/linking_root_domains', 'moz/links', 'moz/anchor_text', 'ahrefs/anchors')
),
changed AS (
    SELECT what, vendor, extract, target, scope, run_date, count(*) FILTER (change = 'new') AS won, count(*) FILTER (change = 'lost') AS lost
    FROM (
        SELECT 'domains' AS what, vendor, extract, target, scope, run_date, change FROM marts.domain_changes
        WHERE job = $job AND target IN ($targets) AND run_date BETWEEN $from AND $date
        UNION ALL
        SELECT 'links', vendor, extract, target, scope, run_date, change FROM marts.link_changes
        WHERE job = $job AND target IN ($targets) AND run_date BETWEEN $from AND $date
        UNION ALL
        SELECT 'anchor texts', vendor, extract, target, scope, run_date, change FROM marts.anchor_changes
        WHERE job = $job AND target IN ($targets) AND run_date BETWEEN $from AND $date
    )
    GROUP BY ALL
)
SELECT c.target, c.what, concat_ws(', ', c.vendor, c.extract, c.scope) AS list, c.run_date::VARCHAR, coalesce(x.won, 0), coalesce(x.lost, 0)
FROM compared c
LEFT JOIN changed x
  ON  x.what = c.what AND x.vendor = c.vendor AND x.extract = c.extract AND x.target = c.target AND x.scope IS NOT DISTINCT FROM c.scope
  AND x.run_date = c.run_date
ORDER BY c.target, CASE c.what WHEN 'domains' THEN 1 WHEN 'links' THEN 2 ELSE 3 END, list, c.run_date
