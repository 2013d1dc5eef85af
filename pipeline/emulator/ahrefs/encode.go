package ahrefs

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"

	"backhaul/pipeline/emulator/internal/quote"
)

// encodeJSON writes {"anchors": [{…}, …]}, with the white space of the recorded reply.
func encodeJSON(envelope string, rows []row, single bool) []byte {
	buf := quote.Append([]byte("{"), envelope)
	buf = append(buf, ": "...)
	if !single {
		buf = append(buf, '[')
	}
	for i, r := range rows {
		if i > 0 {
			buf = append(buf, ", "...)
		}
		buf = append(buf, '{')
		for j, c := range r {
			if j > 0 {
				buf = append(buf, ", "...)
			}
			buf = quote.Append(buf, c.name)
			buf = append(buf, ": "...)
			buf = appendValue(buf, c.value)
		}
		buf = append(buf, '}')
	}
	if !single {
		buf = append(buf, ']')
	}
	return append(buf, '}')
}

func appendValue(buf []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(buf, "null"...)
	case string:
		return quote.Append(buf, v)
	case int:
		return strconv.AppendInt(buf, int64(v), 10)
	case bool:
		return strconv.AppendBool(buf, v)
	case float64:
		return append(buf, float(v)...)
	case []string:
		return appendList(buf, v)
	case []int:
		return appendList(buf, v)
	case [][2]any:
		return appendList(buf, v)
	case [2]any:
		return appendList(buf, v[:])
	}
	panic(fmt.Sprintf("a value of type %T", v)) // no report makes one
}

func appendList[T any](buf []byte, list []T) []byte {
	buf = append(buf, '[')
	for i, v := range list {
		if i > 0 {
			buf = append(buf, ", "...)
		}
		buf = appendValue(buf, v)
	}
	return append(buf, ']')
}

// float keeps a decimal: 91.0.
func float(f float64) string {
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// quoted writes a JSON string of a text that may not be UTF-8.
func quoted(s string) string { return string(quote.Append(nil, strings.ToValidUTF8(s, "\uFFFD"))) }

// plain is a value where there are no types: null is nothing, lists are JSON.
func plain(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	}
	return string(appendValue(nil, v))
}

// encodeCSV writes a header and the rows, in UTF-8 as RFC 4180 has it (chosen).
func encodeCSV(names []string, rows []row) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	if len(rows) > 0 {
		names = nil // a report without select has an order of its own
		for _, c := range rows[0] {
			names = append(names, c.name)
		}
	}
	_ = w.Write(names) // a bytes.Buffer takes everything
	for _, r := range rows {
		record := make([]string, len(r))
		for i, c := range r {
			record[i] = plain(c.value)
		}
		_ = w.Write(record)
	}
	w.Flush()
	return b.Bytes()
}

// encodeXML writes the documented root with one element for each row, named as the envelope (the latter chosen).
func encodeXML(envelope string, rows []row) []byte {
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n<AhrefsApiResponse>\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "<%s>", envelope)
		for _, c := range r {
			appendElement(&b, c.name, c.value)
		}
		fmt.Fprintf(&b, "</%s>\n", envelope)
	}
	b.WriteString("</AhrefsApiResponse>\n")
	return b.Bytes()
}

func appendElement(b *bytes.Buffer, name string, v any) {
	fmt.Fprintf(b, "<%s>", name)
	_ = xml.EscapeText(b, []byte(plain(v))) // a bytes.Buffer takes everything
	fmt.Fprintf(b, "</%s>", name)
}
