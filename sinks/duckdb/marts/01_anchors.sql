-- Anchor texts of all vendors and surfaces in one spelling. What Ahrefs says it last saw is not live; followed is null where the job
-- did not ask Ahrefs for dofollow_links. Moz counts followed external links only.
-- month is whose directory a row is in: a semi join on it and run_date keeps the files of other months closed.
CREATE VIEW helper.moz_anchors AS
SELECT 'moz' AS vendor, job, extract, target, scope, run_date, month, anchor_text AS anchor, rank,
       external_root_domains AS domains, external_pages AS pages, true AS followed, true AS live
FROM helper.monthly_moz_anchor_text;

CREATE VIEW helper.ahrefs_anchors AS
SELECT 'ahrefs' AS vendor, job, extract, target, scope, run_date, month, coalesce(anchor, '') AS anchor, rank,
       refdomains AS domains, refpages AS pages, dofollow_links > 0 AS followed, last_seen IS NULL AS live
FROM helper.monthly_ahrefs_anchors;

-- Moz normalises its texts: tags stripped, trimmed, runs of space collapsed, lower case. anchor_key does the same to everybody's,
-- after Unicode's own normal form (NFC), so that what two vendors call the same compares equal.
CREATE VIEW helper.anchors AS
SELECT *, lower(nfc_normalize(trim(regexp_replace(regexp_replace(anchor, '<[^<>]*>', '', 'g'), '[\s\p{Z}]+', ' ', 'g')))) AS anchor_key
FROM (FROM helper.moz_anchors UNION ALL FROM helper.ahrefs_anchors);
