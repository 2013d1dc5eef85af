-- The root domains that link on nights that can be compared.
CREATE VIEW helper.domains_by_night AS
WITH nights AS (
    FROM marts.whole_nights WHERE endpoint IN ('moz/linking_root_domains', 'ahrefs/refdomains')
)
SELECT l.vendor, l.job, l.extract, l.target, l.scope, l.question, l.run_date, l.latest, any_value(l.previous_run_date) AS previous_run_date,
       any_value(l.next_run_date) AS next_run_date,
       l.root_domain, max(l.pages) AS pages, max(l.domain_authority) AS domain_authority, max(l.spam_score) AS spam_score,
       max(l.domain_rating) AS domain_rating
FROM (
    SELECT l.*, n.question, n.previous_run_date, n.next_run_date, n.latest
    FROM nights n
    JOIN helper.moz_domains l
      ON  l.job = n.job AND l.extract = n.extract AND l.run_date = n.run_date AND l.target = n.target AND l.scope IS NOT DISTINCT FROM n.scope
    WHERE n.endpoint = 'moz/linking_root_domains'
    UNION ALL
    SELECT l.*, n.question, n.previous_run_date, n.next_run_date, n.latest
    FROM nights n
    JOIN helper.ahrefs_domains l
      ON  l.job = n.job AND l.extract = n.extract AND l.run_date = n.run_date AND l.target = n.target AND l.scope IS NOT DISTINCT FROM n.scope
    WHERE n.endpoint = 'ahrefs/refdomains'
) l
GROUP BY ALL;
