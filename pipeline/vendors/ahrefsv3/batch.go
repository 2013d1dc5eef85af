package ahrefsv3

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors/internal/rows"
	"backhaul/schemas"
)

// batchBody is what batch-analysis is asked. Source: Ahrefs OpenAPI 3.0.0, batch-analysis.
type batchBody struct {
	Select     []string      `json:"select"`
	Targets    []batchTarget `json:"targets"`
	Country    string        `json:"country,omitempty"`
	VolumeMode string        `json:"volume_mode,omitempty"`
	Output     string        `json:"output"`
}

type batchTarget struct {
	URL      string `json:"url"`
	Mode     string `json:"mode"`
	Protocol string `json:"protocol"`
}

// batchOf returns what a request selects, the place in the request included, and how many targets it is about; a task
// without any is taken to be full.
func (r *Report) batchOf(t pipeline.Task, ask pipeline.Ask, chosen []string) ([]string, int, error) {
	if chosen == nil {
		chosen = r.defaultSelect(false)
	}
	chosen, err := r.SelectFields(chosen)
	if err != nil {
		return nil, 0, err
	}
	if !slices.Contains(chosen, "index") {
		chosen = append(chosen, "index")
	}
	if t.Inputs == nil {
		return chosen, maxTargets, nil
	}
	part, _, _, err := t.Slice(ask, maxTargets)
	return chosen, len(part), err
}

func (s *source) batch(t pipeline.Task, ask pipeline.Ask) (asked, error) {
	part, next, end, err := t.Slice(ask, maxTargets)
	if err != nil {
		return asked{}, err
	}
	if len(part) == 0 {
		return asked{}, errors.New("there is no target left to ask about")
	}
	a := asked{method: "POST", path: s.Path, at: ask.Cursor, inputs: len(part), turn: func(page *pipeline.Page, reply rows.Reply) error {
		page.Next, page.End = next, end
		sent, err := targetsOf(page.Request)
		if err == nil {
			_, err = places(reply, sent)
		}
		return err
	}}
	if a.body, err = s.batchBody(t, ask, part); err != nil {
		return asked{}, err
	}
	a.price, err = s.PriceOf(t, ask)
	return a, err
}

func (s *source) batchBody(t pipeline.Task, ask pipeline.Ask, part []pipeline.Input) ([]byte, error) {
	request, err := ParseRequest("", t.Params)
	if err != nil {
		return nil, err
	}
	given, err := s.words(t)
	if err != nil {
		return nil, err
	}
	body := batchBody{Country: given["country"], VolumeMode: given["volume_mode"], Output: "json"}
	if body.Select, _, err = s.batchOf(t, ask, request.Select); err != nil {
		return nil, err
	}
	protocol := given["protocol"]
	if protocol == "" {
		protocol = "both" // required here, unlike elsewhere
	}
	for _, input := range part {
		body.Targets = append(body.Targets, batchTarget{input.Target, given["mode"], protocol})
	}
	return json.Marshal(body, json.Deterministic(true))
}

// targetsOf reads the targets back from a request.
func targetsOf(request []byte) ([]string, error) {
	var body batchBody
	if err := json.Unmarshal(request, &body); err != nil {
		return nil, fmt.Errorf("read the request: %w", err)
	}
	var out []string
	for _, t := range body.Targets {
		out = append(out, t.URL)
	}
	return out, nil
}

// places returns for each row of a reply which of the targets sent it is about. Every target must have exactly one row, and
// no row may bear the URL of another target than its index says.
func places(reply rows.Reply, sent []string) ([]int, error) {
	if reply.Count != len(sent) {
		return nil, fmt.Errorf("%d targets were sent, %d rows came", len(sent), reply.Count)
	}
	var out []int
	seen := make([]bool, len(sent))
	for i, raw := range reply.Rows() {
		var x struct {
			Index *int   `json:"index"`
			URL   string `json:"url"`
		}
		if err := json.Unmarshal(raw, &x); err != nil || x.Index == nil {
			return nil, fmt.Errorf("row %d does not say which target it is about", i)
		}
		switch n := *x.Index; {
		case n < 0 || n >= len(sent):
			return nil, fmt.Errorf("row %d is about target %d of %d", i, n, len(sent))
		case seen[n]:
			return nil, fmt.Errorf("two rows are about target %d, %s", n, sent[n])
		case x.URL != "" && bare(x.URL) != bare(sent[n]) && slices.ContainsFunc(sent, func(t string) bool { return bare(t) == bare(x.URL) }):
			return nil, fmt.Errorf("row %d has the index of %s and the url of %s", i, sent[n], x.URL)
		default:
			seen[n] = true
			out = append(out, n)
		}
	}
	return out, nil
}

// bare is a URL without what Ahrefs may add to it or take from it.
func bare(u string) string {
	if _, rest, schemed := strings.Cut(u, "://"); schemed {
		u = rest
	}
	return strings.ToLower(strings.TrimSuffix(u, "/"))
}

// decodeBatch gives each row to its target. The spelling of the spec is not in the page: the loader knows it.
func (s *source) decodeBatch(p pipeline.Page, reply rows.Reply, b *schemas.Builder) error {
	sent, err := targetsOf(p.Request)
	if err != nil {
		return fmt.Errorf("read a reply of %s: %w", s.endpoint, err)
	}
	about, err := places(reply, sent)
	if err != nil {
		return fmt.Errorf("read a reply of %s: %w", s.endpoint, err)
	}
	return s.load(reply, b, func(i int) bool {
		b.About(sent[about[i]], "")
		return true
	})
}
