package archive

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"backhaul/pipeline"
	"backhaul/schemas"
	"backhaul/schemas/canon"
)

// examiner makes pages of the replies of one file.
type examiner struct {
	*Reader
	builders map[*schemas.Table]*schemas.Builder
	names    map[string]named
}

func newExaminer(r *Reader) *examiner {
	return &examiner{Reader: r, builders: map[*schemas.Table]*schemas.Builder{}, names: map[string]named{}}
}

func (x *examiner) release() {
	for _, b := range x.builders {
		b.Release()
	}
}

// page finds out what a reply answers, and reads it.
func (x *examiner) page(f found) (Page, error) {
	s, err := read(f.body)
	if err != nil {
		return Page{}, f.problem("%v", err)
	}
	name, ok := x.names[f.file]
	if !ok {
		name = x.nameOf(f.file)
		x.names[f.file] = name
	}
	p := Page{File: f.file, Line: f.line, Page: pipeline.Page{Body: s.body, Status: s.status}}
	source, err := x.endpoint(s, name)
	if err == nil {
		p.Task, err = x.task(source.Endpoint(), s, name)
	}
	if err == nil {
		err = x.dates(&p, s, name)
	}
	if err == nil {
		p.Page.Request = keep(source.Endpoint(), s)
		var l look
		l, err = x.look(source, s.body, false)
		p.Page.Rows = l.rows + l.rejected
	}
	if err != nil {
		return Page{}, f.problem("%v", err)
	}
	return p, nil
}

// source returns the source that a name stands for, the vendor's own names and spellings included; nil if none.
func (x *examiner) source(name string) pipeline.Source {
	name = strings.ReplaceAll(name[strings.LastIndexByte(name, '/')+1:], "-", "_")
	for _, known := range []string{name, x.otherName(name)} {
		for _, s := range x.Sources {
			if known != "" && s.Endpoint().Name == known {
				return s
			}
		}
	}
	return nil
}

func (x *examiner) otherName(name string) string {
	if x.NameOf == nil {
		return ""
	}
	return x.NameOf(name)
}

// endpoint finds out which endpoint a reply is of: from its wrapper, its request, the caller, the file's name, or its rows.
func (x *examiner) endpoint(s said, name named) (pipeline.Source, error) {
	text := cmp.Or(s.endpoint, s.text("from"))
	if from := s.text("from"); from != "" && x.source(s.endpoint) == nil {
		text = from // v2 has nothing but a slash for a path, and gateways what they like
	}
	switch {
	case text != "":
		source := x.source(text)
		if source == nil {
			return nil, fmt.Errorf("the archive says it is of %q, which this program does not read; it reads %s", brief(text), x.list())
		}
		if given := x.source(x.Given.Endpoint); x.Given.Endpoint != "" && given != source {
			return nil, fmt.Errorf("the archive says it is of %s, --endpoint says %s", source.Endpoint().Name, x.Given.Endpoint)
		}
		return x.about(source)
	case x.Given.Endpoint != "":
		source := x.source(x.Given.Endpoint)
		if source == nil {
			return nil, fmt.Errorf("--endpoint %q is none this program reads; it reads %s", brief(x.Given.Endpoint), x.list())
		}
		return x.about(source)
	case name.endpoint != nil:
		return x.about(x.source(name.endpoint.Name))
	}
	return x.recognise(s.body)
}

func (x *examiner) list() string {
	var names []string
	for _, s := range x.Sources {
		if importable(s.Endpoint()) {
			names = append(names, s.Endpoint().Name)
		}
	}
	return strings.Join(names, ", ")
}

// importable: of a reply about a batch nothing but the request tells what its rows are about.
func importable(e *pipeline.Endpoint) bool {
	return e.Asks == pipeline.AboutTarget || e.Asks == pipeline.AboutNothing
}

func (x *examiner) about(source pipeline.Source) (pipeline.Source, error) {
	if e := source.Endpoint(); !importable(e) {
		return nil, fmt.Errorf("replies of %s are about several targets at once and cannot be imported", e)
	}
	return source, nil
}

