-- Which root domains began and ceased to link between two consecutive whole nights of the same target; marts.whole_nights says
-- which nights these are. marts.domains_between compares any two.
CREATE VIEW marts.domain_changes AS
SELECT coalesce(c.job, p.job) AS job, coalesce(c.extract, p.extract) AS extract, coalesce(c.target, p.target) AS target,
       coalesce(c.scope, p.scope) AS scope,
       coalesce(p.run_date, c.previous_run_date) AS previous_run_date, coalesce(c.run_date, p.next_run_date) AS run_date,
       CASE WHEN p.job IS NULL THEN 'new' ELSE 'lost' END AS change, coalesce(c.root_domain, p.root_domain) AS root_domain,
       p.pages AS previous_pages, c.pages, coalesce(c.domain_authority, p.domain_authority) AS domain_authority,
       coalesce(c.spam_score, p.spam_score) AS spam_score
FROM (FROM marts.domains_by_night WHERE previous_run_date IS NOT NULL) c
FULL JOIN (FROM marts.domains_by_night WHERE next_run_date IS NOT NULL) p
  ON  p.job = c.job AND p.extract = c.extract AND p.question = c.question AND p.next_run_date = c.run_date
  AND p.target IS NOT DISTINCT FROM c.target AND p.scope IS NOT DISTINCT FROM c.scope AND p.root_domain = c.root_domain
WHERE p.job IS NULL OR c.job IS NULL;

CREATE MACRO marts.domains_between(from_date, to_date) AS TABLE
SELECT coalesce(c.job, p.job) AS job, coalesce(c.extract, p.extract) AS extract, coalesce(c.target, p.target) AS target,
       coalesce(c.scope, p.scope) AS scope,
       CASE WHEN p.job IS NULL THEN 'new' ELSE 'lost' END AS change, coalesce(c.root_domain, p.root_domain) AS root_domain,
       p.pages AS previous_pages, c.pages, coalesce(c.domain_authority, p.domain_authority) AS domain_authority,
       coalesce(c.spam_score, p.spam_score) AS spam_score
FROM (
    SELECT d.* FROM marts.domains_by_night d
    SEMI JOIN marts.whole_nights n
      ON  n.job = d.job AND n.extract = d.extract AND n.question = d.question AND n.run_date = from_date::DATE
      AND n.target IS NOT DISTINCT FROM d.target AND n.scope IS NOT DISTINCT FROM d.scope
    WHERE d.run_date = to_date::DATE
) c
FULL JOIN (
    SELECT d.* FROM marts.domains_by_night d
    SEMI JOIN marts.whole_nights n
      ON  n.job = d.job AND n.extract = d.extract AND n.question = d.question AND n.run_date = to_date::DATE
      AND n.target IS NOT DISTINCT FROM d.target AND n.scope IS NOT DISTINCT FROM d.scope
    WHERE d.run_date = from_date::DATE
) p
  ON  p.job = c.job AND p.extract = c.extract AND p.question = c.question
  AND p.target IS NOT DISTINCT FROM c.target AND p.scope IS NOT DISTINCT FROM c.scope AND p.root_domain = c.root_domain
WHERE p.job IS NULL OR c.job IS NULL;

COMMENT ON MACRO TABLE marts.domains_between IS 'root domains that began (new) or ceased (lost) to link to targets between any two whole nights: FROM marts.domains_between(DATE ''2026-11-01'', DATE ''2026-11-30'')';

COMMENT ON VIEW marts.domain_changes IS 'one root domain that began (new) or ceased (lost) to link to a target between two consecutive run dates of the same job and extract; only nights whose list was bought to its end are compared';
COMMENT ON COLUMN marts.domain_changes.job IS 'the job';
COMMENT ON COLUMN marts.domain_changes.extract IS 'the job''s extract';
COMMENT ON COLUMN marts.domain_changes.target IS 'the target as sent';
COMMENT ON COLUMN marts.domain_changes.scope IS 'scope of the target';
COMMENT ON COLUMN marts.domain_changes.previous_run_date IS 'the earlier of the two nights';
COMMENT ON COLUMN marts.domain_changes.run_date IS 'the later of the two nights';
COMMENT ON COLUMN marts.domain_changes.change IS 'new: links on run_date but not on previous_run_date; lost: the reverse';
COMMENT ON COLUMN marts.domain_changes.root_domain IS 'the linking root domain as Moz sees it';
COMMENT ON COLUMN marts.domain_changes.previous_pages IS 'its pages that linked on previous_run_date; null if new [pages]';
COMMENT ON COLUMN marts.domain_changes.pages IS 'its pages that link on run_date; null if lost [pages]';
COMMENT ON COLUMN marts.domain_changes.domain_authority IS 'Domain Authority of the linking root domain, as last known of the two nights [score 1-100]';
COMMENT ON COLUMN marts.domain_changes.spam_score IS 'Spam Score of the linking root domain, as last known of the two nights; null if none is known [percent]';
