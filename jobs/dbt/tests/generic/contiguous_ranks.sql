{# The rows of a list are numbered from 1, without a gap and without a number twice. #}
{% test contiguous_ranks(model) %}
select run_id, extract, target, scope, count(*) as "rows", min(rank) as first, max(rank) as last
from {{ model }}
group by run_id, extract, target, scope
having min(rank) <> 1 or max(rank) <> count(*) or count(distinct rank) <> count(*)
{% endtest %}
