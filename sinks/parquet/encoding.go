package parquet

import (
	"cmp"
	"io"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	pq "github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
)

// encoding is a way of writing the values of a column.
type encoding uint8

const (
	dictionary encoding = iota
	plain
	delta // what changes from one value to the next; of a float, its bytes apart
)

// form is how a column is written.
type form struct {
	encoding
	// bare: its pages are not compressed.
	bare bool
}

// forms says how each leaf column is written, by its path.
type forms map[string]form

// taken is what a leaf column takes in a file, and what it would without compression. In bytes.
type taken struct{ packed, bare int64 }

const (
	// sampleRows is how many rows of the first row group the encodings of a file are chosen by, unless it is written
	// thoroughly. Within a target, a nightly file looks the same everywhere: the choice made by so many rows costs up to
	// 0.8 % over the best one (moz.anchor_text, linking_root_domains, links).
	sampleRows = 4096
	// sampleRuns is in how many runs these rows come, spread over the group.
	sampleRuns = 4
	// dictionaryShare of all bytes, one in so many, and dictionaryHeader bytes are what a dictionary may take above the smallest
	// encoding of its column: readers put a filter to each value of a dictionary, and to each row of anything else. DuckDB finds
	// a target in nightly files of anchor texts in a third of the time.
	dictionaryShare, dictionaryHeader = 1000, 128
	// packedBytes are what compression must save of a column where its rows are all in one group: a reader takes as long to unpack
	// twenty bytes as to read ten thousand, and most columns of a small file have one value.
	packedBytes = 64
	// packedShare of a column's bytes, one in so many, is what compression must save of it, and packedBytes, where there may be
	// more row groups and its values are numbers, or the same for all rows of a page: these never come to much more room than they
	// take in the first group. Without packing what is noise a target's history over a year takes a twentieth less.
	packedShare = 64
)

// choose writes the rows once in each encoding, and returns the one that was smallest for each column, or a dictionary that is
// hardly larger; of a small file there is little to search, and the smallest it is. What is best is a matter of the rows, not of the
// type: rank is nothing but deltas in the order of ranks, and noise in that of keys. A column is compressed if
// that saves at least so many bytes of it.
func choose(mem memory.Allocator, s *arrow.Schema, columns []*arrow.Chunked, small bool, saving int64) (forms, error) {
	tried := map[encoding]map[string]taken{}
	for _, e := range encodingsTried {
		sizes, err := try(mem, s, columns, e)
		if err != nil {
			return nil, err
		}
		tried[e] = sizes
	}
	packed := func(e encoding, path string) int64 { return tried[e][path].packed }
	may, best := int64(dictionaryHeader), forms{}
	for path := range tried[plain] {
		e := least(path, packed)
		may += packed(e, path) / dictionaryShare
		best[path] = form{encoding: e}
	}
	bare := func(e encoding, path string) int64 { return tried[e][path].bare }
	for i, field := range s.Fields() {
		path, t := leaf(field)
		f := best[path]
		if !small && packed(dictionary, path) <= packed(f.encoding, path)+may {
			f.encoding = dictionary
		}
		if e := least(path, bare); bare(e, path)-packed(f.encoding, path) < saving {
			f = form{encoding: e, bare: true}
		}
		if n := bare(f.encoding, path); isSteady(t, columns[i]) && f.encoding != plain && n-packed(f.encoding, path) < packedBytes+n/packedShare {
			f.bare = true
		}
		best[path] = f
	}
	return best, nil
}

// isSteady reports whether a column's values are numbers, or the same for all rows of a page.
func isSteady(t arrow.DataType, column *arrow.Chunked) bool {
	_, fixed := t.(arrow.FixedWidthDataType)
	return fixed || column.DataType().ID() == arrow.RUN_END_ENCODED
}

// encodingsTried are in the order in which they are taken where they are the same.
var encodingsTried = []encoding{dictionary, plain, delta}

