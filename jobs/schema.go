package jobs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"backhaul/pipeline"
	"backhaul/schemas"
)

// schema is a JSON Schema.
type schema map[string]any

// form is what may stand under a key.
type form struct {
	takes  string
	schema func(known Registry) schema
}

// Schema returns the JSON Schema (draft 2020-12) of a job for the endpoints that are known, for editors. Every valid spec is
// valid under it, as YAML decodes to JSON. What it cannot say (names that refer to others, files, combinations of parameters,
// numbers spelt oddly) only Load tells.
func Schema(known Registry) ([]byte, error) {
	root := objectOf(known, specKeys)
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "backhaul job"
	root["description"] = "What to buy, from whom and within which budget. `backhaul help job` explains every key."
	defs := schema{"reference": schema{"type": "string", "pattern": reference.String(), "description": "a parameter of the job"}}
	var all []any
	for _, vendor := range known.Vendors() {
		for i, surface := range known.Surfaces(vendor) {
			name := vendor + "_" + surface
			defs["extract_"+name] = extractOf(known, vendor, surface, defs)
			all = append(all, schema{"if": bought(vendor, surface, i == 0), "then": schema{
				"properties": schema{"extracts": schema{"items": ref("extract_" + name)}},
			}})
		}
	}
	root["$defs"], root["allOf"] = defs, all
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(root); err != nil {
		return nil, fmt.Errorf("encode the schema of jobs: %w", err)
	}
	return out.Bytes(), nil
}

func ref(name string) schema { return schema{"$ref": "#/$defs/" + name} }

// bought says that a spec buys from a surface of a vendor. The first is bought from where the spec names none.
func bought(vendor, surface string, first bool) schema {
	chosen := func(what schema) schema { return under(what, "vendors", vendor, "surface") }
	if first {
		return schema{"not": chosen(schema{"not": schema{"const": surface}})}
	}
	return chosen(schema{"const": surface})
}

// under requires keys one below the other, and something of what is there.
func under(what schema, keys ...string) schema {
	for _, key := range slices.Backward(keys) {
		what = schema{"required": []string{key}, "properties": schema{key: what}}
	}
	return what
}

// extractOf is what holds for the extracts of one surface. The parameters of its endpoints become definitions.
func extractOf(known Registry, vendor, surface string, defs schema) schema {
	names, each := []string{}, []any(nil)
	for _, e := range known.Endpoints(vendor, surface) {
		names = append(names, e.String())
		params, name := paramsOf(e), vendor+"_"+e.Name
		if first, ok := defs[name]; ok && !reflect.DeepEqual(first, params) { // surfaces of a vendor mostly take the same
			name += "_" + surface
		}
		defs[name] = params
		each = append(each, schema{"if": under(schema{"const": e.String()}, "endpoint"), "then": demands(e, name)})
	}
	then := schema{"properties": schema{"endpoint": orReference(schema{"enum": names})}}
	if each != nil {
		then["allOf"] = each
	}
	return schema{"if": under(schema{"type": "string", "pattern": "^" + vendor + "/"}, "endpoint"), "then": then}
}

// demands are the keys that an extract of an endpoint must have, and those it cannot.
func demands(e *pipeline.Endpoint, params string) schema {
	var required []string
	properties := schema{"params": ref(params)}
	switch e.Asks {
	case pipeline.AboutNothing, pipeline.AboutParams:
		properties["targets"], properties["inputs"] = false, false
	case pipeline.AboutSources:
		properties["targets"], required = false, append(required, "inputs")
	default:
		properties["inputs"], required = false, append(required, "targets")
	}
	if e.Once || e.Asks.Batched() {
		properties["max_rows"] = false
	}
	if slices.ContainsFunc(e.Params, func(p pipeline.Param) bool { return p.Required }) {
		required = append(required, "params")
	}
	out := schema{"properties": properties}
	if required != nil {
		out["required"] = required
	}
	return out
}

// paramsOf are the parameters of an endpoint.
func paramsOf(e *pipeline.Endpoint) schema {
	properties := schema{}
	var required []string
	for _, p := range Settable(e) {
		value := paramOf(p)
		if p.Meaning != "" {
			value["description"] = p.Meaning
		}
		properties[p.Name] = value
		if p.Required {
			required = append(required, p.Name)
		}
	}
	out := schema{"type": "object", "properties": properties, "additionalProperties": false, "description": e.Meaning}
	if required != nil {
		out["required"] = required
	}
	return out
}

