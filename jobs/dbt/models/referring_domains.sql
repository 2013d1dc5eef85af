-- Every domain that links to a target, as of the latest night of each: how strong it is, and to how many targets it links.
with latest as (
    select target, max(run_date) as run_date
    from {{ source('moz', 'linking_root_domains') }}
    group by target
)
select d.root_domain, d.target, d.run_date,
       max(d.domain_authority) as domain_authority,
       max(d.to_target_pages) as linking_pages,
       count(distinct d.target) over (partition by d.root_domain) as targets
from {{ source('moz', 'linking_root_domains') }} d
join latest using (target, run_date)
group by d.root_domain, d.target, d.run_date
