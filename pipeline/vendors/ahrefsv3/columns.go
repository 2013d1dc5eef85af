package ahrefsv3

import (
	"fmt"

	"backhaul/pipeline"
	"backhaul/schemas"
)

// The words of filters that have a closed list of them: those of the columns they are called after.
var (
	discoveries = wordsOf("discovered_status")
	dropReasons = wordsOf("drop_reason")
	linkTypes   = wordsOf("link_type")
	lostReasons = wordsOf("lost_reason")
)

func wordsOf(column string) []string {
	t := tableOf("all_backlinks")
	return t.Own[t.Index(column)].Values
}

// tableOf returns the table that a report's rows go to.
func tableOf(report string) *schemas.Table {
	t := schemas.Lookup("ahrefs." + report)
	if t == nil {
		panic("ahrefsv3: no table for " + report)
	}
	return t
}

// fieldsOf returns what a reply can hold: the columns of the report's table that have a price.
func fieldsOf(report string) []Field {
	var fields []Field
	for _, c := range tableOf(report).Own {
		if c.Price == 0 {
			continue // API v2's
		}
		fields = append(fields, Field{Name: c.Name, Type: typeOf(c), Nullable: c.Nullable, Units: pipeline.Units(c.Price), Values: c.Values, Meaning: c.Meaning})
	}
	return fields
}

// kind is how a column keeps a field.
type kind struct {
	typ    schemas.Type
	format schemas.Format
}

var typesOf = map[kind]Type{
	{schemas.String, schemas.FormatText}: String, {schemas.String, schemas.FormatURL}: URL, {schemas.String, schemas.FormatJSON}: Pairs,
	{schemas.Strings, schemas.FormatText}: Strings, {schemas.Strings, schemas.FormatURL}: URLs,
	{typ: schemas.Date}: Date, {typ: schemas.Timestamp}: DateTime, {typ: schemas.Int64}: Integer, {typ: schemas.Float64}: Float,
	{typ: schemas.Bool}: Boolean, {typ: schemas.Int32s}: Integers,
}

func typeOf(c schemas.Column) Type {
	t, ok := typesOf[kind{c.Type, c.Format}]
	if !ok {
		panic(fmt.Sprintf("ahrefsv3: column %s: no field is kept as %s of format %d", c.Name, c.Type, c.Format))
	}
	return t
}
