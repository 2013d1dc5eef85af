-- Anchor texts of all vendors and surfaces in one spelling. Moz normalises its texts: tags stripped, trimmed, runs of space
-- collapsed, lower case. anchor_key does the same to everybody's, after Unicode's own normal form (NFC), so that what two
-- vendors call the same compares equal.
CREATE VIEW marts.anchors AS
WITH texts AS (
    SELECT 'moz' AS vendor, job, extract, target, scope, run_date, anchor_text AS anchor,
           external_root_domains AS domains, external_pages AS pages, true AS followed, true AS live
    FROM moz.anchor_text
    UNION ALL
    SELECT 'ahrefs', job, extract, target, scope, run_date, coalesce(anchor, ''),
           refdomains, refpages, dofollow_links > 0, last_seen IS NULL
    FROM ahrefs.anchors
)
SELECT vendor, job, extract, target, scope, run_date, anchor,
       lower(nfc_normalize(trim(regexp_replace(regexp_replace(anchor, '<[^<>]*>', '', 'g'), '[\s\p{Z}]+', ' ', 'g')))) AS anchor_key,
       domains, pages, followed, live
FROM texts;

COMMENT ON VIEW marts.anchors IS 'one anchor text of links to a target on one night, whichever vendor and surface it comes from';
COMMENT ON COLUMN marts.anchors.vendor IS 'moz or ahrefs';
COMMENT ON COLUMN marts.anchors.job IS 'the job';
COMMENT ON COLUMN marts.anchors.extract IS 'the job''s extract';
COMMENT ON COLUMN marts.anchors.target IS 'the target as sent';
COMMENT ON COLUMN marts.anchors.scope IS 'the vendor''s scope (Moz) or mode (Ahrefs) of the target';
COMMENT ON COLUMN marts.anchors.run_date IS 'the night';
COMMENT ON COLUMN marts.anchors.anchor IS 'the text as the vendor gives it; '''' for links without text';
COMMENT ON COLUMN marts.anchors.anchor_key IS 'the text in the spelling that all vendors share: tags stripped, spaces collapsed, lower case, NFC';
COMMENT ON COLUMN marts.anchors.domains IS 'domains linking with this text; Moz counts followed external links only [root domains]';
COMMENT ON COLUMN marts.anchors.pages IS 'pages linking with this text; Moz counts followed external links only [pages]';
COMMENT ON COLUMN marts.anchors.followed IS 'some link with this text is followed; always so at Moz, null where the job did not ask Ahrefs for dofollow_links';
COMMENT ON COLUMN marts.anchors.live IS 'some link with this text is live; false for what Ahrefs says it last saw';
