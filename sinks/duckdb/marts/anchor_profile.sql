-- What kinds of words links to a target have, night by night.
--
-- The kind of a text is said by, in this order:
--   1. the rules of the job (marts.anchor_rules): of those whose pattern fits the whole text, in any case, and whose target is
--      the target or null, the one with the highest priority, then the first in the file;
--   2. empty: there is no text;
--   3. naked_url: it is an address: it begins with http:// or https:// or www., or is a host with or without a path;
--   4. branded: its letters and digits contain the brand, which is the longest label of the target's host but the last, of
--      three letters and more: acmeoutdoor for shop.acme-outdoor.example; international names (xn--) have none;
--   5. generic: it is one of the words below;
--   6. partial: it contains the pattern of one of the job's rules of kind exact that has no * or ?;
--   7. other.
-- exact comes from rules alone: what a page should be found for is not to be read off its links.
--
-- A link list names a domain under each of its texts, so the domains of the kinds add up to more than the domains that link.
-- Rules are those of the latest night, for all nights, so that a profile does not change with the rules in the middle.
CREATE VIEW marts.anchor_profile AS
WITH lists AS (
    SELECT job, extract, split_part(endpoint, '/', 1) AS vendor, target, scope, run_date, bool_and(ending = 'end of list') AS whole
    FROM ops.tasks
    WHERE endpoint IN ('moz/anchor_text', 'ahrefs/anchors')
    GROUP BY ALL
    HAVING bool_and(published AND ending IN ('end of list', 'max_rows') AND coalesce(rejected_rows, 0) = 0)
),
anchors AS (
    SELECT vendor, job, extract, target, scope, run_date, anchor_key, max(domains) AS domains, max(pages) AS pages
    FROM helper.anchors
    WHERE live
    GROUP BY vendor, job, extract, target, scope, run_date, anchor_key
),
labels AS (
    SELECT target, unnest(string_split(regexp_replace(split_part(target, '/', 1), '^www\.|:\d+$', '', 'g'), '.')[:-2]) AS label
    FROM (SELECT DISTINCT target FROM anchors)
),
brands AS (
    SELECT target, max_by(replace(label, '-', ''), length(label)) AS brand
    FROM labels
    WHERE length(replace(label, '-', '')) >= 3 AND NOT starts_with(label, 'xn--')
    GROUP BY target
),
texts AS (
    SELECT DISTINCT a.job, a.target, a.anchor_key, b.brand
    FROM anchors a LEFT JOIN brands b ON a.target = b.target
),
ruled AS (
    SELECT t.job, t.target, t.anchor_key, first(r.kind ORDER BY coalesce(r.priority, 0) DESC, r.row) AS kind
    FROM texts t
    JOIN marts.anchor_rules r ON r.job = t.job AND (r.target_page IS NULL OR r.target_page = t.target)
    WHERE t.anchor_key GLOB replace(lower(nfc_normalize(r.pattern)), '[', '[[]')
    GROUP BY t.job, t.target, t.anchor_key
),
partial AS (
    SELECT DISTINCT t.job, t.target, t.anchor_key
    FROM texts t
    JOIN marts.anchor_rules r ON r.job = t.job AND (r.target_page IS NULL OR r.target_page = t.target)
    WHERE r.kind = 'exact' AND NOT regexp_matches(r.pattern, '[*?]') AND contains(t.anchor_key, lower(nfc_normalize(r.pattern)))
),
kinds AS (
    SELECT t.job, t.target, t.anchor_key,
           CASE
               WHEN r.kind IS NOT NULL THEN r.kind
               WHEN t.anchor_key = '' THEN 'empty'
               WHEN regexp_full_match(t.anchor_key, '(https?://|www\.)\S+|[\p{L}\p{N}][\p{L}\p{N}_-]*(\.[\p{L}\p{N}_-]+)*\.(\p{L}{2,}|xn--[a-z0-9-]+)(:\d+)?(/\S*)?') THEN 'naked_url'
               WHEN contains(regexp_replace(t.anchor_key, '[^\p{L}\p{N}]+', '', 'g'), t.brand) THEN 'branded'
               WHEN t.anchor_key IN ('about', 'article', 'blog', 'check it out', 'click', 'click here', 'continue', 'continue reading', 'details',
                   'download', 'find out more', 'full article', 'full story', 'go', 'go here', 'here', 'home', 'home page', 'homepage', 'info',
                   'learn more', 'link', 'more', 'more details', 'more info', 'more information', 'official site', 'official website', 'online',
                   'open', 'page', 'post', 'read', 'read here', 'read more', 'read more here', 'read this', 'resource', 'see here', 'see more',
                   'site', 'source', 'the site', 'the website', 'this', 'this article', 'this link', 'this page', 'this post', 'this site',
                   'this website', 'url', 'via', 'view', 'view more', 'visit', 'visit here', 'visit site', 'visit the site', 'visit the website',
                   'visit this site', 'visit website', 'web', 'web site', 'webpage', 'website', 'website link', 'you can find out more') THEN 'generic'
               WHEN p.anchor_key IS NOT NULL THEN 'partial'
               ELSE 'other'
           END AS kind
    FROM texts t
    LEFT JOIN ruled r ON r.job = t.job AND r.target IS NOT DISTINCT FROM t.target AND r.anchor_key = t.anchor_key
    LEFT JOIN partial p ON p.job = t.job AND p.target IS NOT DISTINCT FROM t.target AND p.anchor_key = t.anchor_key
),
counts AS (
    SELECT a.vendor, a.job, a.extract, a.target, a.scope, a.run_date, k.kind,
           count(*) AS anchors, sum(a.domains)::BIGINT AS domains, sum(a.pages)::BIGINT AS pages
    FROM anchors a
    JOIN kinds k ON k.job = a.job AND k.target IS NOT DISTINCT FROM a.target AND k.anchor_key = a.anchor_key
    GROUP BY a.vendor, a.job, a.extract, a.target, a.scope, a.run_date, k.kind
),
filled AS (
    SELECT l.vendor, l.job, l.extract, l.target, l.scope, l.run_date, l.whole, k.kind,
           coalesce(c.anchors, 0) AS anchors, coalesce(c.domains, 0) AS domains, coalesce(c.pages, 0) AS pages
    FROM lists l
    CROSS JOIN (VALUES ('branded'), ('exact'), ('partial'), ('naked_url'), ('generic'), ('empty'), ('other')) k(kind)
    LEFT JOIN counts c
      ON  c.vendor = l.vendor AND c.job = l.job AND c.extract = l.extract AND c.run_date = l.run_date AND c.kind = k.kind
      AND c.target IS NOT DISTINCT FROM l.target AND c.scope IS NOT DISTINCT FROM l.scope
)
SELECT *,
       anchors / nullif(sum(anchors) OVER list, 0) AS anchor_share,
       domains / nullif(sum(domains) OVER list, 0) AS domain_share,
       pages / nullif(sum(pages) OVER list, 0) AS page_share
