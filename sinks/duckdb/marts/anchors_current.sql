-- With which texts a target is linked to, as of the latest whole night of each list.
CREATE VIEW marts.anchors_current AS
WITH latest AS MATERIALIZED (
    SELECT *, strftime(run_date, '%Y-%m') AS month FROM helper.latest WHERE endpoint IN ('moz/anchor_text', 'ahrefs/anchors')
)
SELECT l.vendor, l.anchor AS anchor_text, min(l.rank) AS rank, max(l.domains) AS external_root_domains, max(l.pages) AS external_pages,
       bool_or(l.followed) AS followed, l.job, l.extract, l.target, l.scope, l.run_date
FROM latest n
JOIN (
    SELECT 'moz/anchor_text' AS endpoint, * FROM helper.moz_anchors SEMI JOIN latest USING (run_date, month) WHERE live
    UNION ALL
    SELECT 'ahrefs/anchors' AS endpoint, * FROM helper.ahrefs_anchors SEMI JOIN latest USING (run_date, month) WHERE live
) l
  ON  l.endpoint = n.endpoint AND l.job = n.job AND l.extract = n.extract AND l.run_date = n.run_date AND l.target = n.target
  AND l.scope IS NOT DISTINCT FROM n.scope
GROUP BY l.vendor, l.job, l.extract, l.target, l.scope, l.run_date, l.anchor;

COMMENT ON VIEW marts.anchors_current IS 'one live anchor text of links to a target, on the latest whole night of each list';
COMMENT ON COLUMN marts.anchors_current.vendor IS 'moz or ahrefs';
COMMENT ON COLUMN marts.anchors_current.anchor_text IS 'the text as the vendor gives it; '''' for links without text';
COMMENT ON COLUMN marts.anchors_current.rank IS 'its place in the vendor''s order, from 1 [position]';
COMMENT ON COLUMN marts.anchors_current.external_root_domains IS 'root domains linking with this text; Ahrefs'' refdomains [root domains]';
COMMENT ON COLUMN marts.anchors_current.external_pages IS 'pages linking with this text; Ahrefs'' refpages [pages]';
COMMENT ON COLUMN marts.anchors_current.followed IS 'some link with this text is followed; always so at Moz, null where the job did not ask Ahrefs for dofollow_links';
COMMENT ON COLUMN marts.anchors_current.job IS 'the job';
COMMENT ON COLUMN marts.anchors_current.extract IS 'the job''s extract';
COMMENT ON COLUMN marts.anchors_current.target IS 'the target as sent';
COMMENT ON COLUMN marts.anchors_current.scope IS 'scope or mode of the target';
COMMENT ON COLUMN marts.anchors_current.run_date IS 'the night: the latest whole one of the list';
