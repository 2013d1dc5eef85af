-- Which links appeared, disappeared and changed between two consecutive whole nights of the same target; marts.whole_nights
-- says which nights these are. marts.links_between compares any two.
CREATE VIEW marts.link_changes AS
SELECT coalesce(c.job, p.job) AS job, coalesce(c.extract, p.extract) AS extract, coalesce(c.target, p.target) AS target,
       coalesce(c.scope, p.scope) AS scope,
       coalesce(p.run_date, c.previous_run_date) AS previous_run_date, coalesce(c.run_date, p.next_run_date) AS run_date,
       CASE WHEN p.job IS NULL THEN 'new' WHEN c.job IS NULL THEN 'lost' ELSE 'changed' END AS change,
       coalesce(c.source_page, p.source_page) AS source_page, coalesce(c.target_page, p.target_page) AS target_page,
       coalesce(c.source_root_domain, p.source_root_domain) AS source_root_domain,
       p.anchor_texts AS previous_anchor_texts, c.anchor_texts, p.nofollow AS previous_nofollow, c.nofollow,
       coalesce(c.date_first_seen, p.date_first_seen) AS date_first_seen,
       coalesce(c.source_page_authority, p.source_page_authority) AS source_page_authority,
       coalesce(c.source_domain_authority, p.source_domain_authority) AS source_domain_authority,
       coalesce(c.source_spam_score, p.source_spam_score) AS source_spam_score
FROM (FROM marts.links_by_night WHERE previous_run_date IS NOT NULL) c
FULL JOIN (FROM marts.links_by_night WHERE next_run_date IS NOT NULL) p
  ON  p.job = c.job AND p.extract = c.extract AND p.question = c.question AND p.next_run_date = c.run_date
  AND p.target IS NOT DISTINCT FROM c.target AND p.scope IS NOT DISTINCT FROM c.scope
  AND p.source_page = c.source_page AND p.target_page IS NOT DISTINCT FROM c.target_page
WHERE p.job IS NULL OR c.job IS NULL OR p.anchor_texts IS DISTINCT FROM c.anchor_texts OR p.nofollow IS DISTINCT FROM c.nofollow;

CREATE MACRO marts.links_between(from_date, to_date) AS TABLE
SELECT coalesce(c.job, p.job) AS job, coalesce(c.extract, p.extract) AS extract, coalesce(c.target, p.target) AS target,
       coalesce(c.scope, p.scope) AS scope,
       CASE WHEN p.job IS NULL THEN 'new' WHEN c.job IS NULL THEN 'lost' ELSE 'changed' END AS change,
       coalesce(c.source_page, p.source_page) AS source_page, coalesce(c.target_page, p.target_page) AS target_page,
       coalesce(c.source_root_domain, p.source_root_domain) AS source_root_domain,
       p.anchor_texts AS previous_anchor_texts, c.anchor_texts, p.nofollow AS previous_nofollow, c.nofollow,
       coalesce(c.date_first_seen, p.date_first_seen) AS date_first_seen,
       coalesce(c.source_page_authority, p.source_page_authority) AS source_page_authority,
       coalesce(c.source_domain_authority, p.source_domain_authority) AS source_domain_authority,
       coalesce(c.source_spam_score, p.source_spam_score) AS source_spam_score
FROM (
    SELECT l.* FROM marts.links_by_night l
    SEMI JOIN marts.whole_nights n
      ON  n.job = l.job AND n.extract = l.extract AND n.question = l.question AND n.run_date = from_date::DATE
      AND n.target IS NOT DISTINCT FROM l.target AND n.scope IS NOT DISTINCT FROM l.scope
    WHERE l.run_date = to_date::DATE
) c
FULL JOIN (
    SELECT l.* FROM marts.links_by_night l
    SEMI JOIN marts.whole_nights n
      ON  n.job = l.job AND n.extract = l.extract AND n.question = l.question AND n.run_date = to_date::DATE
      AND n.target IS NOT DISTINCT FROM l.target AND n.scope IS NOT DISTINCT FROM l.scope
    WHERE l.run_date = from_date::DATE
) p
  ON  p.job = c.job AND p.extract = c.extract AND p.question = c.question
  AND p.target IS NOT DISTINCT FROM c.target AND p.scope IS NOT DISTINCT FROM c.scope
  AND p.source_page = c.source_page AND p.target_page IS NOT DISTINCT FROM c.target_page
WHERE p.job IS NULL OR c.job IS NULL OR p.anchor_texts IS DISTINCT FROM c.anchor_texts OR p.nofollow IS DISTINCT FROM c.nofollow;

COMMENT ON MACRO TABLE marts.links_between IS 'links that targets gained (new), lost, or whose text or rel=nofollow changed between any two whole nights: FROM marts.links_between(DATE ''2026-11-01'', DATE ''2026-11-30'')';

COMMENT ON VIEW marts.link_changes IS 'one pair of pages whose link appeared, disappeared or changed between two consecutive run dates of the same job and extract; only nights whose list was bought to its end are compared';
COMMENT ON COLUMN marts.link_changes.job IS 'the job';
COMMENT ON COLUMN marts.link_changes.extract IS 'the job''s extract';
COMMENT ON COLUMN marts.link_changes.target IS 'the target as sent';
COMMENT ON COLUMN marts.link_changes.scope IS 'scope of the target';
COMMENT ON COLUMN marts.link_changes.previous_run_date IS 'the earlier of the two nights';
COMMENT ON COLUMN marts.link_changes.run_date IS 'the later of the two nights';
COMMENT ON COLUMN marts.link_changes.change IS 'new: live on run_date but not on previous_run_date; lost: the reverse; changed: its texts or rel=nofollow differ';
COMMENT ON COLUMN marts.link_changes.source_page IS 'the linking page';
COMMENT ON COLUMN marts.link_changes.target_page IS 'the page linked to';
COMMENT ON COLUMN marts.link_changes.source_root_domain IS 'root domain of the linking page, as Moz sees it';
COMMENT ON COLUMN marts.link_changes.previous_anchor_texts IS 'the texts of its links on previous_run_date; null if new';
COMMENT ON COLUMN marts.link_changes.anchor_texts IS 'the texts of its links on run_date; null if lost';
COMMENT ON COLUMN marts.link_changes.previous_nofollow IS 'all of its links were rel=nofollow on previous_run_date; null if new';
COMMENT ON COLUMN marts.link_changes.nofollow IS 'all of its links are rel=nofollow on run_date; null if lost';
COMMENT ON COLUMN marts.link_changes.date_first_seen IS 'when Moz first saw one of its links';
COMMENT ON COLUMN marts.link_changes.source_page_authority IS 'Page Authority of the linking page, as last known of the two nights [score 1-100]';
COMMENT ON COLUMN marts.link_changes.source_domain_authority IS 'Domain Authority of its root domain, as last known of the two nights [score 1-100]';
COMMENT ON COLUMN marts.link_changes.source_spam_score IS 'Spam Score of its root domain, as last known of the two nights; null if none is known [percent]';
