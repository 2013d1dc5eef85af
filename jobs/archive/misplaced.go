package archive

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"backhaul/pipeline"
)

// asker is a source whose replies are read by what was asked, and which can tell that from a reply.
type asker interface{ RequestOf(body []byte) []byte }

// misplaced says what a reply is that is not of the endpoint it is said to be of: another endpoint makes more of it, or this
// one makes nothing of it. word is who says it, "" if only its rows do; mine and err are what that endpoint makes of it.
func (x *examiner) misplaced(of pipeline.Source, word string, body []byte, mine look, err error) error {
	guess := guesses(of, body)
	switch {
	case err == nil && mine.rejected+mine.left == 0 && (mine.rows == 0 || !guess):
		return nil // it is this endpoint's, or a list of nothing, which may be anybody's
	case err != nil && readByRequest(of.Endpoint()):
		return nil // that its request is missing is said where the task is made
	}
	// A reply whose rows leave the same members over as those of an earlier one is like it.
	shape := fmt.Sprint(of.Endpoint().Name, slices.Sorted(maps.Keys(mine.rest)))
	if err == nil && mine.rejected == 0 && !guess && x.judged[shape] {
		return nil
	}
	if other, names := x.kin(body, mine, guess); names != nil {
		return x.elsewhere(other, strings.Join(names, " or "), of, word)
	}
	switch {
	case err != nil: // reading it will say so
		return nil
	case mine.nothing():
		return fmt.Errorf("no row of it fits %s%s: %s", of.Endpoint(), by(word), brief(mine.reason))
	case mine.read == 0 && mine.left > 0:
		return fmt.Errorf("nothing in it is of %s%s: no column knows a member of its rows", of.Endpoint(), by(word))
	}
	x.judged[shape] = true
	return nil
}

// readByRequest reports whether nothing but the request tells what an endpoint's rows are about.
func readByRequest(e *pipeline.Endpoint) bool {
	return e.Asks.Batched() || e.Asks == pipeline.AboutParams
}

// by is who says what endpoint a reply is of, within a message.
func by(word string) string {
	if word == "" {
		return ""
	}
	return ", as " + word + " says"
}

// guesses reports whether a source takes a reply only because it is told to.
func guesses(s pipeline.Source, body []byte) bool {
	r, ok := s.(recogniser)
	return ok && !r.Recognises(body)
}

// kin returns the surface and its endpoints that make more of a reply than one that has looked at it, the reader's own first.
// One that guesses gives way to another surface's that makes as much of it.
func (x *examiner) kin(body []byte, mine look, guess bool) (of Surface, names []string) {
	var best look
	for i, surface := range append([]Surface{{Name: x.Surface, Sources: x.Sources, Archives: true}}, x.Others...) {
		for _, s := range surface.Sources {
			l, ok := x.fits(s, body)
			switch {
			case !ok || !l.better(mine) && !(guess && i > 0 && l.as(mine)):
			case l.as(best) && surface.Name == of.Name:
				names = append(names, s.Endpoint().Name)
			case names == nil || l.better(best):
				best, of, names = l, surface, []string{s.Endpoint().Name}
			}
		}
	}
	return of, names
}

// fits looks at a reply with the eyes of another endpoint, as far as that can read it without its request.
func (x *examiner) fits(s pipeline.Source, body []byte) (look, bool) {
	if guesses(s, body) {
		return look{}, false
	}
	page := pipeline.Page{Body: body}
	if a, ok := s.(asker); ok {
		page.Request = a.RequestOf(body)
	}
	l, err := x.look(s, page)
	return l, err == nil && l.rows > 0 && l.rejected == 0
}

// elsewhere says where a reply belongs, and what to type. said may be nil.
func (x *examiner) elsewhere(of Surface, endpoint string, said pipeline.Source, word string) error {
	not := ""
	if said != nil {
		not = ", not of " + said.Endpoint().Name + by(word)
	}
	switch {
	case of.Name == x.Surface && word == archiveSays:
		return fmt.Errorf("it looks like a reply of %s%s: correct the archive", endpoint, not)
	case of.Name == x.Surface:
		return fmt.Errorf("it looks like a reply of %s%s: give --endpoint %[1]s", endpoint, not)
	case of.Archives:
		return fmt.Errorf("it looks like a reply of %s, %s%s: import it with `backhaul import %[1]s`", of.Name, endpoint, not)
	default:
		return fmt.Errorf("it looks like a reply of %s, %s%s: archives of %[1]s cannot be imported", of.Name, endpoint, not)
	}
}
