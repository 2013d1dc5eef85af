-- Who could be asked for a link: the gap of each link_intersect extract on its latest night whose list is in the lake, down to
-- its end or to max_rows, best first, with what has been decided about each (marts.gap_labels). The sites that are compared, and
-- what belongs to them, are nobody to ask.
CREATE VIEW marts.prospects AS
WITH nights AS (
    SELECT job, extract, target, scope, run_date
    FROM ops.tasks
    WHERE endpoint = 'moz/link_intersect'
    GROUP BY job, extract, target, scope, run_date
    HAVING bool_and(published AND ending IN ('end of list', 'max_rows') AND coalesce(rejected_rows, 0) = 0)
    QUALIFY row_number() OVER (PARTITION BY job, extract, target, scope ORDER BY run_date DESC) = 1
),
gap AS (
    -- Moz prints a host alone with a slash, which is not sent
    SELECT n.job, n.extract, n.target, n.scope, n.run_date, regexp_replace(i.page, '^([^/]+)/$', '\1') AS source_page,
           i.page, i.title, i.matching_targets, i.domain_authority, i.spam_score, i.rank
    FROM nights n
    JOIN moz.link_intersect i
      ON  i.job = n.job AND i.extract = n.extract AND i.run_date = n.run_date
      AND i.target IS NOT DISTINCT FROM n.target AND i.scope IS NOT DISTINCT FROM n.scope
    WHERE NOT EXISTS (
        SELECT 1 FROM (SELECT unnest(list_concat(i.positive_targets, i.negative_targets)) AS site)
        WHERE ends_with('.' || split_part(i.page, '/', 1), '.' || split_part(site, '/', 1)))
    -- what the vendor delivered twice, at the seam of two pages, is one
    QUALIFY row_number() OVER (PARTITION BY n.job, n.extract, n.target, n.scope, i.page ORDER BY i.rank) = 1
),
stays AS (
    -- seen first, whatever was asked that night; there since, for what is asked now
    SELECT job, extract, target, scope, source_page, max(opened_on) AS open_since, min(opened_on) AS first_seen
    FROM marts.gap_stays
    GROUP BY job, extract, target, scope, source_page
),
metrics AS (
    SELECT target, page_authority, domain_authority, spam_score, run_date
    FROM moz.url_metrics
    WHERE target IN (SELECT source_page FROM gap)
    QUALIFY row_number() OVER (PARTITION BY target ORDER BY run_date DESC, fetched_at DESC) = 1
)
SELECT g.job, g.extract, g.target, g.scope, g.run_date, g.source_page, g.title,
       g.matching_targets, len(g.matching_targets) AS matching,
       coalesce(g.domain_authority, m.domain_authority) AS domain_authority, m.page_authority, coalesce(g.spam_score, m.spam_score) AS spam_score,
       m.run_date AS authority_of, s.first_seen, s.open_since,
       l.label, l.note, coalesce(l.ignored, false) AS ignored, coalesce(l.contacted, false) AS contacted
FROM gap g
LEFT JOIN stays s
  ON  s.job = g.job AND s.extract = g.extract AND s.source_page = g.source_page
  AND s.target IS NOT DISTINCT FROM g.target AND s.scope IS NOT DISTINCT FROM g.scope
LEFT JOIN metrics m ON m.target = g.source_page
LEFT JOIN marts.gap_labels l ON l.job = g.job AND l.source_page = g.source_page AND l.latest
ORDER BY g.job, g.extract, g.target, matching DESC, domain_authority DESC NULLS LAST, page_authority DESC NULLS LAST, g.source_page;

