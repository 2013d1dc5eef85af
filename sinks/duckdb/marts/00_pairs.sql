-- The nights of each list of of_target that marts.*_between compare: the last whole one on or before to_day, and the last one
-- on or before from_day on which the same was asked. This is put into macros with these parameters.
CREATE VIEW helper.pairs AS
SELECT p.job, p.extract, p.endpoint, p.target, p.scope, arg_max({day: p.from_date}, p.to_date).day AS from_date, max(p.to_date) AS to_date
FROM (
    SELECT job, extract, endpoint, target, scope,
           max(least(last_night, from_day::DATE)) FILTER (first_night <= from_day::DATE) AS from_date,
           max(least(last_night, to_day::DATE)) FILTER (first_night <= to_day::DATE) AS to_date
    FROM marts.whole_spans
    WHERE target = of_target AND first_night <= greatest(from_day::DATE, to_day::DATE)
    GROUP BY job, extract, endpoint, target, scope, question
) p
GROUP BY p.job, p.extract, p.endpoint, p.target, p.scope
HAVING max(p.to_date) IS NOT NULL;

-- That there is something to compare, or an error. The macro has the nights in `pairs`.
CREATE VIEW helper.comparable AS
SELECT CASE
           WHEN count(*) = 0 THEN error(concat('no whole list of ', of_target, ' on or before ', to_day::DATE, ': marts.whole_nights has the nights and targets there are'))
           WHEN count(from_date) = 0 THEN error(concat('no whole list of ', of_target, ' on or before ', from_day::DATE, ' that was asked as the one of ',
                max(to_date), ': marts.whole_nights has the nights and questions there are'))
           ELSE true END
FROM pairs;
