CREATE MACRO marts.links_between(of_target, from_day, to_day) AS TABLE
WITH pairs AS MATERIALIZED (
    FROM helper.pairs WHERE endpoint IN ('moz/links', 'ahrefs/all_backlinks')
),
nights AS MATERIALIZED (
    SELECT *, unnest([from_date, to_date]) AS run_date, strftime(run_date, '%Y-%m') AS month, split_part(endpoint, '/', 1) AS vendor
    FROM pairs WHERE from_date <> to_date
),
seen AS (
    SELECT l.vendor, l.job, l.extract, l.target, l.scope, l.from_date, l.to_date, l.source_page, l.target_page,
           bool_or(l.run_date = l.from_date) AS was, bool_or(l.run_date = l.to_date) AS still,
           coalesce(max(l.source_root_domain) FILTER (l.run_date = l.to_date), max(l.source_root_domain) FILTER (l.run_date = l.from_date)) AS source_root_domain,
           list_sort(list(DISTINCT l.anchor_text) FILTER (l.run_date = l.from_date)) AS previous_anchor_texts,
           list_sort(list(DISTINCT l.anchor_text) FILTER (l.run_date = l.to_date)) AS anchor_texts,
           bool_and(l.nofollow) FILTER (l.run_date = l.from_date) AS previous_nofollow,
           bool_and(l.nofollow) FILTER (l.run_date = l.to_date) AS nofollow,
           coalesce(min(l.date_first_seen) FILTER (l.run_date = l.to_date), min(l.date_first_seen) FILTER (l.run_date = l.from_date)) AS date_first_seen,
           coalesce(max(l.source_page_authority) FILTER (l.run_date = l.to_date), max(l.source_page_authority) FILTER (l.run_date = l.from_date)) AS source_page_authority,
           coalesce(max(l.source_domain_authority) FILTER (l.run_date = l.to_date), max(l.source_domain_authority) FILTER (l.run_date = l.from_date)) AS source_domain_authority,
           coalesce(max(l.source_spam_score) FILTER (l.run_date = l.to_date), max(l.source_spam_score) FILTER (l.run_date = l.from_date)) AS source_spam_score,
           coalesce(max(l.source_url_rating) FILTER (l.run_date = l.to_date), max(l.source_url_rating) FILTER (l.run_date = l.from_date)) AS source_url_rating,
           coalesce(max(l.source_domain_rating) FILTER (l.run_date = l.to_date), max(l.source_domain_rating) FILTER (l.run_date = l.from_date)) AS source_domain_rating
    FROM (
        SELECT l.*, n.from_date, n.to_date
        FROM nights n
        JOIN (
            FROM (FROM helper.moz_links UNION ALL FROM helper.ahrefs_links) SEMI JOIN nights USING (run_date, month)
            WHERE target = of_target
        ) l ON l.vendor = n.vendor AND l.job = n.job AND l.extract = n.extract AND l.run_date = n.run_date AND l.scope IS NOT DISTINCT FROM n.scope
    ) l
    GROUP BY ALL
)
SELECT vendor, job, extract, target, scope, from_date, to_date, CASE WHEN NOT was THEN 'new' WHEN NOT still THEN 'lost' ELSE 'changed' END AS change,
       source_page, target_page, source_root_domain, previous_anchor_texts, anchor_texts, previous_nofollow, nofollow, date_first_seen,
       source_page_authority, source_domain_authority, source_spam_score, source_url_rating, source_domain_rating
FROM seen
WHERE (was <> still OR previous_anchor_texts IS DISTINCT FROM anchor_texts OR previous_nofollow IS DISTINCT FROM nofollow)
  AND (FROM helper.comparable);

COMMENT ON MACRO TABLE marts.links_between IS 'links that a target gained (new), lost, or whose texts or rel=nofollow changed between the last whole nights on or before two dates (from_date and to_date): FROM marts.links_between(''example.com'', DATE ''2026-11-01'', DATE ''2026-11-30'')';
