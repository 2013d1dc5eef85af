-- The live links of nights that can be compared, one row per pair of pages: a page that links to another with three texts is
-- one source of it, and the same link may reach the vendor's list by several ways (through a redirect, say).
CREATE VIEW helper.links_by_night AS
WITH nights AS (
    FROM marts.whole_nights WHERE endpoint IN ('moz/links', 'ahrefs/all_backlinks')
)
SELECT l.vendor, l.job, l.extract, l.target, l.scope, l.question, l.run_date, l.latest, any_value(l.previous_run_date) AS previous_run_date,
       any_value(l.next_run_date) AS next_run_date,
       l.source_page, l.target_page, max(l.source_root_domain) AS source_root_domain,
       list_sort(list(DISTINCT l.anchor_text)) AS anchor_texts, bool_and(l.nofollow) AS nofollow,
       min(l.date_first_seen) AS date_first_seen, max(l.source_page_authority) AS source_page_authority,
       max(l.source_domain_authority) AS source_domain_authority, max(l.source_spam_score) AS source_spam_score,
       max(l.source_url_rating) AS source_url_rating, max(l.source_domain_rating) AS source_domain_rating
FROM (
    SELECT l.*, n.question, n.previous_run_date, n.next_run_date, n.latest
    FROM nights n
    JOIN helper.moz_links l
      ON  l.job = n.job AND l.extract = n.extract AND l.run_date = n.run_date AND l.target = n.target AND l.scope IS NOT DISTINCT FROM n.scope
    WHERE n.endpoint = 'moz/links'
    UNION ALL
    SELECT l.*, n.question, n.previous_run_date, n.next_run_date, n.latest
    FROM nights n
    JOIN helper.ahrefs_links l
      ON  l.job = n.job AND l.extract = n.extract AND l.run_date = n.run_date AND l.target = n.target AND l.scope IS NOT DISTINCT FROM n.scope
    WHERE n.endpoint = 'ahrefs/all_backlinks'
) l
GROUP BY ALL;
