package postgres

import (
	"context"
	"database/sql/driver"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/stdlib"

	"backhaul/pipeline/store"
)

// connector, conn and rows are the driver's, but that statements have their parameters as ? and ?1, and that text may be any bytes.
type connector struct{ driver.Connector }

func spelt(c driver.Connector) driver.Connector { return connector{c} }

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	inner, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return conn{inner.(*stdlib.Conn)}, nil
}

type conn struct{ *stdlib.Conn }

func (c conn) Prepare(query string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), query)
}

func (c conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	return c.Conn.PrepareContext(ctx, translated(query))
}

func (c conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	return c.Conn.ExecContext(ctx, translated(query), args)
}

func (c conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	inner, err := c.Conn.QueryContext(ctx, translated(query), args)
	if err != nil {
		return nil, err
	}
	return rows{inner.(*stdlib.Rows)}, nil
}

func (c conn) CheckNamedValue(v *driver.NamedValue) (err error) {
	if v.Value, err = driver.DefaultParameterConverter.ConvertValue(v.Value); err != nil {
		return err
	}
	if text, ok := v.Value.(string); ok {
		v.Value = escaped(text)
	}
	return nil
}

type rows struct{ *stdlib.Rows }

func (r rows) Next(dest []driver.Value) error {
	if err := r.Rows.Next(dest); err != nil {
		return err
	}
	for i, v := range dest {
		if text, ok := v.(string); ok && strings.Contains(text, mark) {
			dest[i] = unescaped(text)
		}
	}
	return nil
}

// mark stands before a byte that text in PostgreSQL cannot have, which is spelt in two hexadecimal digits. It is not a character.
const mark = "\uFDD0"

// escaped spells text so that PostgreSQL takes it: that has neither the byte 0 nor anything that is not UTF-8, which vendors may send
// and what was paid for must not be refused for.
func escaped(text string) string {
	if utf8.ValidString(text) && !strings.ContainsRune(text, 0) && !strings.Contains(text, mark) {
		return text
	}
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		if r == 0 || r == utf8.RuneError && size == 1 || text[:size] == mark {
			for _, raw := range []byte(text[:size]) {
				b.WriteString(mark + hex.EncodeToString([]byte{raw}))
			}
		} else {
			b.WriteString(text[:size])
		}
		text = text[size:]
	}
	return b.String()
}

// unescaped is the inverse of escaped.
func unescaped(text string) string {
	first, rest, _ := strings.Cut(text, mark)
	out := []byte(first)
	for _, part := range strings.Split(rest, mark) {
		raw, err := hex.DecodeString(part[:min(2, len(part))])
		if err != nil || len(raw) != 1 {
			out = append(append(out, mark...), part...) // others have written it
			continue
		}
		out = append(append(out, raw...), part[2:]...)
	}
	return string(out)
}

// kept are statements as they were translated, by their texts.
var kept sync.Map

// translated spells the parameters ? and ?1 of a statement as $1.
func translated(query string) string {
	if done, ok := kept.Load(query); ok {
		return done.(string)
	}
	var b strings.Builder
	next, inText := 0, false
	for i := 0; i < len(query); i++ {
		c := query[i]
		if c == '\'' {
			inText = !inText
		}
		if c != '?' || inText {
			b.WriteByte(c)
			continue
		}
		digits := i + 1
		for digits < len(query) && query[digits] >= '0' && query[digits] <= '9' {
			digits++
		}
		number := query[i+1 : digits]
		if number == "" {
			next++
			number = strconv.Itoa(next)
		}
		b.WriteString("$" + number)
		i = digits - 1
	}
	if len(query) < 4096 { // those without end are not of the few texts
		kept.Store(query, b.String())
	}
	return b.String()
}

var (
	tableHead  = regexp.MustCompile(`(CREATE TABLE IF NOT EXISTS|ALTER TABLE)\s+(\w+)`)
	columnType = regexp.MustCompile(`\b(\w+) (INTEGER PRIMARY KEY|INTEGER|TEXT|BLOB)\b( NOT NULL)?( DEFAULT [01])?`)
)

// schemaOf spells statements that make or change tables. A table whose rows have no number of their own gets rowid.
func schemaOf(statements string, flags []string) string {
	var all []string
	for _, s := range strings.Split(statements, ";") {
		if s = strings.TrimSpace(s); s == "" {
			continue
		}
		head := tableHead.FindStringSubmatch(s)
		if head == nil {
			all = append(all, s)
			continue
		}
		numbered := strings.Contains(s, "INTEGER PRIMARY KEY")
		s = columnType.ReplaceAllStringFunc(s, func(column string) string {
			m := columnType.FindStringSubmatch(column)
			if slices.Contains(flags, head[2]+"."+m[1]) {
				return m[1] + " BOOLEAN" + m[3] + strings.NewReplacer("0", "false", "1", "true").Replace(m[4])
			}
			return m[1] + " " + types[m[2]] + m[3] + m[4]
		})
		if head[1] == "CREATE TABLE IF NOT EXISTS" && !numbered {
			s = s[:strings.LastIndex(s, ")")] + ", rowid " + identity + ")"
		}
		all = append(all, s)
	}
	return strings.Join(all, ";\n")
}

const identity = "BIGINT GENERATED BY DEFAULT AS IDENTITY"

// types are PostgreSQL's for SQLite's. Text sorts by its bytes, as there.
var types = map[string]string{"INTEGER PRIMARY KEY": identity + " PRIMARY KEY", "INTEGER": "BIGINT", "TEXT": `TEXT COLLATE "C"`, "BLOB": "BYTEA"}

// formatOf are the statements that bring the tables of a schema from a format, 0 for none, to that of the layout.
func formatOf(have int, layout store.Layout) (string, error) {
	switch want := layout.Format(); {
	case have > want:
		return "", fmt.Errorf("format %d was written by a later version of this program, which reads up to %d", have, want)
	case have == 0:
		return schemaOf(layout.Schema, layout.Flags), nil
	default:
		return schemaOf(strings.Join(append(slices.Clone(layout.Upgrades[have-1:]), layout.Schema), ";"), layout.Flags), nil
	}
}
