package mozv2

// withHistories is a result with histories and distributions in each of the shapes they may have.
const withHistories = `{"page":"a.com/","page_authority":50,"new":1,
	"daily_history_values":{"page_authority":[{"date":"2026-06-29","value":49},{"date":"2026-06-30","value":50,"note":"x"}],"pages_to_root_domain_by_spam_score":[{"date":"2026-06-30","value":[1,2,3,4,5,6,7,8,9,10]}]},
	"monthly_history_values":[{"metric_name":"domain_authority","metric_values":[{"date":"2026-05","value":60},{"date":"2026-06-30","value":null}]}],
	"daily_history_deltas":[{"metric_name":"pages_to_page","metric_deltas":{"gained":[{"date":"2026-06-30","count":5},{"date":"2026-06-29","count":0}],"lost":[{"date":"2026-06-29","count":2},{"date":"2026-06-28","count":1}]}}],
	"monthly_history_deltas":{"root_domains_to_page":{"gained":[{"date":"2026-06","count":7}],"lost":[]}},
	"distributions":{"root_domains_to_page_by_root_domains":[20,53,39,35,21,5,8,6,1,0],"new_series":[1,2]},
	"root_domains_to_page_by_spam_score":[1,0,0,0,0,0,0,0,0,9]}`
