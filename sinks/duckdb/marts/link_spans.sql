-- Since when, and until when: the nights of each pair of pages.
CREATE VIEW marts.link_spans AS
SELECT vendor, source_page, target_page, min(run_date) AS first_seen, max(run_date) AS last_seen, count(*) AS nights, bool_or(latest) AS live,
       job, extract, question, target, scope
FROM helper.links_by_night
GROUP BY ALL;

COMMENT ON VIEW marts.link_spans IS 'one page that links to one page of a target, and the whole nights on which it was seen';
COMMENT ON COLUMN marts.link_spans.vendor IS 'moz or ahrefs';
COMMENT ON COLUMN marts.link_spans.source_page IS 'the linking page';
COMMENT ON COLUMN marts.link_spans.target_page IS 'the page linked to';
COMMENT ON COLUMN marts.link_spans.first_seen IS 'the first whole night that has it';
COMMENT ON COLUMN marts.link_spans.last_seen IS 'the last whole night that has it';
COMMENT ON COLUMN marts.link_spans.nights IS 'whole nights that have it: fewer than there were in between where it was gone for some [nights]';
COMMENT ON COLUMN marts.link_spans.live IS 'the latest whole list has it, and asked the same';
COMMENT ON COLUMN marts.link_spans.job IS 'the job';
COMMENT ON COLUMN marts.link_spans.extract IS 'the job''s extract';
COMMENT ON COLUMN marts.link_spans.question IS 'what was asked, parameters included: another question begins anew';
COMMENT ON COLUMN marts.link_spans.target IS 'the target as sent';
COMMENT ON COLUMN marts.link_spans.scope IS 'scope or mode of the target';
