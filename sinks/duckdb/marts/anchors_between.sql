CREATE MACRO marts.anchors_between(of_target, from_day, to_day) AS TABLE
WITH pairs AS MATERIALIZED (
    FROM helper.pairs WHERE endpoint IN ('moz/anchor_text', 'ahrefs/anchors')
),
nights AS MATERIALIZED (
    SELECT *, unnest([from_date, to_date]) AS run_date, strftime(run_date, '%Y-%m') AS month, split_part(endpoint, '/', 1) AS vendor
    FROM pairs WHERE from_date <> to_date
),
seen AS (
    SELECT l.vendor, l.job, l.extract, l.target, l.scope, l.from_date, l.to_date, l.anchor AS anchor_text,
           bool_or(l.run_date = l.from_date) AS was, bool_or(l.run_date = l.to_date) AS still,
           max(l.domains) FILTER (l.run_date = l.from_date) AS previous_external_root_domains,
           max(l.domains) FILTER (l.run_date = l.to_date) AS external_root_domains,
           max(l.pages) FILTER (l.run_date = l.from_date) AS previous_external_pages,
           max(l.pages) FILTER (l.run_date = l.to_date) AS external_pages
    FROM (
        SELECT l.*, n.from_date, n.to_date
        FROM nights n
        JOIN (
            FROM (FROM helper.moz_anchors UNION ALL FROM helper.ahrefs_anchors) SEMI JOIN nights USING (run_date, month)
            WHERE target = of_target AND live
        ) l ON l.vendor = n.vendor AND l.job = n.job AND l.extract = n.extract AND l.run_date = n.run_date AND l.scope IS NOT DISTINCT FROM n.scope
    ) l
    GROUP BY ALL
)
SELECT vendor, job, extract, target, scope, from_date, to_date, CASE WHEN still THEN 'new' ELSE 'lost' END AS change,
       anchor_text, previous_external_root_domains, external_root_domains, previous_external_pages, external_pages
FROM seen
WHERE was <> still AND (FROM helper.comparable);

COMMENT ON MACRO TABLE marts.anchors_between IS 'anchor texts that a target gained (new) or lost between the last whole nights on or before two dates (from_date and to_date): FROM marts.anchors_between(''example.com'', DATE ''2026-11-01'', DATE ''2026-11-30'')';