// recogniser is a source that can tell its replies from those of others by more than their rows.
type recogniser interface{ Recognises(body []byte) bool }

// recognise finds the only endpoint that reads every row of a bare reply, and makes more of the rows than it leaves over.
func (x *examiner) recognise(body []byte) (pipeline.Source, error) {
	var fits, empty []pipeline.Source
	for _, s := range x.Sources {
		if r, ok := s.(recogniser); ok && !r.Recognises(body) || !importable(s.Endpoint()) {
			continue
		}
		switch look, err := x.look(s, body, true); {
		case err != nil || look.rejected > 0:
		case look.rows == 0:
			empty = append(empty, s)
		case look.read > look.left:
			fits = append(fits, s)
		}
	}
	if len(fits) == 0 {
		fits = empty
	}
	switch len(fits) {
	case 1:
		return fits[0], nil
	case 0:
		return nil, fmt.Errorf("no endpoint recognises it%s; name one with --endpoint: %s", x.refusal(body), x.list())
	}
	var names []string
	for _, s := range fits {
		names = append(names, s.Endpoint().Name)
	}
	return nil, fmt.Errorf("it may be of %s: say which with --endpoint", strings.Join(names, " or "))
}

// refusal shows what a reply says that is no page at all.
func (x *examiner) refusal(body []byte) string {
	var reply struct{ Error, Message any }
	if json.Unmarshal(body, &reply) != nil {
		return ""
	}
	for _, v := range []any{reply.Error, reply.Message} {
		if v != nil {
			return fmt.Sprintf(" (it says: %s)", brief(fmt.Sprint(v)))
		}
	}
	return ""
}

// task makes the task that a reply answers.
func (x *examiner) task(e *pipeline.Endpoint, s said, name named) (pipeline.Task, error) {
	t := pipeline.Task{Extract: e.Name, Endpoint: e.String(), Surface: e.Surface}
	if e.Asks == pipeline.AboutTarget {
		given, err := one("target", "--target", cmp.Or(s.target, s.text("target")), x.Given.Target, name.target, canonical)
		if err != nil {
			return t, err
		}
		if given == "" {
			return t, fmt.Errorf("nobody says what it is about: name it with --target, or call the file %s_TARGET_DATE.json", e.Name)
		}
		if t.Target, err = canon.Target(given); err != nil {
			return t, fmt.Errorf("the target %w", err)
		}
		t.TargetAsGiven = given
	}
	if err := x.scope(&t, e, s, name); err != nil {
		return t, err
	}
	t.Params = params(e, t.Scope, s)
	t.ID = pipeline.TaskID(t)
	return t, nil
}

func (x *examiner) scope(t *pipeline.Task, e *pipeline.Endpoint, s said, name named) (err error) {
	if e.ScopeParam == "" {
		return nil
	}
	same := func(s string) string { return s }
	if t.Scope, err = one(e.ScopeParam, "--mode", cmp.Or(s.scope, s.text(e.ScopeParam)), x.Given.Scope, name.scope, same); err != nil {
		return err
	}
	if t.Scope == "" && s.sent != nil {
		t.Scope = e.DefaultScope // the request is known, and has none
	}
	if words := scopes(e); len(words) > 0 && !slices.Contains(words, t.Scope) {
		if t.Scope == "" {
			return fmt.Errorf("nobody says how wide the target was taken: give --mode, one of %s", strings.Join(words, ", "))
		}
		return fmt.Errorf("%s %q is none of %s", e.ScopeParam, brief(t.Scope), strings.Join(words, ", "))
	}
	return nil
}

// one chooses between what the archive says, the caller, and the file's name. The first two must agree.
func one(what, flag, said, given, name string, spell func(string) string) (string, error) {
	if said != "" && given != "" && spell(said) != spell(given) {
		return "", fmt.Errorf("the archive says %s %q, %s says %q", what, brief(said), flag, brief(given))
	}
	return cmp.Or(said, given, name), nil
}

