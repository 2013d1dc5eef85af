-- The root domains of each vendor that link. Moz's filter external also lists domains whose links are all gone (to_target_pages
-- is 0), and Ahrefs those that it last saw in the past: these do not.
CREATE VIEW helper.moz_domains AS
SELECT 'moz' AS vendor, job, extract, target, scope, run_date, month, root_domain, to_target_pages AS pages,
       domain_authority, spam_score, NULL::DOUBLE AS domain_rating
FROM helper.monthly_moz_linking_root_domains
WHERE to_target_pages IS DISTINCT FROM 0;

CREATE VIEW helper.ahrefs_domains AS
SELECT 'ahrefs' AS vendor, job, extract, target, scope, run_date, month, domain AS root_domain, links_to_target AS pages,
       NULL::BIGINT AS domain_authority, NULL::BIGINT AS spam_score, domain_rating
FROM helper.monthly_ahrefs_refdomains
WHERE last_seen IS NULL AND domain IS NOT NULL;
