package duckdb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	pq "github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"backhaul/sinks"
	"backhaul/sinks/sinktest"
)

func TestFilesThatDuckDBWritesKeepTheirPromises(t *testing.T) {
	t.Parallel()
	w := filled(t)
	for format, read := range map[Format]func(string, []sinks.Column) ([]string, [][]any, error){
		CSV: readCSV, JSON: readJSON, Parquet: readParquet,
	} {
		t.Run(string(format), func(t *testing.T) {
			sinktest.RunFormat(t, sinktest.Format{Read: read, Write: func(ctx context.Context, path string, rows sinks.Rows) error {
				f, err := os.Create(path)
				if err != nil {
					return err
				}
				return errors.Join(Query(ctx, w, valuesOf(rows), format, Limits{}, f), f.Close())
			}})
		})
	}
}

// types are those of columns in SQL.
var types = map[sinks.Kind]string{
	sinks.Text: "VARCHAR", sinks.Integer: "BIGINT", sinks.Number: "DOUBLE", sinks.Boolean: "BOOLEAN", sinks.Date: "DATE", sinks.Timestamp: "TIMESTAMP",
}

// valuesOf is the question that has the rows as its answer.
func valuesOf(rows sinks.Rows) string {
	columns, nulls := make([]string, len(rows.Columns)), make([]any, len(rows.Columns))
	for i, c := range rows.Columns {
		columns[i] = ident(c.Name)
	}
	lines := []string{line(rows.Columns, nulls)}
	for row, err := range rows.All {
		if err != nil {
			lines = append(lines, strings.Replace(lines[0], "NULL", "error("+quote(err.Error())+")", 1))
			break
		}
		lines = append(lines, line(rows.Columns, row))
	}
	return fmt.Sprintf("SELECT * FROM (VALUES %s) AS t(%s) OFFSET 1", strings.Join(lines, ", "), strings.Join(columns, ", "))
}

// line is a row in SQL.
func line(columns []sinks.Column, row []any) string {
	values := make([]string, len(row))
	for i, value := range row {
		text := "NULL"
		switch v := value.(type) {
		case string:
			text = quote(v)
		case float64:
			text = quote(strconv.FormatFloat(v, 'g', -1, 64))
		case time.Time:
			text = quote(v.Format("2006-01-02 15:04:05.999999"))
		case int64, bool:
			text = fmt.Sprint(v)
		}
		values[i] = "CAST(" + text + " AS " + types[columns[i].Kind] + ")"
	}
	return "(" + strings.Join(values, ", ") + ")"
}

// parsed is a value from how it is spelt.
func parsed(kind sinks.Kind, text string) (any, error) {
	switch kind {
	case sinks.Integer:
		return strconv.ParseInt(text, 10, 64)
	case sinks.Number:
		return strconv.ParseFloat(text, 64)
	case sinks.Boolean:
		return strconv.ParseBool(text)
	case sinks.Date:
		return time.Parse(time.DateOnly, text)
	case sinks.Timestamp:
		return time.Parse(time.DateTime, text)
	}
	return text, nil
}

// readCSV tells nothing between two commas from "", which encoding/csv does not.
func readCSV(path string, columns []sinks.Column) (names []string, rows [][]any, err error) {
	file, err := os.ReadFile(path)
	for rest := string(file); rest != "" && err == nil; {
		var row []any
		for i, more := 0, true; more && err == nil; i++ {
			var field *string
			if field, more, rest, err = nextField(rest); err != nil {
				break
			}
			var value any
			switch {
			case rows == nil && field != nil:
				names = append(names, *field)
			case field != nil && i < len(columns):
				value, err = parsed(columns[i].Kind, *field)
			}
			row = append(row, value)
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return nil, nil, errors.Join(err, errors.New("no header"))
	}
	return names, rows[1:], err
}

// nextField cuts the first field off a file, nil where it is empty and not quoted, and tells whether its line goes on.
func nextField(s string) (field *string, more bool, rest string, err error) {
	text, quoted := "", strings.HasPrefix(s, `"`)
	if !quoted {
		end := strings.IndexAny(s, ",\n")
		if end < 0 {
			return nil, false, "", errors.New("a line without an end")
		}
		text, s = s[:end], s[end:]
	}
	for strings.HasPrefix(s, `"`) {
		part, after, ok := strings.Cut(s[1:], `"`)
		if !ok {
			return nil, false, "", errors.New("a quote without an end")
		}
		if text += part; strings.HasPrefix(after, `"`) {
			text += `"`
		}
		s = after
	}
	if s == "" || s[0] != ',' && s[0] != '\n' {
		return nil, false, "", fmt.Errorf("no end of a field: %.20q", s)
	}
	if quoted || text != "" {
		field = &text
	}
	return field, s[0] == ',', s[1:], nil
}

func readJSON(path string, columns []sinks.Column) (names []string, rows [][]any, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	var objects []map[string]any
	dec := json.NewDecoder(f)
	dec.UseNumber()
	if err := dec.Decode(&objects); err != nil {
		return nil, nil, err
	}
	for _, object := range objects {
		row := make([]any, len(columns))
		for i, c := range columns {
			value, ok := object[c.Name]
			if !ok || len(object) != len(columns) {
				return nil, nil, fmt.Errorf("an object of %v", object)
			}
			switch value.(type) {
			case json.Number, string:
				value, err = parsed(c.Kind, fmt.Sprint(value))
			}
			if row[i] = value; err != nil {
				return nil, nil, err
			}
		}
		rows = append(rows, row)
	}
	return nil, rows, nil
}

func readParquet(path string, _ []sinks.Column) (names []string, rows [][]any, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	mem := memory.DefaultAllocator
	table, err := pqarrow.ReadTable(context.Background(), f, pq.NewReaderProperties(mem), pqarrow.ArrowReadProperties{}, mem)
	if err != nil {
		return nil, nil, err
	}
	rows = make([][]any, table.NumRows())
	for i := range int(table.NumCols()) {
		column := table.Column(i)
		names = append(names, column.Name())
		at := 0
		for _, chunk := range column.Data().Chunks() {
			for j := range chunk.Len() {
				rows[at] = append(rows[at], valueAt(chunk, j))
				at++
			}
		}
	}
	return names, rows, nil
}

func valueAt(a arrow.Array, i int) any {
	if a.IsNull(i) {
		return nil
	}
	switch a := a.(type) {
	case *array.String:
		return a.Value(i)
	case *array.Int64:
		return a.Value(i)
	case *array.Float64:
		return a.Value(i)
	case *array.Boolean:
		return a.Value(i)
	case *array.Date32:
		return a.Value(i).ToTime()
	case *array.Timestamp:
		return a.Value(i).ToTime(arrow.Microsecond)
	}
	return a.ValueStr(i)
}
