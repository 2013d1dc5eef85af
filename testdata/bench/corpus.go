package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"time"

	"backhaul/pipeline/emulator"
)

// corpus is a file of archived replies of Moz V2 from the emulator's made-up webs: one a line in the wrapper that `import`
// reads, with the number of its page, which it ignores and the yardsticks need. They are in the order of the lake's files, so that
// nobody has to sort.
type corpus struct {
	path, endpoint string
	rows, pages    int64
	bytes          int64
}

// writeCorpus asks the emulator for whole lists until there are so many rows.
func writeCorpus(path, endpoint string, rows int64) (c corpus, err error) {
	c = corpus{path: path, endpoint: endpoint}
	f, err := os.Create(path)
	if err != nil {
		return c, err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	defer func() { err = errors.Join(err, w.Flush(), f.Close()) }()
	for seed := uint64(0); ; seed++ {
		s := emulator.New(emulator.Options{Seed: seed})
		for _, target := range slices.Sorted(slices.Values(append([]string{"megamart.example", "newswire.example"}, s.Graph().Showcase()...))) {
			if err := c.list(w, s, target, fmt.Sprintf("web%03d.%s", seed, target), rows); err != nil {
				return c, err
			}
			if c.rows >= rows {
				return c, nil
			}
		}
	}
}

// archived is a line of a corpus.
type archived struct {
	Endpoint  string          `json:"endpoint"`
	Target    string          `json:"target"`
	Scope     string          `json:"scope"`
	Page      int             `json:"page"`
	FetchedAt time.Time       `json:"fetched_at"`
	Request   map[string]any  `json:"request"`
	Response  json.RawMessage `json:"response"`
}

// list writes the pages of a list, under the name as.
func (c *corpus) list(w *bufio.Writer, s *emulator.Server, target, as string, rows int64) error {
	scope := map[string]string{"anchor_text": "scope", "links": "target_scope"}[c.endpoint]
	for page, token := 0, ""; c.rows < rows; page++ {
		ask := map[string]any{"target": target, scope: "root_domain", "limit": perPage}
		if token != "" {
			ask["next_token"] = token
		}
		body, err := post(s, c.endpoint, ask)
		if err != nil {
			return err
		}
		token = nextToken(body)
		c.rows += int64(bytes.Count(body, []byte(rowMark[c.endpoint])))
		if c.rows >= rows && token != "" { // the list ends here
			body = bytes.Replace(body, []byte(token), nil, 1)
			token = ""
		}
		ask["target"] = as
		line, err := json.Marshal(archived{Endpoint: c.endpoint, Target: as, Scope: "root_domain", Page: page,
			FetchedAt: time.Date(2026, 11, 1, 4, 0, 0, 0, time.UTC).Add(time.Duration(c.pages) * 20 * time.Millisecond), Request: ask, Response: body})
		if err != nil {
			return err
		}
		n, err := w.Write(append(line, '\n'))
		if err != nil {
			return err
		}
		c.pages, c.bytes = c.pages+1, c.bytes+int64(n)
		if token == "" {
			return nil
		}
	}
	return nil
}

// rowMark is what stands in every row of an endpoint's reply once.
var rowMark = map[string]string{"anchor_text": `"external_root_domains"`, "links": `"via_redirect"`}

func post(s *emulator.Server, endpoint string, ask map[string]any) ([]byte, error) {
	body, err := json.Marshal(ask)
	if err != nil {
		return nil, err
	}
	r := httptest.NewRequest(http.MethodPost, "/v2/"+endpoint, bytes.NewReader(body))
	r.Header.Set("x-moz-token", emulator.DefaultToken)
	w := httptest.NewRecorder()
	if s.ServeHTTP(w, r); w.Code != http.StatusOK {
		return nil, fmt.Errorf("the emulator answers %d: %s", w.Code, w.Body)
	}
	return w.Body.Bytes(), nil
}

// nextToken is the token at the end of a reply.
func nextToken(body []byte) string {
	i := bytes.LastIndex(body, []byte(`"next_token"`))
	if i < 0 {
		return ""
	}
	var end struct {
		Token string `json:"next_token"`
	}
	_ = json.Unmarshal(append([]byte("{"), body[i:]...), &end) // a last page has none
	return end.Token
}