// least returns the encoding in which a column takes least.
func least(path string, taken func(encoding, string) int64) encoding {
	return slices.MinFunc(encodingsTried, func(a, b encoding) int { return cmp.Compare(taken(a, path), taken(b, path)) })
}

// try returns what each leaf column takes in one encoding.
func try(mem memory.Allocator, s *arrow.Schema, columns []*arrow.Chunked, e encoding) (map[string]taken, error) {
	all := forms{}
	for _, f := range s.Fields() {
		path, _ := leaf(f)
		all[path] = form{encoding: e}
	}
	opts := append(basics(mem), all.options(s)...)
	out, err := newOutput(mem, s, io.Discard, pq.NewWriterProperties(append(opts, pq.WithStats(false))...))
	if err != nil {
		return nil, err
	}
	if err := out.writeGroup(columns); err != nil {
		return nil, err
	}
	if err := out.Close(); err != nil {
		return nil, err
	}
	md, err := out.FileMetadata()
	if err != nil {
		return nil, err
	}
	sizes := make(map[string]taken, len(columns))
	for i := range md.RowGroup(0).NumColumns() {
		chunk, err := md.RowGroup(0).ColumnChunk(i)
		if err != nil {
			return nil, err
		}
		sizes[chunk.PathInSchema().String()] = taken{packed: chunk.TotalCompressedSize(), bare: chunk.TotalUncompressedSize()}
	}
	return sizes, nil
}

// spread returns n rows of the columns, in runs spread over all of them, or all if there are no more.
func spread(columns []*arrow.Chunked, n int64) []*arrow.Chunked {
	part := make([]*arrow.Chunked, len(columns))
	for i, c := range columns {
		rows := int64(c.Len())
		if rows <= n {
			c.Retain()
			part[i] = c
			continue
		}
		var chunks []arrow.Array
		var runs []*arrow.Chunked
		for run := range int64(sampleRuns) {
			from := rows / sampleRuns * run
			slice := array.NewChunkedSlice(c, from, from+n/sampleRuns)
			chunks, runs = append(chunks, slice.Chunks()...), append(runs, slice)
		}
		part[i] = arrow.NewChunked(c.DataType(), chunks)
		releaseAll(runs)
	}
	return part
}

func releaseAll(columns []*arrow.Chunked) {
	for _, c := range columns {
		c.Release()
	}
}

// options returns the writer's options for the schema's columns.
func (all forms) options(s *arrow.Schema) (opts []pq.WriterProperty) {
	for _, f := range s.Fields() {
		path, t := leaf(f)
		e := all[path].encoding
		if t.ID() == arrow.BOOL {
			e = plain // a bit each, which zstd makes the most of
		}
		if all[path].bare {
			opts = append(opts, pq.WithCompressionFor(path, compress.Codecs.Uncompressed),
				pq.WithDictionaryCostFallbackFor(path, false)) // it has been weighed, by all rows and not by the first
		}
		opts = append(opts, pq.WithDictionaryFor(path, e == dictionary))
		if e != dictionary {
			opts = append(opts, pq.WithEncodingFor(path, e.of(t)))
		}
	}
	return opts
}

// of returns what Parquet calls the encoding for values of the type.
func (e encoding) of(t arrow.DataType) pq.Encoding {
	switch {
	case e != delta:
		return pq.Encodings.Plain
	case t.ID() == arrow.STRING:
		return pq.Encodings.DeltaByteArray
	case t.ID() == arrow.FLOAT64:
		return pq.Encodings.ByteStreamSplit
	}
	return pq.Encodings.DeltaBinaryPacked
}

// leaf returns the path of the column that holds the field's values, and their type.
func leaf(f arrow.Field) (path string, t arrow.DataType) {
	if list, ok := f.Type.(*arrow.ListType); ok {
		return f.Name + ".list.element", list.Elem()
	}
	return f.Name, f.Type
}