COMMENT ON VIEW marts.prospects IS 'one source that links to rivals and not to us, on the latest known night of a link_intersect extract, best first';
COMMENT ON COLUMN marts.prospects.job IS 'the job';
COMMENT ON COLUMN marts.prospects.extract IS 'the job''s extract';
COMMENT ON COLUMN marts.prospects.target IS 'our targets, which the source does not link to, joined with +';
COMMENT ON COLUMN marts.prospects.scope IS 'how wide the source is taken: page, root_domain';
COMMENT ON COLUMN marts.prospects.run_date IS 'the night of the list';
COMMENT ON COLUMN marts.prospects.source_page IS 'the source: a page, or a root domain at that scope, as it is sent to the vendor';
COMMENT ON COLUMN marts.prospects.title IS 'page title; '''' if none is known, and for root domains';
COMMENT ON COLUMN marts.prospects.matching_targets IS 'the rivals it links to';
COMMENT ON COLUMN marts.prospects.matching IS 'how many they are [rivals]';
COMMENT ON COLUMN marts.prospects.domain_authority IS 'Domain Authority of the source [score 1-100]';
COMMENT ON COLUMN marts.prospects.page_authority IS 'Page Authority of the source (of a domain: of its home page), latest known of any job; null if moz/url_metrics was not asked [score 1-100]';
COMMENT ON COLUMN marts.prospects.spam_score IS 'Spam Score of the source; null if none is known [percent]';
COMMENT ON COLUMN marts.prospects.authority_of IS 'the night the Page Authority is of';
COMMENT ON COLUMN marts.prospects.first_seen IS 'the first night on which it was seen in the gap, other rivals than today''s included';
COMMENT ON COLUMN marts.prospects.open_since IS 'the first night since when it has been there without a break';
COMMENT ON COLUMN marts.prospects.label IS 'what was decided about it, or about its host, from the job''s latest labels';
COMMENT ON COLUMN marts.prospects.note IS 'the note beside the label';
COMMENT ON COLUMN marts.prospects.ignored IS 'the label is ignore or ignored, in any case';
COMMENT ON COLUMN marts.prospects.contacted IS 'the label is contacted, in any case';

-- The queue to look through: one row per source, where it fits best, without those that are ignored or contacted, or whose Spam Score is
-- 31 and more, which is above what Moz calls low. Other labels leave a source in it. Its first columns are those of a labels file.
CREATE VIEW marts.prospects_review AS
SELECT source_page AS source, label, note, matching, matching_targets, domain_authority, page_authority, spam_score, title,
       first_seen, open_since, job, extract, target, scope, run_date
FROM marts.prospects
WHERE NOT ignored AND NOT contacted AND coalesce(spam_score, 0) < 31
QUALIFY row_number() OVER (PARTITION BY job, source_page ORDER BY matching DESC, domain_authority DESC NULLS LAST, extract, target, scope) = 1
ORDER BY job, matching DESC, domain_authority DESC NULLS LAST, page_authority DESC NULLS LAST, source_page;

COMMENT ON VIEW marts.prospects_review IS 'one source to decide about: marts.prospects without those that are ignored or contacted, or have a Spam Score from 31, best first; its first columns are those of a labels file';
COMMENT ON COLUMN marts.prospects_review.source IS 'the source as it is sent to the vendor: a page, or a host';
COMMENT ON COLUMN marts.prospects_review.label IS 'what was decided about it, or about its host: neither ignore nor contacted';
COMMENT ON COLUMN marts.prospects_review.note IS 'the note beside the label';
COMMENT ON COLUMN marts.prospects_review.matching IS 'how many of the rivals it links to [rivals]';
COMMENT ON COLUMN marts.prospects_review.matching_targets IS 'which they are';
COMMENT ON COLUMN marts.prospects_review.domain_authority IS 'Domain Authority of the source [score 1-100]';
COMMENT ON COLUMN marts.prospects_review.page_authority IS 'Page Authority of the source (of a domain: of its home page), latest known of any job; null if moz/url_metrics was not asked [score 1-100]';
COMMENT ON COLUMN marts.prospects_review.spam_score IS 'Spam Score of the source; null if none is known [percent]';
COMMENT ON COLUMN marts.prospects_review.title IS 'page title; '''' if none is known, and for root domains';
COMMENT ON COLUMN marts.prospects_review.first_seen IS 'the first night on which it was seen in the gap, other rivals than today''s included';
COMMENT ON COLUMN marts.prospects_review.open_since IS 'the first night since when it has been there without a break';
COMMENT ON COLUMN marts.prospects_review.job IS 'the job';
COMMENT ON COLUMN marts.prospects_review.extract IS 'the job''s extract';
COMMENT ON COLUMN marts.prospects_review.target IS 'our targets, which the source does not link to, joined with +';
COMMENT ON COLUMN marts.prospects_review.scope IS 'how wide the source is taken: page, root_domain';
COMMENT ON COLUMN marts.prospects_review.run_date IS 'the night of the list';

-- The labels file to be: the job's labels as they are, in their order, and below them the sources of the queue that nobody has
-- said anything about. Whoever fills it in and puts it in the place of the old file forgets no decision.
CREATE VIEW marts.labels_sheet AS
SELECT source, label, note, matching, matching_targets, domain_authority, page_authority, spam_score, title, extra, job
FROM (
    SELECT source, label, note, extra, job, row FROM marts.labels
    UNION ALL BY NAME
    SELECT r.source, r.matching, r.matching_targets, r.domain_authority, r.page_authority, r.spam_score, r.title, r.job
    FROM marts.prospects_review r
    ANTI JOIN marts.gap_labels l ON l.job = r.job AND l.source_page = r.source AND l.latest
)
ORDER BY job, row NULLS LAST, matching DESC, domain_authority DESC NULLS LAST, page_authority DESC NULLS LAST, source;

COMMENT ON VIEW marts.labels_sheet IS 'one line of a job''s labels file as it is, or to be: its labels, and below them the sources of marts.prospects_review without one';
COMMENT ON COLUMN marts.labels_sheet.source IS 'a page, or a host for all its pages';
COMMENT ON COLUMN marts.labels_sheet.label IS 'the decision; null where there is none yet';
COMMENT ON COLUMN marts.labels_sheet.note IS 'the note beside the label';
COMMENT ON COLUMN marts.labels_sheet.extra IS 'JSON object of the line''s other columns, which the program reads back from here';
COMMENT ON COLUMN marts.labels_sheet.matching IS 'how many of the rivals it links to [rivals]';
COMMENT ON COLUMN marts.labels_sheet.matching_targets IS 'which they are';
COMMENT ON COLUMN marts.labels_sheet.domain_authority IS 'Domain Authority of the source [score 1-100]';
COMMENT ON COLUMN marts.labels_sheet.page_authority IS 'Page Authority of the source (of a domain: of its home page), latest known of any job; null if moz/url_metrics was not asked [score 1-100]';
COMMENT ON COLUMN marts.labels_sheet.spam_score IS 'Spam Score of the source; null if none is known [percent]';
COMMENT ON COLUMN marts.labels_sheet.title IS 'page title; '''' if none is known, and for root domains';
COMMENT ON COLUMN marts.labels_sheet.job IS 'the job';
