// Package lineage tells receivers of OpenLineage (https://openlineage.io/spec/2-0-2/OpenLineage.json) which run reads which endpoints of
// which vendors, and writes which tables: when an execution of it begins, and when and how it ends.
//
// Who is told is said by the variables that the standard's own clients read. The package knows neither jobs nor warehouses: it is told
// what is read and written.
package lineage

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"

	"backhaul/jobs/post"
)

// Settings say who speaks, and where it is said who is told.
type Settings struct {
	// Variable returns a variable's value, "" if it is not set, and Secret that of one that may be given in other ways too.
	Variable func(name string) string
	Secret   func(name string) (string, error)
	// Version is the program's.
	Version string
}

// The variables. KeyVariable may be given as a secret is.
const (
	KeyVariable = "OPENLINEAGE_API_KEY"
	kind        = "OPENLINEAGE__TRANSPORT__TYPE"
	kindFile    = "OPENLINEAGE__TRANSPORT__LOG_FILE_PATH"
	kindAppend  = "OPENLINEAGE__TRANSPORT__APPEND"
)

// Lineage is told to one receiver.
type Lineage struct {
	namespace, producer, version string
	way                          way
}

// way is how events go out. The error of one says what happened, without the receiver's credentials.
type way interface {
	send(ctx context.Context, at time.Time, event []byte) error
	name() string
}

// Open returns what tells whom the variables name, nil if they name nobody. An error says which variable is wrong.
func Open(s Settings) (*Lineage, error) {
	if strings.EqualFold(s.Variable("OPENLINEAGE_DISABLED"), "true") {
		return nil, nil
	}
	to, err := wayOf(s)
	if to == nil || err != nil {
		return nil, err
	}
	return &Lineage{namespace: cmp.Or(s.Variable("OPENLINEAGE_NAMESPACE"), "default"), producer: "urn:backhaul:" + s.Version, version: s.Version, way: to}, nil
}

func wayOf(s Settings) (way, error) {
	base := cmp.Or(s.Variable("OPENLINEAGE_URL"), s.Variable("OPENLINEAGE__TRANSPORT__URL"))
	switch what := s.Variable(kind); what {
	case "file":
		path := s.Variable(kindFile)
		if path == "" {
			return nil, fmt.Errorf("%s is file, and %s names none", kind, kindFile)
		}
		return file{path, strings.EqualFold(s.Variable(kindAppend), "true")}, nil
	case "", "http":
		if base == "" && what == "" {
			return nil, nil
		}
		return receiverAt(base, s)
	default:
		return nil, fmt.Errorf("%s is %q, and this program knows http and file", kind, what)
	}
}

// receiverAt returns a receiver over HTTP.
func receiverAt(base string, s Settings) (way, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("OPENLINEAGE_URL is not the URL of a receiver, such as http://localhost:5000 is one")
	}
	key, err := s.Secret(KeyVariable)
	if err != nil {
		return nil, err
	}
	if key != "" && u.Scheme == "http" && !post.IsLoopback(u.Hostname()) {
		return nil, fmt.Errorf("OPENLINEAGE_URL is not https, so others could read what %s holds", KeyVariable)
	}
	endpoint := cmp.Or(s.Variable("OPENLINEAGE_ENDPOINT"), s.Variable("OPENLINEAGE__TRANSPORT__ENDPOINT"), "api/v1/lineage")
	return receiver{u.JoinPath(endpoint), key}, nil
}

// receiver takes events over HTTP.
type receiver struct {
	at  *url.URL
	key string
}

// patience is how long a receiver may take for an event.
const patience = 5 * time.Second

func (r receiver) name() string { return r.at.Host }

func (r receiver) send(ctx context.Context, _ time.Time, event []byte) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	headers := map[string]string{}
	if r.key != "" {
		headers["Authorization"] = "Bearer " + r.key
	}
	status, err := post.JSON(ctx, r.at.String(), headers, event)
	if err == nil && status/100 != 2 {
		err = fmt.Errorf("it answered with HTTP status %d", status)
	}
	return err
}

// file is a file that events go to, an event a line; or, as the standard's clients have it, a file for each event beside that name.
type file struct {
	path   string
	append bool
}

func (f file) name() string { return f.path }

func (f file) send(_ context.Context, at time.Time, event []byte) error {
	path, mode := f.path, os.O_APPEND
	if !f.append {
		path, mode = fmt.Sprintf("%s-%s.json", f.path, at.Format("20060102-150405.000000")), os.O_TRUNC
	}
	to, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|mode, 0o644)
	if err != nil {
		return err
	}
	_, err = to.Write(append(event, '\n'))
	return errors.Join(err, to.Close())
}

// Source is an endpoint that is read: of which surface, whose API is where. What the URL holds beside scheme, host and path is not told.
type Source struct{ Endpoint, Surface, URL string }

// Field is a column of a table.
type Field struct {
	Name        string `json:"name"`
	Type        string `json:"type"`
	Description string `json:"description,omitempty"`
}

// Table is one that is written, whose files lie in a directory.
type Table struct {
	Directory string
	Fields    []Field
	// Written is what this execution has written; nil if that is not known.
	Written *Written
}

// Written is one file.
type Written struct{ Rows, Bytes int64 }

// Run is one execution of a run of a job.
type Run struct {
	// Execution identifies it: 16 bytes, of which the first six are its time.
	Execution [16]byte
	Job       string
	RunDate   time.Time
	Sources   []Source
}

// End is how an execution ended.
type End struct {
	// RunID is the run it is one of, "" where it did not get as far; ExitStatus the program's.
	RunID      string
	ExitStatus int
	// Aborted: it was stopped, and can be gone on with; else a status that is not 0 is a failure.
	Aborted bool
	// Message says why it is not complete.
	Message string
	Tables  []Table
}

// Start tells that an execution begins, and which tables it may write.
func (l *Lineage) Start(ctx context.Context, r Run, tables []Table, at time.Time) error {
	return l.tell(ctx, l.event(r, "START", tables, at), at)
}

// Finish tells how it ended.
func (l *Lineage) Finish(ctx context.Context, r Run, e End, at time.Time) error {
	what := "COMPLETE"
	switch {
	case e.Aborted:
		what = "ABORT"
	case e.ExitStatus != 0:
		what = "FAIL"
	}
	event := l.event(r, what, e.Tables, at)
	event.Run.Facets["backhaul_run"] = l.facet(core+"#/$defs/RunFacet", facet{"runId": e.RunID, "exitStatus": e.ExitStatus})
	if e.Message != "" {
		event.Run.Facets["errorMessage"] = l.facet(facets+"1-0-1/ErrorMessageRunFacet.json", facet{"message": e.Message, "programmingLanguage": "Go"})
	}
	return l.tell(ctx, event, at)
}

func (l *Lineage) tell(ctx context.Context, e event, at time.Time) error {
	text, err := json.Marshal(e)
	if err == nil {
		err = l.way.send(ctx, at.UTC(), text)
	}
	if err != nil {
		return fmt.Errorf("%s was not told to %s: %w", e.EventType, l.way.name(), err)
	}
	return nil
}

// uuidOf spells an execution as a UUID of version 7, whose bytes are laid out alike.
func uuidOf(execution [16]byte) string {
	execution[6] = execution[6]&0x0f | 0x70
	execution[8] = execution[8]&0x3f | 0x80
	return uuid.UUID(execution).String()
}