// paramOf is what one parameter takes.
func paramOf(p pipeline.Param) schema {
	one := schema{"type": "string"}
	if len(p.Values) > 0 {
		one = schema{"enum": p.Values}
	}
	switch p.Type {
	case pipeline.ParamEnum:
		return orReference(one)
	case pipeline.ParamWords:
		return anyOf(one, joined(p), schema{"type": "array", "items": orReference(one), "minItems": 1, "uniqueItems": true}, ref("reference"))
	case pipeline.ParamInt:
		if p.Max == 0 {
			return orReference(schema{"type": "integer"})
		}
		return orReference(schema{"type": "integer", "minimum": p.Min, "maximum": p.Max})
	case pipeline.ParamBool:
		return orReference(schema{"type": "boolean"})
	case pipeline.ParamDate:
		return orReference(schema{"type": "string", "pattern": `^\s*[0-9]{4}-[0-9]{2}-[0-9]{2}\s*$`})
	case pipeline.ParamStrings:
		return anyOf(one, schema{"type": "array", "items": orReference(one)}, ref("reference"))
	case pipeline.ParamTargets:
		entry := objectOf(nil, scopedKeys)
		entry["properties"].(schema)["scope"] = orReference(one)
		return schema{"type": "array", "items": entry, "minItems": 1}
	case pipeline.ParamJSON:
		return schema{"not": schema{"type": "null"}}
	}
	return schema{"type": "string"}
}

// joined is a string of words with their separator.
func joined(p pipeline.Param) schema {
	var quoted []string
	for _, word := range p.Values {
		quoted = append(quoted, regexp.QuoteMeta(word))
	}
	word := `\s*(` + strings.Join(quoted, "|") + `)\s*`
	return schema{"type": "string", "pattern": "^" + word + "(" + regexp.QuoteMeta(p.Separator) + word + ")*$"}
}

// objectOf is a mapping with these keys and no others.
func objectOf(known Registry, keys []Key) schema {
	properties := schema{}
	var required []string
	for _, k := range keys {
		value := k.form.schema(known)
		if k.Meaning != "" {
			value["description"] = k.Meaning
		}
		properties[k.Name] = value
		if k.Required {
			required = append(required, k.Name)
		}
	}
	out := schema{"type": "object", "properties": properties, "additionalProperties": false}
	if required != nil {
		out["required"] = required
	}
	return out
}

func anyOf(all ...schema) schema { return schema{"anyOf": all} }

// orReference allows a parameter of the job, which may stand wherever a value does.
func orReference(s schema) schema { return anyOf(s, ref("reference")) }

func fixed(takes string, s func() schema) form {
	return form{takes, func(Registry) schema { return s() }}
}

func count(least, most int64) form {
	return fixed(interval(least, most), func() schema {
		s := schema{"type": "integer", "minimum": least}
		if most < math.MaxInt64 {
			s["maximum"] = most
		}
		return orReference(s)
	})
}

func fraction(most float64) form {
	return fixed(fmt.Sprintf("a number above 0, at most %.0f", most), func() schema {
		return orReference(schema{"type": "number", "exclusiveMinimum": 0, "maximum": most})
	})
}

func span() form {
	return fixed("a duration like 7d, 12h or 1d12h", func() schema {
		return orReference(schema{"type": "string", "pattern": duration.String(), "not": schema{"pattern": "^(0+[wdhms])+$"}})
	})
}

// spanOrNone is a duration that may be nothing.
func spanOrNone() form {
	return fixed("a duration like 30m, 2h or 0s", func() schema {
		return orReference(schema{"type": "string", "pattern": duration.String()})
	})
}

func truth() form {
	return fixed("true or false", func() schema { return schema{"type": "boolean"} })
}

func scalar() form {
	return fixed("a string, number, or true or false", func() schema { return schema{"type": []string{"string", "number", "boolean"}} })
}

func plainText(takes string) form {
	return fixed(takes, func() schema { return schema{"type": "string"} })
}

// filled is a string that is not blank.
func filled(takes string) form {
	return fixed(takes, func() schema { return schema{"type": "string", "pattern": `\S`} })
}

func oneOf(values ...string) form {
	return fixed(join(values), func() schema { return orReference(schema{"enum": values}) })
}

// pattern is a name of certain letters.
func pattern(letters, expression string, most int) form {
	return fixed("a name of "+letters, func() schema {
		return orReference(schema{"type": "string", "pattern": expression, "maxLength": most})
	})
}

func mappingOf(keys []Key) form {
	return form{"a mapping", func(known Registry) schema { return objectOf(known, keys) }}
}

// mappingOfNames is a mapping whose keys are the user's.
func mappingOfNames(names string, keys []Key) form {
	return form{"a mapping of names", func(known Registry) schema {
		return schema{"type": "object", "propertyNames": schema{"pattern": names}, "additionalProperties": objectOf(known, keys)}
	}}
}

