-- The lists a job brings along, as its latest run found them. A list that was emptied or taken out of the job stays here as
-- it was last; a run that has no row of it leaves no trace to be told from no run.
CREATE VIEW marts.placements AS
SELECT p.* FROM "user".placements p
JOIN (SELECT job, max(run_date) AS run_date FROM "user".placements GROUP BY job) latest ON p.job = latest.job AND p.run_date = latest.run_date;

-- The decisions that the program itself goes by; all other labels are the users' own.
CREATE VIEW helper.labels_by_night AS
SELECT l.*, l.run_date = latest.run_date AS latest,
       lower(trim(l.label)) IN ('ignore', 'ignored') AS ignored,
       lower(trim(l.label)) = 'contacted' AS contacted
FROM "user".labels l
JOIN (SELECT job, max(run_date) AS run_date FROM "user".labels GROUP BY job) latest ON l.job = latest.job;

-- A job's queries see the list of the night in this shape too, as labels.
CREATE VIEW marts.labels AS
SELECT * EXCLUDE (latest) FROM helper.labels_by_night
WHERE latest
-- a source that is listed twice is what its last line says that has a label
QUALIFY row_number() OVER (PARTITION BY job, source_page ORDER BY label IS NOT NULL DESC, row DESC) = 1;

CREATE VIEW marts.anchor_rules AS
SELECT r.* FROM "user".anchor_rules r
JOIN (SELECT job, max(run_date) AS run_date FROM "user".anchor_rules GROUP BY job) latest ON r.job = latest.job AND r.run_date = latest.run_date;

COMMENT ON VIEW marts.placements IS 'user.placements as the latest run of each job found them';
COMMENT ON COLUMN marts.placements.job IS 'the job';
COMMENT ON COLUMN marts.placements.run_id IS 'the run that took the snapshot';
COMMENT ON COLUMN marts.placements.run_date IS 'the night of the snapshot';
COMMENT ON COLUMN marts.placements.row IS 'the line in the file, from 1';
COMMENT ON COLUMN marts.placements.target IS 'the page that shall be linked to, as given';
COMMENT ON COLUMN marts.placements.source IS 'the page that shall link, as given';
COMMENT ON COLUMN marts.placements.target_page IS 'the page that shall be linked to, as sent to the vendor';
COMMENT ON COLUMN marts.placements.source_page IS 'the page that shall link, as sent to the vendor';
COMMENT ON COLUMN marts.placements.campaign IS 'what the link belongs to';
COMMENT ON COLUMN marts.placements.contact IS 'whom to ask when it is not there';
COMMENT ON COLUMN marts.placements.placed_on IS 'since when the link should be there';
COMMENT ON COLUMN marts.placements.extra IS 'JSON object of the line''s other columns';


COMMENT ON VIEW marts.labels IS 'user.labels as the latest run of each job found them, one row per source';
COMMENT ON COLUMN marts.labels.job IS 'the job';
COMMENT ON COLUMN marts.labels.run_id IS 'the run that took the snapshot';
COMMENT ON COLUMN marts.labels.run_date IS 'the night of the snapshot';
COMMENT ON COLUMN marts.labels.row IS 'the line in the file, from 1';
COMMENT ON COLUMN marts.labels.source IS 'a page, or a host for all its pages, as given';
COMMENT ON COLUMN marts.labels.source_page IS 'the source as sent to the vendor';
COMMENT ON COLUMN marts.labels.label IS 'the decision: ignore if its links are not wanted, contacted if it has been asked, or words of your own';
COMMENT ON COLUMN marts.labels.note IS 'why, or what to do next';
COMMENT ON COLUMN marts.labels.extra IS 'JSON object of the line''s other columns';
COMMENT ON COLUMN marts.labels.ignored IS 'the label is ignore or ignored, in any case; null where there is no label';
COMMENT ON COLUMN marts.labels.contacted IS 'the label is contacted, in any case; null where there is no label';

COMMENT ON VIEW marts.anchor_rules IS 'user.anchor_rules as the latest run of each job found them';
COMMENT ON COLUMN marts.anchor_rules.job IS 'the job';
COMMENT ON COLUMN marts.anchor_rules.run_id IS 'the run that took the snapshot';
COMMENT ON COLUMN marts.anchor_rules.run_date IS 'the night of the snapshot';
COMMENT ON COLUMN marts.anchor_rules.row IS 'the line in the file, from 1';
COMMENT ON COLUMN marts.anchor_rules.kind IS 'branded, exact, partial, naked_url, generic, empty';
COMMENT ON COLUMN marts.anchor_rules.pattern IS 'the anchor text as a whole, in any case; * stands for any letters, ? for one';
COMMENT ON COLUMN marts.anchor_rules.target IS 'the target whose anchors are meant, as given; null for all targets';
COMMENT ON COLUMN marts.anchor_rules.target_page IS 'the target as sent to the vendor; null for all targets';
COMMENT ON COLUMN marts.anchor_rules.priority IS 'of the rules that fit, the one with the highest decides, then the first; null is 0';
COMMENT ON COLUMN marts.anchor_rules.extra IS 'JSON object of the line''s other columns';
