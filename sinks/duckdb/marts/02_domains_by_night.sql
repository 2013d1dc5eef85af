-- The root domains that link on nights that can be compared. Moz's filter external also lists domains whose links are all
-- gone (to_target_pages is 0): these do not link.
CREATE VIEW marts.domains_by_night AS
SELECT n.job, n.extract, n.target, n.scope, n.question, n.run_date, n.previous_run_date, n.next_run_date,
       d.root_domain, max(d.domain_authority) AS domain_authority, max(d.spam_score) AS spam_score, max(d.to_target_pages) AS pages
FROM marts.whole_nights n
JOIN moz.linking_root_domains d
  ON  d.job = n.job AND d.extract = n.extract AND d.run_date = n.run_date
  AND d.target IS NOT DISTINCT FROM n.target AND d.scope IS NOT DISTINCT FROM n.scope
WHERE n.endpoint = 'moz/linking_root_domains' AND d.to_target_pages IS DISTINCT FROM 0
GROUP BY n.job, n.extract, n.target, n.scope, n.question, n.run_date, n.previous_run_date, n.next_run_date, d.root_domain;

COMMENT ON VIEW marts.domains_by_night IS 'one root domain that links to a target on a night that can be compared with others';
COMMENT ON COLUMN marts.domains_by_night.job IS 'the job';
COMMENT ON COLUMN marts.domains_by_night.extract IS 'the job''s extract';
COMMENT ON COLUMN marts.domains_by_night.target IS 'the target as sent';
COMMENT ON COLUMN marts.domains_by_night.scope IS 'scope of the target';
COMMENT ON COLUMN marts.domains_by_night.question IS 'what was asked; see marts.whole_nights';
COMMENT ON COLUMN marts.domains_by_night.run_date IS 'the night';
COMMENT ON COLUMN marts.domains_by_night.previous_run_date IS 'the whole night before it';
COMMENT ON COLUMN marts.domains_by_night.next_run_date IS 'the whole night after it';
COMMENT ON COLUMN marts.domains_by_night.root_domain IS 'the linking root domain as Moz sees it';
COMMENT ON COLUMN marts.domains_by_night.domain_authority IS 'Domain Authority of the linking root domain [score 1-100]';
COMMENT ON COLUMN marts.domains_by_night.spam_score IS 'Spam Score of the linking root domain; null if none is known [percent]';
COMMENT ON COLUMN marts.domains_by_night.pages IS 'its pages that link to the target [pages]';
