-- How every placement stands: one row per line of the job's latest list of placements.
--
-- An answer is what moz.link_status of the placement's job says on one night about its source and either the expected target or
-- the page that target redirected to, as moz.final_redirect of the same job had it on that night, or on the last night before;
-- live is whether one of the two is linked to. Where the pair was asked about at several scopes, the narrowest of its latest
-- night count. The index of an answer is the row's own, else that of moz.index_metadata of the job and night, else that of
-- ops.tasks. A night without an answer says nothing: it neither breaks nor confirms.
--
-- The verdict is of the job's latest night, the one of the latest list of placements or answers, and is, in this order:
--   unknown (not fetched)                    there is no answer of that night, nor one from the index of that night; what is
--                                            known from before stands in live, since, answered_on
--   redirected                               live, but not against the expected target: that one redirects, and the source
--                                            was found to link to where it leads
--   live                                     the source links to the expected target
--   not yet (index unchanged since placed)   never live, and the answer is from the index of the night of placing (the last
--                                            night up to `placed`; the job's first, if all are later): no newer one has been seen
--   missing                                  never live, and the index has changed since, or is not known
--   lost? (index changed)                    live before; the latest answer is the only one since that says no, and it is from
--                                            another index than the last that said yes, or the indexes are not known: a new
--                                            index may have a hole
--   lost                                     live before, and no since: confirmed on a further night or by a further index, or
--                                            said by the very index that had said yes
CREATE VIEW marts.campaign AS
WITH placed AS (
    SELECT p.*, coalesce(p.placed_on, f.listed_on) AS placed
    FROM marts.placements p
    JOIN (SELECT job, target_page, source_page, min(run_date) AS listed_on FROM "user".placements GROUP BY job, target_page, source_page) f
      ON f.job = p.job AND f.target_page = p.target_page AND f.source_page = p.source_page
),
indexes AS (
    SELECT job, run_date, coalesce(max_by(row_index, fetched_at), max_by(night_index, fetched_at), max(task_index)) AS index_id
    FROM (
        SELECT job, run_date, fetched_at, index_id AS row_index, NULL::VARCHAR AS night_index, NULL::VARCHAR AS task_index FROM moz.link_status
        UNION ALL
        SELECT job, run_date, fetched_at, NULL, index_id, NULL FROM moz.index_metadata
        UNION ALL
        SELECT job, run_date, NULL, NULL, NULL, index_id FROM ops.tasks WHERE starts_with(endpoint, 'moz/')
    )
    GROUP BY job, run_date
),
redirects AS (
    -- Moz prints a host alone with a slash, which is not sent
    SELECT job, target, run_date, max(regexp_replace(final_page, '^([^/]+)/$', '\1')) AS final_page
    FROM moz.final_redirect
    GROUP BY job, target, run_date
),
asked AS (
    SELECT p.job, p.row, p.target_page, s.run_date, s.target, s.source_scope, s.target_scope, s.link_exists,
           coalesce(s.index_id, i.index_id) AS index_id,
           list_position(['page', 'subdomain', 'root_domain'], s.source_scope) * 10
             + list_position(['page', 'subdomain', 'root_domain'], s.target_scope) AS width
    FROM placed p
    JOIN moz.link_status s ON s.job = p.job AND s.source = p.source_page
    LEFT JOIN indexes i ON i.job = s.job AND i.run_date = s.run_date
),
relevant AS (
    SELECT a.*, first_value(a.width) OVER (PARTITION BY a.job, a.row ORDER BY a.run_date DESC, a.width) AS narrowest
    FROM asked a
    ASOF LEFT JOIN redirects r ON r.job = a.job AND r.target = a.target_page AND a.run_date >= r.run_date
    WHERE a.target = a.target_page OR a.target = r.final_page
),
answers AS (
    SELECT job, row, run_date, any_value(source_scope) AS source_scope, any_value(target_scope) AS target_scope, max(index_id) AS index_id,
           bool_or(link_exists) AS live, bool_or(link_exists AND target = target_page) AS live_as_expected
    FROM relevant
    WHERE width IS NOT DISTINCT FROM narrowest
    GROUP BY job, row, run_date
),
told AS (
    SELECT *,
           max(run_date) OVER placement AS answered_on,
           min(run_date) FILTER (live) OVER placement AS first_seen_live,
           max(run_date) FILTER (live) OVER placement AS last_yes,
           max(run_date) FILTER (NOT live) OVER placement AS last_no,
           NOT live AND lag(live) OVER (placement ORDER BY run_date) AS fell
    FROM answers
    WINDOW placement AS (PARTITION BY job, row)
),
summed AS (
    SELECT *,
           min(run_date) FILTER (run_date > coalesce(CASE WHEN last_yes = answered_on THEN last_no ELSE last_yes END, DATE '0001-01-01'))
             OVER placement AS since,
           count(*) FILTER (run_date > last_yes) OVER placement AS noes,
           max(index_id) FILTER (run_date = last_yes) OVER placement AS yes_index,
           count(*) FILTER (fell) OVER placement AS times_lost
    FROM told
    WINDOW placement AS (PARTITION BY job, row)
),
latest AS (
    SELECT * FROM summed WHERE run_date = answered_on
),
baseline AS (
    SELECT p.job, p.row,
           coalesce(max_by(i.index_id, i.run_date) FILTER (i.run_date <= p.placed), min_by(i.index_id, i.run_date)) AS index_id
    FROM placed p
    JOIN indexes i ON i.job = p.job
    WHERE i.index_id IS NOT NULL
    GROUP BY p.job, p.row
),
nights AS (
    SELECT n.job, n.night, i.index_id
    FROM (
        SELECT job, max(run_date) AS night
        FROM (SELECT job, run_date FROM "user".placements UNION ALL SELECT job, run_date FROM moz.link_status)
        GROUP BY job
    ) n
    LEFT JOIN indexes i ON i.job = n.job AND i.run_date = n.night
),
leads AS (
    SELECT job, target, final_page FROM redirects
    QUALIFY row_number() OVER (PARTITION BY job, target ORDER BY run_date DESC) = 1
),
metrics AS (
    SELECT target, page_authority, domain_authority, spam_score, run_date
    FROM moz.url_metrics
    WHERE target IN (SELECT source_page FROM placed)
    QUALIFY row_number() OVER (PARTITION BY target ORDER BY run_date DESC, fetched_at DESC) = 1
)
SELECT p.job, p.campaign, p.contact,
       CASE
           WHEN NOT coalesce(a.answered_on = n.night, false) AND NOT coalesce(a.index_id = n.index_id, false) THEN 'unknown (not fetched)'
           WHEN a.live AND NOT a.live_as_expected THEN 'redirected'
           WHEN a.live THEN 'live'
           WHEN a.first_seen_live IS NULL AND a.index_id = g.index_id THEN 'not yet (index unchanged since placed)'
           WHEN a.first_seen_live IS NULL THEN 'missing'
           WHEN a.noes = 1 AND coalesce(a.index_id <> a.yes_index, true) THEN 'lost? (index changed)'
           ELSE 'lost'
       END AS verdict,
       p.source, p.source_page, p.target, p.target_page, l.final_page, a.source_scope, a.target_scope,
       p.placed, a.live, a.since, a.first_seen_live, CASE WHEN NOT a.live AND a.first_seen_live IS NOT NULL THEN a.since END AS lost_on,
       coalesce(a.times_lost, 0) AS times_lost, a.answered_on, a.index_id, n.night AS run_date,
       m.page_authority, m.domain_authority, m.spam_score, m.run_date AS authority_of, p.row
FROM placed p
JOIN nights n ON n.job = p.job
LEFT JOIN latest a ON a.job = p.job AND a.row = p.row
LEFT JOIN baseline g ON g.job = p.job AND g.row = p.row
LEFT JOIN leads l ON l.job = p.job AND l.target = p.target_page
LEFT JOIN metrics m ON m.target = p.source_page
ORDER BY p.job, p.row;

COMMENT ON VIEW marts.campaign IS 'how one placement of a job''s latest list stands: whether the link that was agreed on is live, since when, and what is to be made of it';
COMMENT ON COLUMN marts.campaign.job IS 'the job';
COMMENT ON COLUMN marts.campaign.campaign IS 'what the link belongs to, from the list';
COMMENT ON COLUMN marts.campaign.contact IS 'whom to ask when it is not there, from the list';
COMMENT ON COLUMN marts.campaign.verdict IS 'live; redirected: live, but only against the page that the expected target redirects to; not yet (index unchanged since placed): never live, and no newer index has been seen since; missing: never live, and the index has changed or is not known; lost? (index changed): was live, and the first answer of another index says no; lost: confirmed on a further night or by a further index; unknown (not fetched): no answer of the latest night nor of its index';
COMMENT ON COLUMN marts.campaign.source IS 'the page that shall link, as given';
COMMENT ON COLUMN marts.campaign.source_page IS 'the page that shall link, as sent';
COMMENT ON COLUMN marts.campaign.target IS 'the page that shall be linked to, as given';
COMMENT ON COLUMN marts.campaign.target_page IS 'the page that shall be linked to, as sent: the expected target';
COMMENT ON COLUMN marts.campaign.final_page IS 'the page it redirects to in the end, as last known: the final target; null if no redirect is known';
COMMENT ON COLUMN marts.campaign.source_scope IS 'how wide the source was taken when asking: page, subdomain, root_domain';
COMMENT ON COLUMN marts.campaign.target_scope IS 'how wide the target was taken when asking: page, subdomain, root_domain';
COMMENT ON COLUMN marts.campaign.placed IS 'since when the link should be there: placed_on, else the first night whose list has it';
COMMENT ON COLUMN marts.campaign.live IS 'the latest answer says that the link is there; null if there never was an answer';
COMMENT ON COLUMN marts.campaign.since IS 'the first night of the unbroken row of answers that say the same as the latest';
COMMENT ON COLUMN marts.campaign.first_seen_live IS 'the first night ever on which it was live';
COMMENT ON COLUMN marts.campaign.lost_on IS 'the night on which it was first found gone; null if it is live or never was';
COMMENT ON COLUMN marts.campaign.times_lost IS 'how often an answer said no after one that said yes [times]';
COMMENT ON COLUMN marts.campaign.answered_on IS 'the night of the latest answer; null if there never was one';
COMMENT ON COLUMN marts.campaign.index_id IS 'the index that answer comes from; null if it is not known';
COMMENT ON COLUMN marts.campaign.run_date IS 'the job''s latest night, which the verdict is of';
COMMENT ON COLUMN marts.campaign.page_authority IS 'Page Authority of the source, latest known of any job [score 1-100]';
COMMENT ON COLUMN marts.campaign.domain_authority IS 'Domain Authority of the source, latest known of any job [score 1-100]';
COMMENT ON COLUMN marts.campaign.spam_score IS 'Spam Score of the source, latest known of any job; null if none is known [percent]';
COMMENT ON COLUMN marts.campaign.authority_of IS 'the night these three are of';
COMMENT ON COLUMN marts.campaign.row IS 'the line in the list, from 1';