func canonical(target string) string {
	if spelled, err := canon.Target(target); err == nil {
		return spelled
	}
	return target
}

// dates finds out when the reply was fetched, and which run date it belongs to.
func (x *examiner) dates(p *Page, s said, name named) error {
	for _, t := range []time.Time{x.Given.Date, s.date, s.fetchedAt, name.date} {
		if !t.IsZero() {
			p.Date = t.Truncate(24 * time.Hour)
			break
		}
	}
	if p.Date.IsZero() {
		return fmt.Errorf("nobody says when it was fetched: give --date, or call the file %s_TARGET_YYYY-MM-DD.json", p.Task.Extract)
	}
	p.Page.FetchedAt = p.Date
	for _, t := range []time.Time{s.fetchedAt, s.date, name.date} {
		if !t.IsZero() {
			p.Page.FetchedAt = t
			break
		}
	}
	return nil
}

// paging are the parameters of requests that say which page is wanted, not which list.
var paging = []string{"limit", "offset", "next_token", "output", "target"}

// question are parameters of requests that make another list of it, although jobs may spell them otherwise.
var question = []string{"from", "select", "where", "having", "order_by"}

// asked are the parameters of the request that an endpoint knows, as archived: nothing else is kept of it, as there may be a
// key in it.
func asked(e *pipeline.Endpoint, s said) map[string]any {
	kept := map[string]any{}
	for name, value := range s.sent {
		if e.Param(name) != nil || name == e.ScopeParam || slices.Contains(paging, name) || slices.Contains(question, name) {
			kept[name] = value
		}
	}
	return kept
}

// params are the task's: lists that were asked for with other parameters are other lists.
func params(e *pipeline.Endpoint, scope string, s said) string {
	kept := asked(e, s)
	maps.DeleteFunc(kept, func(name string, _ any) bool { return slices.Contains(paging, name) })
	if e.ScopeParam != "" {
		kept[e.ScopeParam] = scope
	}
	return encode(kept)
}

// keep is the request as the page has it.
func keep(e *pipeline.Endpoint, s said) []byte {
	kept := asked(e, s)
	if len(kept) == 0 {
		return nil
	}
	return []byte(encode(kept))
}

// encode writes the values as tasks have their parameters: sorted by name.
func encode(values map[string]any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(values); err != nil {
		panic(fmt.Sprintf("encode parameters: %v", err)) // they were decoded from JSON, or are texts
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// look is what a decoder makes of a reply.
type look struct {
	rows, rejected int
	// read and left are how many values of the rows went to columns, and how many members did not.
	read, left int
}

// look decodes a reply and throws the rows away. closely counts their values as well.
func (x *examiner) look(source pipeline.Source, body []byte, closely bool) (look, error) {
	table := source.Endpoint().Table
	b := x.builders[table]
	if b == nil {
		b = schemas.NewBuilder(memory.DefaultAllocator, table)
		x.builders[table] = b
	}
	b.Begin(schemas.Origin{Rank: 1})
	err := source.Decode(pipeline.Page{Body: body}, b)
	batch := b.Batch()
	defer batch.Release()
	l := look{rows: int(batch.NumRows()), rejected: len(b.Rejected())}
	for i, c := range table.Columns() {
		column := batch.Column(i)
		switch {
		case !closely:
		case i < len(table.Own):
			l.read += column.Len() - column.NullN()
		case c.Name == schemas.ColExtra:
			l.left += members(column)
		}
	}
	return l, err
}

// members counts the outermost members of the objects in a column.
func members(column arrow.Array) (n int) {
	for i := range column.Len() {
		var object map[string]json.RawMessage
		if column.IsValid(i) && json.Unmarshal([]byte(column.ValueStr(i)), &object) == nil {
			n += len(object)
		}
	}
	return n
}

// brief shows a text within a message.
func brief(s string) string {
	const enough = 60
	if len(s) > enough {
		s = strings.ToValidUTF8(s[:enough], "") + "…"
	}
	return s
}
