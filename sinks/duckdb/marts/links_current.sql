-- Which pages link to a target, as of the latest whole night of each list.
CREATE VIEW marts.links_current AS
WITH latest AS MATERIALIZED (
    SELECT *, strftime(run_date, '%Y-%m') AS month FROM helper.latest WHERE endpoint IN ('moz/links', 'ahrefs/all_backlinks')
)
SELECT l.vendor, l.source_page, l.target_page, max(l.source_root_domain) AS source_root_domain,
       list_sort(list(DISTINCT l.anchor_text)) AS anchor_texts, bool_and(l.nofollow) AS nofollow,
       min(l.date_first_seen) AS date_first_seen, max(l.source_page_authority) AS source_page_authority,
       max(l.source_domain_authority) AS source_domain_authority, max(l.source_spam_score) AS source_spam_score,
       max(l.source_url_rating) AS source_url_rating, max(l.source_domain_rating) AS source_domain_rating,
       l.job, l.extract, l.target, l.scope, l.run_date
FROM latest n
JOIN (
    SELECT 'moz/links' AS endpoint, * FROM helper.moz_links SEMI JOIN latest USING (run_date, month)
    UNION ALL
    SELECT 'ahrefs/all_backlinks' AS endpoint, * FROM helper.ahrefs_links SEMI JOIN latest USING (run_date, month)
) l
  ON  l.endpoint = n.endpoint AND l.job = n.job AND l.extract = n.extract AND l.run_date = n.run_date AND l.target = n.target
  AND l.scope IS NOT DISTINCT FROM n.scope
GROUP BY l.vendor, l.job, l.extract, l.target, l.scope, l.run_date, l.source_page, l.target_page;

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
