-- what one vendor alone saw of a target that night, the most linked first
SELECT target, concat_ws(', ', kind, reach) AS list, count(*) OVER (PARTITION BY target, kind, reach) AS total, seen_by, item,
       coalesce(moz_domains, ahrefs_domains), coalesce(moz_pages, ahrefs_pages) AS pages
FROM marts.vendor_overlap
WHERE target IN ($targets) AND run_date = $date AND seen_by <> 'both'
QUALIFY row_number() OVER (PARTITION BY target, kind, reach ORDER BY coalesce(moz_pages, ahrefs_pages) DESC NULLS LAST, item, seen_by) <= $rows
ORDER BY target, list, pages DESC NULLS LAST, item, seen_by
