-- How many anchor texts each target gained and lost, night by night, and the one of each with the most linking domains.
select vendor, target, run_date, previous_run_date,
       count(*) filter (where change = 'new') as gained,
       count(*) filter (where change = 'lost') as lost,
       arg_max(anchor_text, external_root_domains) filter (where change = 'new') as strongest_gained,
       arg_max(anchor_text, previous_external_root_domains) filter (where change = 'lost') as strongest_lost
from {{ source('marts', 'anchor_changes') }}
group by vendor, target, run_date, previous_run_date
