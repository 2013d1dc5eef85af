-- Since when, and until when: the nights of each linking root domain.
CREATE VIEW marts.domain_spans AS
SELECT vendor, root_domain, min(run_date) AS first_seen, max(run_date) AS last_seen, count(*) AS nights, bool_or(latest) AS live,
       job, extract, question, target, scope
FROM helper.domains_by_night
GROUP BY ALL;

COMMENT ON VIEW marts.domain_spans IS 'one root domain that links to a target, and the whole nights on which it was seen';
COMMENT ON COLUMN marts.domain_spans.vendor IS 'moz or ahrefs';
COMMENT ON COLUMN marts.domain_spans.root_domain IS 'the linking root domain, as the vendor sees it';
COMMENT ON COLUMN marts.domain_spans.first_seen IS 'the first whole night that has it';
COMMENT ON COLUMN marts.domain_spans.last_seen IS 'the last whole night that has it';
COMMENT ON COLUMN marts.domain_spans.nights IS 'whole nights that have it: fewer than there were in between where it was gone for some [nights]';
COMMENT ON COLUMN marts.domain_spans.live IS 'the latest whole list has it, and asked the same';
COMMENT ON COLUMN marts.domain_spans.job IS 'the job';
COMMENT ON COLUMN marts.domain_spans.extract IS 'the job''s extract';
COMMENT ON COLUMN marts.domain_spans.question IS 'what was asked, parameters included: another question begins anew';
COMMENT ON COLUMN marts.domain_spans.target IS 'the target as sent';
COMMENT ON COLUMN marts.domain_spans.scope IS 'scope or mode of the target';
