-- The live links of each vendor. Where a job did not ask Ahrefs for the two addresses, it does not say what links to what.
CREATE VIEW helper.moz_links AS
SELECT 'moz' AS vendor, job, extract, target, scope, run_date, month, source_page, target_page, source_root_domain, anchor_text, nofollow,
       date_first_seen, source_page_authority, source_domain_authority, source_spam_score,
       NULL::DOUBLE AS source_url_rating, NULL::DOUBLE AS source_domain_rating
FROM helper.monthly_moz_links
WHERE date_disappeared IS NULL;

CREATE VIEW helper.ahrefs_links AS
SELECT 'ahrefs' AS vendor, job, extract, target, scope, run_date, month, url_from AS source_page, url_to AS target_page, root_name_source AS source_root_domain,
       coalesce(anchor, '') AS anchor_text, is_nofollow AS nofollow, first_seen_link::DATE AS date_first_seen,
       NULL::BIGINT AS source_page_authority, NULL::BIGINT AS source_domain_authority, NULL::BIGINT AS source_spam_score,
       url_rating_source AS source_url_rating, domain_rating_source AS source_domain_rating
FROM helper.monthly_ahrefs_all_backlinks
WHERE last_seen IS NULL AND is_lost IS DISTINCT FROM true AND url_from IS NOT NULL;
