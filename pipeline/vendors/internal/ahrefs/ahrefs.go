// Package ahrefs knows what Ahrefs' modes, which v2 and v3 share, look at.
package ahrefs

import "backhaul/schemas/canon"

// Means is the part of a target that a mode looks at: for domain and subdomains its host, of which www is a part. Source:
// third-party clients of v2, whose names v3 kept.
func Means(target, mode string) string {
	switch mode {
	case "domain", "subdomains":
		return canon.HostOf(target)
	}
	return target
}
