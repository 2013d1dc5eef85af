package mozv2

import "backhaul/pipeline/vendors/internal/rows"

// linkingRootDomains: root domains that link to a target. date_gained and date_lost come only with the sort of that
// name, as far as other clients know; Moz documents them for JSON-RPC.
func linkingRootDomains() *report {
	return list("linking_root_domains", rows.Rule{Column: "to_target_*", Path: "to_target.*"})
}