FROM filled
WINDOW list AS (PARTITION BY vendor, job, extract, target, scope, run_date);

COMMENT ON VIEW marts.anchor_profile IS 'how much of a target''s anchor texts is of one kind on one night, by the job''s rules and then built-in ones';
COMMENT ON COLUMN marts.anchor_profile.vendor IS 'moz or ahrefs';
COMMENT ON COLUMN marts.anchor_profile.job IS 'the job';
COMMENT ON COLUMN marts.anchor_profile.extract IS 'the job''s extract';
COMMENT ON COLUMN marts.anchor_profile.target IS 'the target as sent';
COMMENT ON COLUMN marts.anchor_profile.scope IS 'scope or mode of the target';
COMMENT ON COLUMN marts.anchor_profile.run_date IS 'the night';
COMMENT ON COLUMN marts.anchor_profile.whole IS 'the list was bought to its end; else down to max_rows, and the rest of the profile is not known';
COMMENT ON COLUMN marts.anchor_profile.kind IS 'branded, exact, partial, naked_url, generic, empty or other: every night has all seven';
COMMENT ON COLUMN marts.anchor_profile.anchors IS 'different texts of this kind [anchor texts]';
COMMENT ON COLUMN marts.anchor_profile.domains IS 'sum of the domains linking with each of these texts: a domain counts once per text [root domains]';
COMMENT ON COLUMN marts.anchor_profile.pages IS 'sum of the pages linking with each of these texts [pages]';
COMMENT ON COLUMN marts.anchor_profile.anchor_share IS 'part of the night''s texts, 0 to 1; null on a night without any';
COMMENT ON COLUMN marts.anchor_profile.domain_share IS 'part of the night''s sum of domains, 0 to 1';
COMMENT ON COLUMN marts.anchor_profile.page_share IS 'part of the night''s sum of pages, 0 to 1';
