package mozrpc

import (
	"fmt"

	"backhaul/pipeline"
)

// PriceOf returns what an endpoint of V2 costs here for a page of a list or a batch of inputs, through however many
// calls it takes: the worst case of a plan. Each call is charged by its own method, see [Method.Price].
func PriceOf(endpoint, params string) (pipeline.Price, error) {
	if endpoint == "url_metrics" {
		return urlMetrics(params)
	}
	for _, m := range methods {
		if m.Endpoint == endpoint {
			return m.Price(params)
		}
	}
	return pipeline.Price{}, fmt.Errorf("moz/%s has no method on surface rpc", endpoint)
}

// urlMetrics: a target costs 1 for its metrics, 1 for each history and 1 for the distributions, as on V2, though it takes
// three methods. Histories and distributions are fetched site by site, in calls of their own.
func urlMetrics(text string) (pipeline.Price, error) {
	given, err := parse(text)
	if err != nil {
		return pipeline.Price{}, fmt.Errorf("price moz/url_metrics: %w", err)
	}
	each := 1 + given.series()
	if given.Distributions {
		each++
	}
	return pipeline.Price{PerRow: pipeline.Units(each), MaxRows: pageSize, Source: "Moz JSON-RPC, data.site.metrics.*, quota"}, nil
}
