-- Which pages link to a target, as of the latest whole night of each list.
CREATE VIEW marts.links_current AS
SELECT vendor, source_page, target_page, source_root_domain, anchor_texts, nofollow, date_first_seen,
       source_page_authority, source_domain_authority, source_spam_score, source_url_rating, source_domain_rating,
       job, extract, target, scope, run_date
FROM helper.links_by_night
WHERE latest;

COMMENT ON VIEW marts.links_current IS 'one page that links to one page of a target, live on the latest whole night of each list';
COMMENT ON COLUMN marts.links_current.vendor IS 'moz or ahrefs';
COMMENT ON COLUMN marts.links_current.source_page IS 'the linking page';
COMMENT ON COLUMN marts.links_current.target_page IS 'the page linked to';
COMMENT ON COLUMN marts.links_current.source_root_domain IS 'root domain of the linking page, as the vendor sees it';
COMMENT ON COLUMN marts.links_current.anchor_texts IS 'the texts of its links, sorted; '''' for links without text';
COMMENT ON COLUMN marts.links_current.nofollow IS 'all of its links are rel=nofollow';
COMMENT ON COLUMN marts.links_current.date_first_seen IS 'when the vendor first saw one of its links';
COMMENT ON COLUMN marts.links_current.source_page_authority IS 'Page Authority of the linking page; Moz only [score 1-100]';
COMMENT ON COLUMN marts.links_current.source_domain_authority IS 'Domain Authority of its root domain; Moz only [score 1-100]';
COMMENT ON COLUMN marts.links_current.source_spam_score IS 'Spam Score of its root domain; Moz only, null if none is known [percent]';
COMMENT ON COLUMN marts.links_current.source_url_rating IS 'UR of the linking page; Ahrefs only [score 0-100]';
COMMENT ON COLUMN marts.links_current.source_domain_rating IS 'DR of its domain; Ahrefs only [score 0-100]';
COMMENT ON COLUMN marts.links_current.job IS 'the job';
COMMENT ON COLUMN marts.links_current.extract IS 'the job''s extract';
COMMENT ON COLUMN marts.links_current.target IS 'the target as sent';
COMMENT ON COLUMN marts.links_current.scope IS 'scope or mode of the target';
COMMENT ON COLUMN marts.links_current.run_date IS 'the night: the latest whole one of the list';
