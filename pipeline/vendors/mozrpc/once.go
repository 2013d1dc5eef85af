package mozrpc

import (
	"errors"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors/internal/rows"
	"backhaul/schemas"
)

// askFinalRedirect: a page is a site of scope url.
func askFinalRedirect(t pipeline.Task, _ params, _ pipeline.Ask) (question, error) {
	about, err := asked(t, "page", "page")
	return askAbout("data.site.redirect.fetch", data{SiteQuery: about}), err
}

// redirect: the destination is null where no redirect is known (V2: "").
func redirect() *method {
	m := one("data.site.redirect.fetch", perCall, "result", "destination")
	m.load = into("final_redirect", rows.Rule{Column: "final_page", Path: "destination"}, rows.Rule{Path: "site_query"})
	return m
}

// index knows no spam_score_update_days.
func index() *method {
	m := one("metadata.index.fetch", free, "result", "index_id")
	m.load = into("index_metadata")
	return m
}

// rowsQuota is the quota that all reports of links are charged to.
const rowsQuota = "api.limits.data.rows"

// quota: what V2 calls usage is the account's quota here.
func quota() *method {
	m := one("quota.lookup", free, "result.quota", "used")
	m.load = map[string]loader{"usage_data": loadQuota}
	return m
}

// loadQuota appends the one row there is. Its period ends with the answer, since what is used is what was used until then;
// when the quota is reset, and how large it is, goes to extra with the other members.
func loadQuota(r record, b *schemas.Builder) error {
	for i, raw := range r.Rows() {
		if err := appendQuota(raw, b); err != nil {
			b.Reject(i, raw, err)
		}
	}
	return nil
}

func appendQuota(raw []byte, b *schemas.Builder) error {
	q, err := readQuota(raw)
	if err != nil {
		return err
	}
	rest := map[string]jsontext.Value{}
	if err := json.Unmarshal(raw, &rest); err != nil {
		return err
	}
	delete(rest, "used")
	delete(rest, "period_start")
	t, row := b.Table(), b.Row()
	row.SetInt(t.Index("rows_consumed"), *q.Used)
	row.SetTime(t.Index("period_start"), q.start())
	row.SetTime(t.Index("period_end"), b.Origin().FetchedAt)
	if len(rest) > 0 {
		extra, err := json.Marshal(rest, json.Deterministic(true))
		if err != nil {
			return err
		}
		row.SetBytes(t.Index(schemas.ColExtra), extra)
		for name, value := range rest {
			row.Stray(name, schemas.NewField, value)
		}
	}
	b.Append()
	return nil
}

// usage is what quota.lookup says of an account. Times are Unix seconds.
type usage struct {
	Allotted *int64 `json:"allotted"`
	Used     *int64 `json:"used"`
	Start    *int64 `json:"period_start"`
}

// readQuota accepts a quota of whole numbers from 0 that tells what is used, and since when.
func readQuota(raw []byte) (usage, error) {
	var q usage
	if err := json.Unmarshal(raw, &q); err != nil {
		return q, errors.New("quota: not the numbers expected: " + err.Error())
	}
	for _, n := range []struct {
		name     string
		value    *int64
		optional bool
	}{{"used", q.Used, false}, {"period_start", q.Start, false}, {"allotted", q.Allotted, true}} {
		switch {
		case n.value == nil && !n.optional:
			return q, errors.New("quota." + n.name + ": missing")
		case n.value != nil && *n.value < 0:
			return q, errors.New("quota." + n.name + ": " + strconv.FormatInt(*n.value, 10) + " is below zero")
		}
	}
	return q, nil
}

func (q usage) start() time.Time { return time.Unix(*q.Start, 0).UTC() }
