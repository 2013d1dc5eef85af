-- Which root domains link to a target, as of the latest whole night of each list.
CREATE VIEW marts.domains_current AS
WITH latest AS MATERIALIZED (
    SELECT *, strftime(run_date, '%Y-%m') AS month FROM helper.latest WHERE endpoint IN ('moz/linking_root_domains', 'ahrefs/refdomains')
)
SELECT l.vendor, l.root_domain, max(l.pages) AS pages, max(l.domain_authority) AS domain_authority, max(l.spam_score) AS spam_score,
       max(l.domain_rating) AS domain_rating, l.job, l.extract, l.target, l.scope, l.run_date
FROM latest n
JOIN (
    SELECT 'moz/linking_root_domains' AS endpoint, * FROM helper.moz_domains SEMI JOIN latest USING (run_date, month)
    UNION ALL
    SELECT 'ahrefs/refdomains' AS endpoint, * FROM helper.ahrefs_domains SEMI JOIN latest USING (run_date, month)
) l
  ON  l.endpoint = n.endpoint AND l.job = n.job AND l.extract = n.extract AND l.run_date = n.run_date AND l.target = n.target
  AND l.scope IS NOT DISTINCT FROM n.scope
GROUP BY l.vendor, l.job, l.extract, l.target, l.scope, l.run_date, l.root_domain;

COMMENT ON VIEW marts.domains_current IS 'one root domain that links to a target, on the latest whole night of each list';
COMMENT ON COLUMN marts.domains_current.vendor IS 'moz or ahrefs';
COMMENT ON COLUMN marts.domains_current.root_domain IS 'the linking root domain, as the vendor sees it';
COMMENT ON COLUMN marts.domains_current.pages IS 'its pages that link to the target; Ahrefs: its links [pages]';
COMMENT ON COLUMN marts.domains_current.domain_authority IS 'Domain Authority of the linking root domain; Moz only [score 1-100]';
COMMENT ON COLUMN marts.domains_current.spam_score IS 'Spam Score of it; Moz only, null if none is known [percent]';
COMMENT ON COLUMN marts.domains_current.domain_rating IS 'DR of it; Ahrefs only [score 0-100]';
COMMENT ON COLUMN marts.domains_current.job IS 'the job';
COMMENT ON COLUMN marts.domains_current.extract IS 'the job''s extract';
COMMENT ON COLUMN marts.domains_current.target IS 'the target as sent';
COMMENT ON COLUMN marts.domains_current.scope IS 'scope or mode of the target';
COMMENT ON COLUMN marts.domains_current.run_date IS 'the night: the latest whole one of the list';
