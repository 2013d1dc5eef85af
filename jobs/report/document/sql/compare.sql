-- lists that are whole in both runs and were asked alike: how many rows each has, and what came and went, the best first
WITH pairs AS (
    SELECT DISTINCT a.endpoint, a.target, a.scope, a.extract AS first_extract, b.extract AS second_extract,
           CASE WHEN a.endpoint IN ('moz/linking_root_domains', 'ahrefs/refdomains') THEN 'domains'
                WHEN a.endpoint IN ('moz/links', 'ahrefs/all_backlinks') THEN 'links' ELSE 'anchor texts' END AS what
    FROM marts.whole_nights a
    JOIN marts.whole_nights b ON b.endpoint = a.endpoint AND b.target = a.target AND b.scope IS NOT DISTINCT FROM a.scope AND b.question = a.question
    WHERE a.job = $job AND a.run_date = $date AND b.job = $other_job AND b.run_date = $other_date AND a.target IN ($targets)
      AND a.endpoint IN ('moz/linking_root_domains', 'moz/links', 'moz/anchor_text', 'ahrefs/refdomains', 'ahrefs/all_backlinks', 'ahrefs/anchors')
),
sides AS (
    SELECT *, $first AS run_id, first_extract AS extract FROM pairs
    UNION ALL
    SELECT *, $second, second_extract FROM pairs
),
items AS (
    SELECT 'moz/linking_root_domains' AS endpoint, run_id, extract, target, scope, root_domain AS item, NULL::VARCHAR AS about, domain_authority::DOUBLE AS worth
    FROM moz.linking_root_domains WHERE run_id IN ($first, $second) AND to_target_pages IS DISTINCT FROM 0
    UNION ALL
    SELECT 'ahrefs/refdomains', run_id, extract, target, scope, domain, NULL, domain_rating FROM ahrefs.refdomains
    WHERE run_id IN ($first, $second) AND last_seen IS NULL
    UNION ALL
    SELECT 'moz/links', run_id, extract, target, scope, source_page, target_page, source_domain_authority FROM moz.links
    WHERE run_id IN ($first, $second) AND date_disappeared IS NULL
    UNION ALL
    SELECT 'ahrefs/all_backlinks', run_id, extract, target, scope, url_from, url_to, domain_rating_source FROM ahrefs.all_backlinks
    WHERE run_id IN ($first, $second) AND last_seen IS NULL AND is_lost IS DISTINCT FROM true
    UNION ALL
    SELECT 'moz/anchor_text', run_id, extract, target, scope, anchor_text, NULL, external_root_domains FROM moz.anchor_text
    WHERE run_id IN ($first, $second)
    UNION ALL
    SELECT 'ahrefs/anchors', run_id, extract, target, scope, coalesce(anchor, ''), NULL, refdomains FROM ahrefs.anchors
    WHERE run_id IN ($first, $second) AND last_seen IS NULL
),
seen AS (
    SELECT s.endpoint, s.target, s.scope, s.first_extract, s.second_extract, i.item, i.about, max(i.worth) AS worth,
           bool_or(i.run_id = $first) AS before, bool_or(i.run_id = $second) AS after
    FROM sides s
    JOIN items i ON i.endpoint = s.endpoint AND i.run_id = s.run_id AND i.extract = s.extract AND i.target = s.target AND i.scope IS NOT DISTINCT FROM s.scope
    GROUP BY ALL
),
counts AS (
    SELECT endpoint, target, scope, first_extract, second_extract, count(*) FILTER (before) AS before, count(*) FILTER (after) AS after,
           count(*) FILTER (after AND NOT before) AS won, count(*) FILTER (before AND NOT after) AS lost
    FROM seen
    GROUP BY ALL
),
changed AS (
    SELECT endpoint, target, scope, first_extract, second_extract, CASE WHEN after THEN 'won' ELSE 'lost' END AS change, item, about, worth
    FROM seen
    WHERE before <> after
    QUALIFY row_number() OVER (PARTITION BY endpoint, target, scope, first_extract, second_extract ORDER BY worth DESC NULLS LAST, item, about) <= $rows
)
SELECT p.target, p.what, concat_ws(', ', split_part(p.endpoint, '/', 1), p.second_extract, p.scope) AS list,
       coalesce(c.before, 0), coalesce(c.after, 0), coalesce(c.won, 0), coalesce(c.lost, 0), x.change, x.item, x.about, round(x.worth)::BIGINT
FROM pairs p
LEFT JOIN counts c
  ON  c.endpoint = p.endpoint AND c.target = p.target AND c.scope IS NOT DISTINCT FROM p.scope AND c.first_extract = p.first_extract
  AND c.second_extract = p.second_extract
LEFT JOIN changed x
  ON  x.endpoint = p.endpoint AND x.target = p.target AND x.scope IS NOT DISTINCT FROM p.scope AND x.first_extract = p.first_extract
  AND x.second_extract = p.second_extract
ORDER BY p.target, CASE p.what WHEN 'domains' THEN 1 WHEN 'links' THEN 2 ELSE 3 END, list, p.first_extract, x.worth DESC NULLS LAST, x.item, x.about
