package archive

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/klauspost/compress/zstd"
)

// mostBytes is the largest reply: the journal keeps none larger.
const mostBytes = 256 << 20

// found is a reply, or its wrapper, in a file.
type found struct {
	file string
	line int
	body []byte
}

func (f found) problem(format string, args ...any) error {
	return &Problem{File: f.file, Line: f.line, Text: fmt.Sprintf(format, args...)}
}

// replies yields what a file holds, uncompressed. What cannot be read ends it.
func replies(path string) iter.Seq2[found, error] {
	return func(yield func(found, error) bool) {
		f, err := os.Open(path)
		if err != nil {
			yield(found{}, err)
			return
		}
		defer func() { _ = f.Close() }()
		content, closer, err := uncompressed(f)
		if err != nil {
			yield(found{}, &Problem{File: path, Line: 1, Text: err.Error()})
			return
		}
		defer closer()
		first, err := beginning(content)
		switch {
		case err == io.EOF:
			yield(found{}, &Problem{File: path, Line: 1, Text: "the file is empty"})
		case err != nil:
			yield(found{}, &Problem{File: path, Line: 1, Text: err.Error()})
		case first == '<':
			whole(path, content, yield)
		default:
			values(path, content, yield)
		}
	}
}

// uncompressed looks at what the content begins with, as names lie.
func uncompressed(f io.Reader) (content *bufio.Reader, closer func(), err error) {
	const window = 64 << 10
	raw := bufio.NewReaderSize(f, window)
	magic, _ := raw.Peek(4)
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(raw)
		if err != nil {
			return nil, nil, fmt.Errorf("the gzip does not unpack: %w", err)
		}
		return bufio.NewReaderSize(z, window), func() { _ = z.Close() }, nil
	case bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(raw, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, nil, fmt.Errorf("the zstd does not unpack: %w", err)
		}
		return bufio.NewReaderSize(z, window), z.Close, nil
	}
	return raw, func() {}, nil
}

// beginning skips a byte order mark and returns the first byte that is not a space, which stays unread.
func beginning(content *bufio.Reader) (byte, error) {
	const mark = "\ufeff"
	if head, _ := content.Peek(len(mark)); string(head) == mark {
		_, _ = content.Discard(len(mark))
	}
	for n := 1; ; n++ {
		head, err := content.Peek(n)
		if len(head) < n {
			if errors.Is(err, bufio.ErrBufferFull) {
				return 0, errors.New("the file begins with nothing but spaces")
			}
			return 0, err
		}
		if last := head[n-1]; !strings.ContainsRune(" \t\r\n", rune(last)) {
			return last, nil
		}
	}
}

// whole yields a document of XML.
func whole(path string, content io.Reader, yield func(found, error) bool) {
	body, err := io.ReadAll(io.LimitReader(content, mostBytes+1))
	switch {
	case err != nil:
		yield(found{}, &Problem{File: path, Line: 1, Text: "it cannot be read to its end: " + err.Error()})
	case len(body) > mostBytes:
		yield(found{}, &Problem{File: path, Line: 1, Text: errTooLarge.Error()})
	default:
		yield(found{path, 1, body}, nil)
	}
}

var errTooLarge = fmt.Errorf("a reply of more than %d MiB", mostBytes>>20)

// values yields JSON values that follow each other, one a line or not.
func values(path string, content io.Reader, yield func(found, error) bool) {
	lines := &lineReader{r: content}
	d := jsontext.NewDecoder(lines)
	for {
		kind := d.PeekKind()
		start := d.InputOffset() + int64(len(d.UnreadBuffer())-len(bytes.TrimLeft(d.UnreadBuffer(), " \t\r\n")))
		value, err := d.ReadValue()
		at := found{file: path, line: lines.of(start)}
		switch {
		case err == io.EOF:
			return
		case err != nil:
			yield(found{}, lines.problem(at, err))
			return
		case kind == '[':
			yield(found{}, at.problem("a list: want replies one after the other, without brackets round them"))
			return
		case kind != '{':
			yield(found{}, at.problem("a single value: want a reply, or {…, \"response\": reply}"))
			return
		}
		at.body = bytes.Clone(value)
		lines.forget(d.InputOffset())
		if !yield(at, nil) {
			return
		}
	}
}

// lineReader remembers where lines begin, and refuses to go on for ever without a reply.
type lineReader struct {
	r      io.Reader
	read   int64
	from   int64   // where the reply under way begins
	breaks []int64 // offsets behind line breaks from there on
	line   int     // of from, counted from 0
}

func (l *lineReader) Read(p []byte) (int, error) {
	if l.read-l.from > mostBytes {
		return 0, errTooLarge
	}
	n, err := l.r.Read(p)
	for i, ch := range p[:n] {
		if ch == '\n' {
			l.breaks = append(l.breaks, l.read+int64(i)+1)
		}
	}
	l.read += int64(n)
	return n, err
}

// of returns the line of an offset that is not forgotten.
func (l *lineReader) of(offset int64) int {
	line := l.line
	for _, b := range l.breaks {
		if b > offset {
			break
		}
		line++
	}
	return line + 1
}

// forget lets go of the lines before an offset.
func (l *lineReader) forget(offset int64) {
	l.line = l.of(offset) - 1
	kept := 0
	for kept < len(l.breaks) && l.breaks[kept] <= offset {
		kept++
	}
	l.breaks = append(l.breaks[:0], l.breaks[kept:]...)
	l.from = offset
}

// problem places what is wrong with the syntax where it was found.
func (l *lineReader) problem(at found, err error) error {
	var syntax *jsontext.SyntacticError
	switch {
	case errors.Is(err, errTooLarge):
		return at.problem("%s", errTooLarge)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return at.problem("the JSON breaks off")
	case errors.As(err, &syntax):
		at.line = l.of(syntax.ByteOffset)
		return at.problem("not strict JSON: %s", strings.TrimPrefix(syntax.Err.Error(), "jsontext: "))
	}
	return at.problem("it cannot be read to its end: %s", strings.TrimPrefix(err.Error(), "jsontext: "))
}
