-- what came and went that night in the lists that no mart compares, against the whole night before: as compare does
WITH nights AS (
    SELECT endpoint, extract, target, scope, previous_run_date, CASE endpoint WHEN 'ahrefs/refdomains' THEN 'domains' ELSE 'links' END AS what
    FROM marts.whole_nights
    WHERE job = $job AND run_date = $date AND previous_run_date IS NOT NULL AND target IN ($targets)
      AND endpoint IN ('ahrefs/refdomains', 'ahrefs/all_backlinks')
),
sides AS (
    SELECT *, previous_run_date AS run_date FROM nights
    UNION ALL
    SELECT *, $date FROM nights
),
items AS (
    SELECT 'ahrefs/refdomains' AS endpoint, run_date, extract, target, scope, domain AS item, NULL::VARCHAR AS about, domain_rating AS worth
    FROM ahrefs.refdomains WHERE job = $job AND run_date IN (SELECT run_date FROM sides) AND last_seen IS NULL
    UNION ALL
    SELECT 'ahrefs/all_backlinks', run_date, extract, target, scope, url_from, url_to, domain_rating_source FROM ahrefs.all_backlinks
    WHERE job = $job AND run_date IN (SELECT run_date FROM sides) AND last_seen IS NULL AND is_lost IS DISTINCT FROM true AND url_from IS NOT NULL
),
seen AS (
    SELECT s.endpoint, s.extract, s.target, s.scope, i.item, i.about, max(i.worth) AS worth, bool_or(i.run_date < $date) AS before, bool_or(i.run_date = $date) AS after
    FROM sides s
    JOIN items i ON i.endpoint = s.endpoint AND i.run_date = s.run_date AND i.extract = s.extract AND i.target = s.target AND i.scope IS NOT DISTINCT FROM s.scope
    GROUP BY ALL
),
counts AS (
    SELECT endpoint, extract, target, scope, count(*) FILTER (before) AS before, count(*) FILTER (after) AS after,
           count(*) FILTER (after AND NOT before) AS won, count(*) FILTER (before AND NOT after) AS lost
    FROM seen
    GROUP BY ALL
),
changed AS (
    SELECT endpoint, extract, target, scope, CASE WHEN after THEN 'won' ELSE 'lost' END AS change, item, about, worth
    FROM seen
    WHERE before <> after
    QUALIFY row_number() OVER (PARTITION BY endpoint, extract, target, scope ORDER BY worth DESC NULLS LAST, item, about) <= $rows
)
SELECT n.target, n.what, concat_ws(', ', 'ahrefs', n.extract, n.scope) AS list,
       coalesce(c.before, 0), coalesce(c.after, 0), coalesce(c.won, 0), coalesce(c.lost, 0), x.change, x.item, x.about, round(x.worth)::BIGINT
FROM nights n
LEFT JOIN counts c ON c.endpoint = n.endpoint AND c.extract = n.extract AND c.target = n.target AND c.scope IS NOT DISTINCT FROM n.scope
LEFT JOIN changed x ON x.endpoint = n.endpoint AND x.extract = n.extract AND x.target = n.target AND x.scope IS NOT DISTINCT FROM n.scope
ORDER BY n.target, n.what, list, x.worth DESC NULLS LAST, x.item, x.about