// byVendor is a mapping of vendors.
func byVendor(each func(known Registry, vendor string) form) form {
	return form{"a mapping of vendors", func(known Registry) schema {
		var keys []Key
		for _, vendor := range known.Vendors() {
			keys = append(keys, Key{Name: vendor, form: each(known, vendor)})
		}
		return objectOf(known, keys)
	}}
}

func vendorForm(known Registry, vendor string) form {
	return form{"a mapping", func(Registry) schema {
		s := objectOf(known, vendorKeys)
		s["properties"].(schema)["surface"] = orReference(schema{"enum": known.Surfaces(vendor)})
		s["not"] = schema{"required": []string{"requests_per_second", "requests_per_minute"}}
		return s
	}}
}

func namedLists() form {
	return form{"a mapping of names to lists", func(known Registry) schema {
		name := filled("").schema(known)
		entry := schema{"type": "object", "required": []string{"target"}, "properties": schema{"target": name},
			"additionalProperties": schema{"not": schema{"type": "null"}}}
		list := schema{"type": "array", "minItems": 1, "items": anyOf(name, entry)}
		return schema{"type": "object", "additionalProperties": anyOf(list, objectOf(known, listKeys))}
	}}
}

func userLists() form {
	return form{"a mapping of tables to files", func(known Registry) schema {
		var keys []Key
		for _, t := range schemas.UserTables() {
			keys = append(keys, Key{Name: t.Name, Meaning: t.Meaning, form: mappingOf(tableKeys)})
		}
		return objectOf(known, keys)
	}}
}

func extractEntries() form {
	return form{"a list", func(known Registry) schema {
		return schema{"type": "array", "minItems": 1, "items": objectOf(known, extractKeys)}
	}}
}

func endpointName() form {
	return form{"VENDOR/NAME", func(known Registry) schema {
		return orReference(schema{"type": "string", "pattern": "^(" + strings.Join(known.Vendors(), "|") + ")/"})
	}}
}

func chosenLists() form {
	return form{"names of lists, or a mapping", func(known Registry) schema {
		name := filled("").schema(known)
		return anyOf(name, schema{"type": "array", "minItems": 1, "uniqueItems": true, "items": name}, objectOf(known, queryKeys))
	}}
}

func inputsForm() form {
	return form{"a mapping", func(known Registry) schema {
		s := objectOf(known, inputKeys)
		s["oneOf"] = []schema{{"required": []string{"file"}}, {"required": []string{"sql"}}}
		return s
	}}
}

// parameters are those of any endpoint; which has which follows from the endpoint.
func parameters() form {
	return fixed("a mapping", func() schema { return schema{"type": "object"} })
}

func nameOrNames() form {
	return fixed("a name, or a list of names", func() schema {
		name := schema{"type": "string"}
		return anyOf(name, schema{"type": "array", "items": name})
	})
}

func expectEntries() form {
	return form{"a list", func(known Registry) schema {
		entry := objectOf(known, expectKeys)
		var checks []schema
		for _, check := range checkKeys {
			checks = append(checks, schema{"required": []string{check}})
			if s, ok := entry["properties"].(schema)[check]; ok && boundKeys[check] != nil {
				s.(schema)["minProperties"] = 1
			}
		}
		entry["anyOf"], entry["oneOf"] = checks, []schema{{"required": []string{"extract"}}, {"required": []string{"table"}}}
		return schema{"type": "array", "minItems": 1, "items": entry}
	}}
}

func noticeEntries() form {
	return form{"a list", func(known Registry) schema {
		entry := objectOf(known, noticeKeys)
		var ways []schema
		for _, way := range noticeWays {
			ways = append(ways, schema{"required": []string{way}})
		}
		entry["oneOf"] = ways
		return schema{"type": "array", "minItems": 1, "items": entry}
	}}
}

func wordOrWords(words []string) form {
	return fixed(join(words)+", or a list of them", func() schema {
		word := orReference(schema{"enum": words})
		return anyOf(word, schema{"type": "array", "minItems": 1, "items": word})
	})
}

func filledOrList(takes string) form {
	return fixed(takes, func() schema {
		one := filled("").schema(nil)
		return anyOf(one, schema{"type": "array", "minItems": 1, "items": one})
	})
}

func argv() form {
	return fixed("a list of strings", func() schema {
		return schema{"type": "array", "minItems": 1, "items": schema{"type": "string"}}
	})
}

// variableName is a variable that a notice may name.
func variableName() form {
	return fixed("the name of a variable with HOOK, NOTIFY, SLACK, MAIL or SMTP in it", func() schema {
		return orReference(schema{"type": "string", "allOf": []schema{{"pattern": messageVariable.String()}, {"pattern": messageWord.String()}}})
	})
}
