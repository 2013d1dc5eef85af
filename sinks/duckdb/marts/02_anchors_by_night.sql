-- The live anchor texts of nights that can be compared. A text that a vendor delivered twice, at the seam of two pages, is one.
CREATE VIEW helper.anchors_by_night AS
WITH nights AS (
    FROM marts.whole_nights WHERE endpoint IN ('moz/anchor_text', 'ahrefs/anchors')
)
SELECT l.vendor, l.job, l.extract, l.target, l.scope, l.question, l.run_date, l.latest, any_value(l.previous_run_date) AS previous_run_date,
       any_value(l.next_run_date) AS next_run_date,
       l.anchor AS anchor_text, min(l.rank) AS rank, max(l.domains) AS domains, max(l.pages) AS pages, bool_or(l.followed) AS followed
FROM (
    SELECT l.*, n.question, n.previous_run_date, n.next_run_date, n.latest
    FROM nights n
    JOIN helper.moz_anchors l
      ON  l.job = n.job AND l.extract = n.extract AND l.run_date = n.run_date AND l.target = n.target AND l.scope IS NOT DISTINCT FROM n.scope
    WHERE n.endpoint = 'moz/anchor_text' AND l.live
    UNION ALL
    SELECT l.*, n.question, n.previous_run_date, n.next_run_date, n.latest
    FROM nights n
    JOIN helper.ahrefs_anchors l
      ON  l.job = n.job AND l.extract = n.extract AND l.run_date = n.run_date AND l.target = n.target AND l.scope IS NOT DISTINCT FROM n.scope
    WHERE n.endpoint = 'ahrefs/anchors' AND l.live
) l
GROUP BY ALL;
