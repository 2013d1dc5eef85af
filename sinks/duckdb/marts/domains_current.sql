-- Which root domains link to a target, as of the latest whole night of each list.
CREATE VIEW marts.domains_current AS
SELECT vendor, root_domain, pages, domain_authority, spam_score, domain_rating, job, extract, target, scope, run_date
FROM helper.domains_by_night
WHERE latest;

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
