package archive

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	"backhaul/pipeline"
	"backhaul/schemas"
)

// examiner makes pages of the replies of one file.
type examiner struct {
	*Reader
	again    bool // the replies were examined before
	visitors map[*schemas.Table]*schemas.Builder
	looking  look // what the visitors have seen
	names    map[string]named
	judged   map[string]bool // shapes that no other endpoint has
}

func newExaminer(r *Reader) *examiner {
	return &examiner{Reader: r, visitors: map[*schemas.Table]*schemas.Builder{}, names: map[string]named{}, judged: map[string]bool{}}
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
	source, word, err := x.endpoint(s, name)
	if err == nil {
		err = x.ofOne(&s, source.Endpoint(), name)
	}
	if err == nil {
		p.Page.Request = keep(source.Endpoint(), s)
	}
	var l look
	var unread error
	if err == nil && !x.again {
		l, unread = x.look(source, p.Page)
		err = x.misplaced(source, word, s.body, l, unread)
	}
	if err == nil {
		p.Task, err = x.task(source.Endpoint(), s, name)
	}
	if err == nil {
		err = x.dates(&p, s, name)
	}
	if err == nil {
		err = unread
	}
	if err != nil {
		return Page{}, f.problem("%v", err)
	}
	p.Page.Rows = l.rows + l.rejected
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

// archiveSays is who says what endpoint a reply is of, where its wrapper or its request does.
const archiveSays = "the archive"

// endpoint finds out which endpoint a reply is of: from its wrapper, its request, the caller, the file's name, or its rows;
// and who says so.
func (x *examiner) endpoint(s said, name named) (source pipeline.Source, word string, err error) {
	text := cmp.Or(s.endpoint, s.text("from"))
	if from := s.text("from"); from != "" && x.source(s.endpoint) == nil {
		text = from // v2 has nothing but a slash for a path, and gateways what they like
	}
	switch {
	case text != "":
		source := x.source(text)
		if source == nil {
			return nil, "", fmt.Errorf("the archive says it is of %q, which this program does not read; it reads %s", brief(text), x.list())
		}
		if given := x.source(x.Given.Endpoint); x.Given.Endpoint != "" && given != source {
			return nil, "", fmt.Errorf("the archive says it is of %s, --endpoint says %s", source.Endpoint().Name, x.Given.Endpoint)
		}
		return source, archiveSays, nil
	case x.Given.Endpoint != "":
		source := x.source(x.Given.Endpoint)
		if source == nil {
			return nil, "", fmt.Errorf("--endpoint %q is not one that this program reads; it reads %s", brief(x.Given.Endpoint), x.list())
		}
		return source, "--endpoint", nil
	case name.endpoint != nil:
		return x.source(name.endpoint.Name), "the file's name", nil
	}
	source, err = x.recognise(s.body)
	return source, "", err
}

func (x *examiner) list() string {
	var names []string
	for _, s := range x.Sources {
		names = append(names, s.Endpoint().Name)
	}
	return strings.Join(names, ", ")
}

// recogniser is a source that can tell its replies from those of others by more than their rows.
type recogniser interface{ Recognises(body []byte) bool }

// recognise finds the only endpoint that reads every row of a bare reply, and makes more of the rows than it leaves over.
func (x *examiner) recognise(body []byte) (pipeline.Source, error) {
	var fits, empty []pipeline.Source
	for _, s := range x.Sources {
		if guesses(s, body) || readByRequest(s.Endpoint()) {
			continue
		}
		switch look, err := x.look(s, pipeline.Page{Body: body}); {
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
		if of, names := x.kin(body, look{}, false); names != nil {
			return nil, x.elsewhere(of, strings.Join(names, " or "), nil, "")
		}
		return nil, fmt.Errorf("no endpoint recognises it%s; name one with --endpoint: %s", x.refusal(body), x.list())
	}
	var names []string
	for _, s := range fits {
		names = append(names, s.Endpoint().Name)
	}
	return nil, fmt.Errorf("it may be of %s: say which with --endpoint", strings.Join(names, " or "))
}

// refusal shows what a reply says that is not a page at all.
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
