package ahrefsv3

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// WhereFields returns the distinct fields that a filter names, in the order they first appear. expr is the filter as
// decoded from JSON: map[string]any, []any and scalars. A filter that is not built of and, or, not and comparisons of
// fields is refused, for a field could hide in it and raise the price; what the fields are compared with is not looked
// at. Source: Ahrefs, filter syntax.
func (r *Report) WhereFields(expr any) ([]string, error) {
	if r.Kind != List {
		return nil, fmt.Errorf("where: %s takes no filter", r.Name)
	}
	var names []string
	err := r.walk(expr, func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("where: %w", err)
	}
	return names, nil
}

func (r *Report) walk(expr any, named func(string)) error {
	object, ok := expr.(map[string]any)
	if !ok {
		return fmt.Errorf("%s is not a filter: want an object with and, or, not or field", brief(expr))
	}
	if _, compares := object["field"]; compares {
		return r.comparison(object, named)
	}
	if len(object) != 1 {
		return fmt.Errorf("an object with %s is not a filter: want exactly one of and, or, not, or a field", members(object))
	}
	for operator, operand := range object {
		switch operator {
		case "and", "or":
			return r.walkAll(operator, operand, named)
		case "not":
			return r.walk(operand, named)
		default:
			return fmt.Errorf("%q is not an operator: want and, or, not, or a field", operator)
		}
	}
	return nil
}

func (r *Report) walkAll(operator string, operand any, named func(string)) error {
	list, _ := operand.([]any)
	if len(list) == 0 {
		return fmt.Errorf("%s needs a list of at least one filter", operator)
	}
	for _, expr := range list {
		if err := r.walk(expr, named); err != nil {
			return err
		}
	}
	return nil
}

// comparison: is and list_is are both optional; modifier stands in an example of Ahrefs only.
func (r *Report) comparison(object map[string]any, named func(string)) error {
	name, ok := object["field"].(string)
	if !ok {
		return fmt.Errorf("field must be a name, not %s", brief(object["field"]))
	}
	for member := range object {
		switch member {
		case "field", "is", "list_is", "modifier":
		default:
			return fmt.Errorf("%q beside field %s is unknown: want is or list_is", member, name)
		}
	}
	if r.Filter(name) == nil {
		return fmt.Errorf("%s has no field %q to filter by", r.Name, name)
	}
	named(name)
	return nil
}

// OrderFields returns the distinct fields of order_by, in their order. A term is a field, with :asc or :desc if it likes.
// Source: Ahrefs OpenAPI 3.0.0, `order_by` of each report.
func (r *Report) OrderFields(terms []string) ([]string, error) {
	if len(terms) > 0 && !r.Selects() {
		return nil, fmt.Errorf("order_by: %s has a fixed order", r.Name)
	}
	var names []string
	for _, term := range terms {
		name, direction, directed := strings.Cut(term, ":")
		switch {
		case directed && direction != "asc" && direction != "desc":
			return nil, fmt.Errorf("order_by: the direction of %s must be asc or desc, not %q", name, direction)
		case r.Field(name) == nil:
			return nil, fmt.Errorf("order_by: %s has no field %q to order by", r.Name, name)
		case slices.Contains(r.Unordered, name):
			return nil, fmt.Errorf("order_by: Ahrefs does not order %s by %s", r.Name, name)
		case !slices.Contains(names, name):
			names = append(names, name)
		}
	}
	return names, nil
}

// SelectFields returns the distinct fields of select, in their order. Source: Ahrefs OpenAPI 3.0.0, `select` of each
// report, which is required.
func (r *Report) SelectFields(selected []string) ([]string, error) {
	switch {
	case !r.Selects() && len(selected) > 0:
		return nil, fmt.Errorf("select: %s always has all its fields", r.Name)
	case r.Selects() && len(selected) == 0:
		return nil, errors.New("select: name at least one field: the price of a row is the sum of theirs")
	}
	var names []string
	for _, name := range selected {
		if r.Field(name) == nil {
			return nil, fmt.Errorf("select: %s has no field %q", r.Name, name)
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names, nil
}

func members(object map[string]any) string {
	if len(object) == 0 {
		return "nothing in it"
	}
	return strings.Join(slices.Sorted(maps.Keys(object)), ", ")
}

// brief shows a value in a message without repeating all of it.
func brief(v any) string {
	const enough = 40
	s := fmt.Sprintf("%v", v)
	if len(s) > enough {
		s = strings.ToValidUTF8(s[:enough], "") + "…"
	}
	return s
}
