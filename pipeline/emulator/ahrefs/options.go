package ahrefs

import "time"

// Credentials a server accepts unless told otherwise.
const (
	DefaultKey     = "emulator-ahrefs-key"
	DefaultV2Token = "emulator-ahrefs-v2-token"
)

// Collation is how strings are ordered by order_by and compared by gt, gte, lt and lte, which the documentation leaves open.
type Collation int

const (
	CollateCodePoints Collation = iota // both by code point
	CollateTorn                        // order_by ignores case, conditions go by code point: a list cannot be cut by its own key
	CollateFolded                      // both ignore case
)

// Options of a [Server]. The zero value has no limits, no cache and no rate.
type Options struct {
	Key     string // accepted as bearer. Default DefaultKey
	V2Token string // accepted as token by v2. Default DefaultV2Token

	Excluded     []string // reports that the plan lacks, as "refdomains": 403. Default: none
	RowCap       int      // rows of one list reply, by plan: 100, 250, 500. Default 0: no cap
	RefuseCapped bool     // answer 400 to a limit above RowCap. Default false: clamp (the vendor's ways are unknown)
	RefuseOffset bool     // answer 400 to offset. Default false: ignore it, as any parameter that is not documented
	Ascending    bool     // direction of an order_by without one. Default false: desc

	CacheTTL time.Duration // how long a reply is repeated for nothing. Default 0: never

	UnitsLimit int64 // of the workspace, a calendar month (UTC). Default 0: none
	UnitsUsed  int64 // by other keys of the workspace in every month. Default 0
	KeyLimit   int64 // of this key, a calendar month. Default 0: none

	RequestsPerMinute int // accepted within any 60 seconds; the vendor allows 60. Default 0: all

	Collation   Collation // Default CollateCodePoints
	ShuffleTies bool      // rows that order_by leaves equal come in another order for each request. Default false: in one order
	Drift       float64   // share of rows that differ from one request to the next, or are missing, as in a list that changes while it is read. Default 0

	// Lists serves a list in place of the web's for a report ("anchors", "refdomains") and a target as it was given; nil for the web's. It is asked
	// at every request, and what it returns is taken to be the same all day. Its rows have no links, so history does not change it, and a
	// condition on a link is a condition on an invented field of the row. v2 asks for "anchors" too. Default nil: the web alone.
	Lists func(report, target string) List

	V2Rows   int64 // rows of a v2 subscription. Default 0: 500000, never used up
	V2Sunset bool  // answer every v2 call with an error, as after 2025-11-01. Default false

	Clock func() time.Time // the time for units, rate and cache. Default time.Now
}

func (o Options) withDefaults() Options {
	if o.Key == "" {
		o.Key = DefaultKey
	}
	if o.V2Token == "" {
		o.V2Token = DefaultV2Token
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	return o
}
