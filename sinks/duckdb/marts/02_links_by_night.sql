-- The live links of nights that can be compared, one row per pair of pages: a page that links to another with three texts is
-- one source of it, and the same link may reach the vendor's list by several ways (through a redirect, say).
CREATE VIEW marts.links_by_night AS
SELECT n.job, n.extract, n.target, n.scope, n.question, n.run_date, n.previous_run_date, n.next_run_date,
       l.source_page, l.target_page, max(l.source_root_domain) AS source_root_domain,
       list_sort(list(DISTINCT l.anchor_text)) AS anchor_texts, bool_and(l.nofollow) AS nofollow,
       min(l.date_first_seen) AS date_first_seen, max(l.source_page_authority) AS source_page_authority,
       max(l.source_domain_authority) AS source_domain_authority, max(l.source_spam_score) AS source_spam_score
FROM marts.whole_nights n
JOIN moz.links l
  ON  l.job = n.job AND l.extract = n.extract AND l.run_date = n.run_date
  AND l.target IS NOT DISTINCT FROM n.target AND l.scope IS NOT DISTINCT FROM n.scope
WHERE n.endpoint = 'moz/links' AND l.date_disappeared IS NULL
GROUP BY n.job, n.extract, n.target, n.scope, n.question, n.run_date, n.previous_run_date, n.next_run_date, l.source_page, l.target_page;

COMMENT ON VIEW marts.links_by_night IS 'one page that links to one page of a target, live on a night that can be compared with others';
COMMENT ON COLUMN marts.links_by_night.job IS 'the job';
COMMENT ON COLUMN marts.links_by_night.extract IS 'the job''s extract';
COMMENT ON COLUMN marts.links_by_night.target IS 'the target as sent';
COMMENT ON COLUMN marts.links_by_night.scope IS 'scope of the target';
COMMENT ON COLUMN marts.links_by_night.question IS 'what was asked; see marts.whole_nights';
COMMENT ON COLUMN marts.links_by_night.run_date IS 'the night';
COMMENT ON COLUMN marts.links_by_night.previous_run_date IS 'the whole night before it';
COMMENT ON COLUMN marts.links_by_night.next_run_date IS 'the whole night after it';
COMMENT ON COLUMN marts.links_by_night.source_page IS 'the linking page';
COMMENT ON COLUMN marts.links_by_night.target_page IS 'the page linked to';
COMMENT ON COLUMN marts.links_by_night.source_root_domain IS 'root domain of the linking page, as Moz sees it';
COMMENT ON COLUMN marts.links_by_night.anchor_texts IS 'the texts of its links, sorted; '''' for links without text';
COMMENT ON COLUMN marts.links_by_night.nofollow IS 'all of its links are rel=nofollow';
COMMENT ON COLUMN marts.links_by_night.date_first_seen IS 'when Moz first saw one of its links';
COMMENT ON COLUMN marts.links_by_night.source_page_authority IS 'Page Authority of the linking page [score 1-100]';
COMMENT ON COLUMN marts.links_by_night.source_domain_authority IS 'Domain Authority of its root domain [score 1-100]';
COMMENT ON COLUMN marts.links_by_night.source_spam_score IS 'Spam Score of its root domain; null if none is known [percent]';
