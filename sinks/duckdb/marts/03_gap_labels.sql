-- Which label counts for a source, night by night: a page's own, else that of its host, which is for all its pages. A home page is
-- its host. A line without a label says nothing, so that an empty one of a page does not hide its host's. All marts about gaps
-- go by this.
CREATE VIEW marts.gap_labels AS
WITH sources AS (
    -- Moz prints a host alone with a slash, which is not sent
    SELECT DISTINCT job, regexp_replace(page, '^([^/]+)/$', '\1') AS source_page FROM moz.link_intersect
),
labelled AS (
    SELECT job, source_page, unnest([source_page, split_part(source_page, '/', 1)]) AS labelled FROM sources
)
SELECT s.job, l.run_date, l.latest, s.source_page, l.source, l.label, l.note, l.ignored, l.contacted
FROM labelled s
JOIN helper.labels_by_night l ON l.job = s.job AND l.source_page = s.labelled
QUALIFY row_number() OVER (PARTITION BY s.job, l.run_date, s.source_page ORDER BY l.label IS NOT NULL DESC, l.source_page = s.source_page DESC, l.row DESC) = 1;

COMMENT ON VIEW marts.gap_labels IS 'what a job''s labels of one night say about one source that was ever in a gap of the job';
COMMENT ON COLUMN marts.gap_labels.job IS 'the job';
COMMENT ON COLUMN marts.gap_labels.run_date IS 'the night of the labels';
COMMENT ON COLUMN marts.gap_labels.latest IS 'they are the job''s latest';
COMMENT ON COLUMN marts.gap_labels.source_page IS 'the source: a page, or a root domain at that scope, as it is sent to the vendor';
COMMENT ON COLUMN marts.gap_labels.source IS 'the page or host that is labelled, as given';
COMMENT ON COLUMN marts.gap_labels.label IS 'the decision';
COMMENT ON COLUMN marts.gap_labels.note IS 'why, or what to do next';
COMMENT ON COLUMN marts.gap_labels.ignored IS 'the label is ignore or ignored, in any case; null where there is no label';
COMMENT ON COLUMN marts.gap_labels.contacted IS 'the label is contacted, in any case; null where there is no label';
