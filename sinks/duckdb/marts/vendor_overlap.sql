-- What two vendors see of the same target on the same night: the anchor texts and linking domains of both, and of one alone.
--
-- Compared are the nights on which both vendors' lists were bought to their ends. Scopes and modes are taken for the same
-- where they mean nearly the same: Moz's root_domain and Ahrefs' subdomains are the site, subdomain and domain the host, page
-- and exact the page. Moz counts followed external links only, so of Ahrefs' anchor texts those without a followed link are left
-- out where the job asked for dofollow_links. Live links are compared: what Ahrefs last saw in the past is left out, and domains of
-- which Moz counts no linking page. Anchors are compared in the spelling that all vendors share, domains as the vendors
-- name them; the two do not always agree on what a root domain is (Moz takes some hosts for one).
CREATE VIEW marts.vendor_overlap AS
WITH items AS (
    SELECT 'anchor' AS kind, vendor, job, extract, target, scope, run_date, anchor_key AS item, domains, pages
    FROM helper.anchors
    WHERE live AND followed IS DISTINCT FROM false
    UNION ALL
    SELECT 'domain', 'moz', job, extract, target, scope, run_date, lower(root_domain), NULL, to_target_pages
    FROM moz.linking_root_domains
    WHERE to_target_pages IS DISTINCT FROM 0
    UNION ALL
    SELECT 'domain', 'ahrefs', job, extract, target, scope, run_date, lower(domain), NULL, links_to_target
    FROM ahrefs.refdomains
    WHERE last_seen IS NULL
),
lists AS (
    SELECT *,
           CASE endpoint WHEN 'moz/anchor_text' THEN 'anchor' WHEN 'ahrefs/anchors' THEN 'anchor' ELSE 'domain' END AS kind,
           split_part(endpoint, '/', 1) AS vendor,
           CASE WHEN scope IN ('root_domain', 'subdomains') THEN 'site'
                WHEN scope IN ('subdomain', 'domain') THEN 'host'
                WHEN scope IN ('page', 'exact') THEN 'page' END AS reach
    FROM marts.whole_nights
    WHERE endpoint IN ('moz/anchor_text', 'ahrefs/anchors', 'moz/linking_root_domains', 'ahrefs/refdomains')
),
pairs AS (
    SELECT kind, target, reach, run_date FROM lists
    WHERE reach IS NOT NULL
    GROUP BY kind, target, reach, run_date
    HAVING count(DISTINCT vendor) = 2
),
seen AS (
    SELECT l.kind, l.target, l.reach, l.run_date, i.item,
           bool_or(l.vendor = 'moz') AS moz, bool_or(l.vendor = 'ahrefs') AS ahrefs,
           max(i.domains) FILTER (l.vendor = 'moz') AS moz_domains, max(i.domains) FILTER (l.vendor = 'ahrefs') AS ahrefs_domains,
           max(i.pages) FILTER (l.vendor = 'moz') AS moz_pages, max(i.pages) FILTER (l.vendor = 'ahrefs') AS ahrefs_pages
    FROM pairs p
    JOIN lists l ON l.kind = p.kind AND l.target = p.target AND l.reach = p.reach AND l.run_date = p.run_date
    JOIN items i
      ON  i.kind = l.kind AND i.vendor = l.vendor AND i.job = l.job AND i.extract = l.extract AND i.target = l.target
      AND i.scope = l.scope AND i.run_date = l.run_date
    GROUP BY l.kind, l.target, l.reach, l.run_date, i.item
)
SELECT kind, target, reach, run_date, item,
       CASE WHEN moz AND ahrefs THEN 'both' WHEN moz THEN 'moz' ELSE 'ahrefs' END AS seen_by,
       moz_domains, ahrefs_domains, moz_pages, ahrefs_pages
FROM seen;

COMMENT ON VIEW marts.vendor_overlap IS 'one anchor text or linking domain of a target on a night on which the whole lists of both vendors were bought, and which of them sees it';
COMMENT ON COLUMN marts.vendor_overlap.kind IS 'anchor or domain';
COMMENT ON COLUMN marts.vendor_overlap.target IS 'the target as sent, to both vendors';
COMMENT ON COLUMN marts.vendor_overlap.reach IS 'site: Moz root_domain, Ahrefs subdomains; host: subdomain, domain; page: page, exact';
COMMENT ON COLUMN marts.vendor_overlap.run_date IS 'the night';
COMMENT ON COLUMN marts.vendor_overlap.item IS 'the anchor text, in the spelling that all vendors share (tags stripped, spaces collapsed, lower case, NFC), or the linking domain';
COMMENT ON COLUMN marts.vendor_overlap.seen_by IS 'moz, ahrefs or both';
COMMENT ON COLUMN marts.vendor_overlap.moz_domains IS 'domains linking with this text, as Moz counts; null for domains [root domains]';
COMMENT ON COLUMN marts.vendor_overlap.ahrefs_domains IS 'domains linking with this text, as Ahrefs counts; null for domains [root domains]';
COMMENT ON COLUMN marts.vendor_overlap.moz_pages IS 'pages linking with this text, or from this domain, as Moz counts [pages]';
COMMENT ON COLUMN marts.vendor_overlap.ahrefs_pages IS 'pages linking with this text, or links from this domain, as Ahrefs counts [pages]';
