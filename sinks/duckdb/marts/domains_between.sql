CREATE MACRO marts.domains_between(of_target, from_day, to_day) AS TABLE
WITH pairs AS MATERIALIZED (
    FROM helper.pairs WHERE endpoint IN ('moz/linking_root_domains', 'ahrefs/refdomains')
),
nights AS MATERIALIZED (
    SELECT *, unnest([from_date, to_date]) AS run_date, strftime(run_date, '%Y-%m') AS month, split_part(endpoint, '/', 1) AS vendor
    FROM pairs WHERE from_date <> to_date
),
seen AS (
    SELECT l.vendor, l.job, l.extract, l.target, l.scope, l.from_date, l.to_date, l.root_domain,
           bool_or(l.run_date = l.from_date) AS was, bool_or(l.run_date = l.to_date) AS still,
           max(l.pages) FILTER (l.run_date = l.from_date) AS previous_pages,
           max(l.pages) FILTER (l.run_date = l.to_date) AS pages,
           coalesce(max(l.domain_authority) FILTER (l.run_date = l.to_date), max(l.domain_authority) FILTER (l.run_date = l.from_date)) AS domain_authority,
           coalesce(max(l.spam_score) FILTER (l.run_date = l.to_date), max(l.spam_score) FILTER (l.run_date = l.from_date)) AS spam_score,
           coalesce(max(l.domain_rating) FILTER (l.run_date = l.to_date), max(l.domain_rating) FILTER (l.run_date = l.from_date)) AS domain_rating
    FROM (
        SELECT l.*, n.from_date, n.to_date
        FROM nights n
        JOIN (
            FROM (FROM helper.moz_domains UNION ALL FROM helper.ahrefs_domains) SEMI JOIN nights USING (run_date, month)
            WHERE target = of_target
        ) l ON l.vendor = n.vendor AND l.job = n.job AND l.extract = n.extract AND l.run_date = n.run_date AND l.scope IS NOT DISTINCT FROM n.scope
    ) l
    GROUP BY ALL
)
SELECT vendor, job, extract, target, scope, from_date, to_date, CASE WHEN still THEN 'new' ELSE 'lost' END AS change,
       root_domain, previous_pages, pages, domain_authority, spam_score, domain_rating
FROM seen
WHERE was <> still AND (FROM helper.comparable);

COMMENT ON MACRO TABLE marts.domains_between IS 'root domains that began (new) or ceased (lost) to link to a target between the last whole nights on or before two dates (from_date and to_date): FROM marts.domains_between(''example.com'', DATE ''2026-11-01'', DATE ''2026-11-30'')';
