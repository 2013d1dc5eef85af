package emulator

import (
	"net/http"
	"strconv"

	"backhaul/pipeline/emulator/graph"
	"backhaul/pipeline/emulator/internal/quote"
)

// metrics are those of the page that stands for a site, or the error that the index knows nothing of it.
func (q siteQuery) metrics(v *graph.View) (graph.Metrics, error) {
	m, ok := v.Lookup(face(v, q.site.Target, q.site.Scope))
	if !ok {
		return m, noRecord("site metrics", "site_query", map[string]string{"query": q.query, "scope": q.scope})
	}
	return m, nil
}

func (s *Server) rpcMetrics(v *graph.View, c *rpcCall, _, _ int) (rpcResult, error) {
	m, err := c.sites[0].metrics(v)
	if err != nil {
		return rpcResult{}, err
	}
	return rpcResult{appendMetrics([]byte(`"site_metrics":`), m), 1}, nil
}

// rpcMetricsOfMany answers the sites in the order asked; those without a record, and those a fault has struck, are errors, which cost
// nothing.
func (s *Server) rpcMetricsOfMany(v *graph.View, c *rpcCall, _, _ int) (rpcResult, error) {
	out := rpcBatch{}
	struck := s.struck(c.key())
	for _, i := range s.batch(c.key(), len(c.sites)) {
		q := c.sites[i]
		item := append(q.append([]byte(`{"site_query":`), v), ", "...)
		m, err := q.metrics(v)
		switch {
		case struck(i):
			out.fail(unhandled(append(item, `"error":`...), "site_queries."+strconv.Itoa(i)+".query", q.query))
		case err != nil:
			out.fail(asRPC(err).appendItem(append(item, `"error":`...), "NotFoundError"))
		default:
			out.add(appendMetrics(append(item, `"site_metrics":`...), m))
		}
	}
	return out.result("site"), nil
}

// rpcBatch collects results_by_X and errors_by_X.
type rpcBatch struct {
	results, errors []byte
	rows            int
}

func (b *rpcBatch) add(item []byte) {
	b.rows++
	b.results = appendItem(b.results, item)
}

func (b *rpcBatch) fail(item []byte) { b.errors = appendItem(b.errors, item) }

func appendItem(list, item []byte) []byte {
	if len(list) > 0 {
		list = append(list, ", "...)
	}
	return append(append(list, item...), '}')
}

func (b *rpcBatch) result(by string) rpcResult {
	out := append([]byte(`"results_by_`+by+`":[`), b.results...)
	out = append(append(out, `], "errors_by_`+by+`":[`...), b.errors...)
	return rpcResult{append(out, ']'), b.rows}
}

// unhandled is the error of one item as an example of the documents has it.
func unhandled(buf []byte, key, value string) []byte {
	e := rpcError{code: codeUnhandled, status: http.StatusInternalServerError, key: key, value: value}
	return e.appendItem(buf, "UnhandledError")
}

func (s *Server) rpcStatus(v *graph.View, c *rpcCall, _, _ int) (rpcResult, error) {
	exists := v.Linked(c.Sites[0].find(v), c.Sites[1].find(v))
	return rpcResult{strconv.AppendBool([]byte(`"exists":`), exists), 1}, nil
}

func (s *Server) rpcStatuses(v *graph.View, c *rpcCall, _, _ int) (rpcResult, error) {
	out := rpcBatch{}
	struck := s.struck(c.key())
	for _, i := range s.batch(c.key(), len(c.sites)/2) {
		source, target := c.sites[2*i], c.sites[2*i+1]
		item := source.append([]byte(`{"source_site_query":`), v)
		item = append(target.append(append(item, `, "target_site_query":`...), v), ", "...)
		if struck(i) {
			out.fail(unhandled(append(item, `"error":`...), "source_site_query."+strconv.Itoa(i)+".query", source.query))
			continue
		}
		out.add(strconv.AppendBool(append(item, `"exists":`...), v.Linked(source.site.find(v), target.site.find(v))))
	}
	return out.result("query"), nil
}

func (s *Server) rpcRedirect(v *graph.View, c *rpcCall, _, _ int) (rpcResult, error) {
	to := destination(v, c.find(v))
	if to == "" {
		return rpcResult{[]byte(`"destination":null`), 1}, nil
	}
	return rpcResult{quote.Append([]byte(`"destination":`), to), 1}, nil
}

// rpcHistories answers a list for each parameter given, and bills each series.
func (s *Server) rpcHistories(v *graph.View, c *rpcCall, _, _ int) (rpcResult, error) {
	if _, err := c.sites[0].metrics(v); err != nil {
		return rpcResult{}, err
	}
	told := newChronicle(v, c.Target, c.Scope)
	out, comma := []byte(`"site_metrics_histories":{`), ""
	for _, field := range historyFields {
		names := *field.of(c.Histories)
		if len(names) == 0 {
			continue
		}
		kind := `, "metric_values":`
		if field.deltas {
			kind = `, "metric_deltas":`
		}
		out = append(out, comma+`"`+field.name+`":[`...)
		comma = ", "
		for i, name := range names {
			if i > 0 {
				out = append(out, ", "...)
			}
			out = append(quote.Append(append(out, `{"metric_name":`...), name), kind...)
			out = append(told.appendSeries(out, name, field.monthly, field.deltas), '}')
		}
		out = append(out, ']')
	}
	return rpcResult{append(out, '}'), c.Histories.modifiers()}, nil
}

func (s *Server) rpcDistributions(v *graph.View, c *rpcCall, _, _ int) (rpcResult, error) {
	if _, err := c.sites[0].metrics(v); err != nil {
		return rpcResult{}, err
	}
	told := newChronicle(v, c.Target, c.Scope)
	return rpcResult{told.appendDistributions([]byte(`"site_metrics_distributions":`)), 1}, nil
}

func (s *Server) rpcIndex(v *graph.View, _ *rpcCall, _, _ int) (rpcResult, error) {
	return rpcResult{quote.Append([]byte(`"index_id":`), s.indexID(v.Day())), 0}, nil
}

// unlimited is what quota.lookup says is allotted where Options set no quota: the rows of the largest plan with a price (chosen).
const unlimited = 4_000_000

// rpcQuota reports the month by the calendar in UTC. The account's number is made up; the beta has a quota of its own, never used (chosen).
func (s *Server) rpcQuota(_ *graph.View, c *rpcCall, _, _ int) (rpcResult, error) {
	now := s.options.Clock().UTC()
	start := monthOf(now)
	quota := map[string]any{
		"path": c.Target, "account_id": 10000001, "allotted": int64(unlimited), "used": s.meter.between(start, now.Unix()), "reset": "month",
		"report": "day", "overage": false, "period_start": start, "period_reset": monthOf(now.AddDate(0, 0, 32-now.Day())),
	}
	if s.options.Quota > 0 {
		quota["allotted"] = s.options.Quota
	}
	if c.Target != quotaPaths[0] {
		quota["used"] = 0
	}
	return rpcResult{append([]byte(`"quota":`), mustJSON(quota)...), 0}, nil
}
