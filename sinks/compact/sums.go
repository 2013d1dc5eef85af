package compact

import (
	"cmp"
	"fmt"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/zeebo/xxh3"

	"backhaul/schemas"
	"backhaul/sinks"
)

// Total is how many rows there are and what they add up to.
type Total struct {
	Rows int64
	Sum  uint64
}

// Sums are the totals of runs. They do not depend on the order of rows, nor on columns that are null, so that a column that is
// declared later changes nothing.
type Sums map[sinks.RunKey]Total

// Add adds the rows of a batch.
func (s Sums) Add(batch arrow.RecordBatch) error {
	jobs, dates, err := runsOf(batch)
	if err != nil {
		return err
	}
	rows := make([]uint64, batch.NumRows())
	for i, column := range batch.Columns() {
		if err := addColumn(rows, column, xxh3.HashString(batch.ColumnName(i))); err != nil {
			return fmt.Errorf("column %s: %w", batch.ColumnName(i), err)
		}
	}
	var key sinks.RunKey
	var total Total
	for i, sum := range rows {
		if job := jobs.Value(i); job != key.Job || i == 0 || dates.Value(i) != dates.Value(i-1) {
			if i > 0 {
				s[key] = total
			}
			key = sinks.RunKey{Job: job, Date: dates.Value(i).ToTime().Format(time.DateOnly)}
			total = s[key]
		}
		total.Rows, total.Sum = total.Rows+1, total.Sum+mix(sum)
	}
	if len(rows) > 0 {
		s[key] = total
	}
	return nil
}

// Join adds other totals.
func (s Sums) Join(others Sums) {
	for key, other := range others {
		s[key] = Total{s[key].Rows + other.Rows, s[key].Sum + other.Sum}
	}
}

// runsOf returns the columns that name a row's run.
func runsOf(batch arrow.RecordBatch) (jobs *array.String, dates *array.Date32, err error) {
	for i, column := range batch.Columns() {
		switch batch.ColumnName(i) {
		case "job":
			jobs, _ = column.(*array.String)
		case schemas.ColRunDate:
			dates, _ = column.(*array.Date32)
		}
	}
	if jobs == nil || dates == nil {
		return nil, nil, fmt.Errorf("no columns job and %s", schemas.ColRunDate)
	}
	return jobs, dates, nil
}

// except returns the runs that are others.
func (s Sums) except(key sinks.RunKey) (others []sinks.RunKey) {
	for k := range s {
		if k != key {
			others = append(others, k)
		}
	}
	return others
}

func compareKeys(a, b sinks.RunKey) int {
	return cmp.Or(cmp.Compare(a.Date, b.Date), cmp.Compare(a.Job, b.Job))
}

// addColumn adds to each row the hash of its value, which the column's seed tells apart from equal ones of others.
func addColumn(rows []uint64, column arrow.Array, seed uint64) error {
	hash, err := hasher(column, seed)
	if err != nil {
		return err
	}
	for i := range rows {
		if column.IsValid(i) {
			rows[i] += hash(i)
		}
	}
	return nil
}

// hasher returns what hashes the values of an array. Types are those of package schemas.
func hasher(a arrow.Array, seed uint64) (func(i int) uint64, error) {
	number := func(n uint64) uint64 { return mix(n ^ seed) }
	switch a := a.(type) {
	case *array.String:
		return func(i int) uint64 { return xxh3.HashStringSeed(a.Value(i), seed) }, nil
	case *array.Boolean:
		return func(i int) uint64 {
			if a.Value(i) {
				return number(1)
			}
			return number(0)
		}, nil
	case *array.Int32:
		return func(i int) uint64 { return number(uint64(a.Value(i))) }, nil
	case *array.Int64:
		return func(i int) uint64 { return number(uint64(a.Value(i))) }, nil
	case *array.Float64:
		bits := arrow.Uint64Traits.CastFromBytes(arrow.Float64Traits.CastToBytes(a.Float64Values()))
		return func(i int) uint64 { return number(bits[i]) }, nil
	case *array.Date32:
		return func(i int) uint64 { return number(uint64(a.Value(i))) }, nil
	case *array.Timestamp:
		return func(i int) uint64 { return number(uint64(a.Value(i))) }, nil
	case *array.List:
		return listHasher(a, seed)
	}
	return nil, fmt.Errorf("no checksum for type %s", a.DataType())
}

// listHasher hashes a list by its elements in their order, and its length.
func listHasher(a *array.List, seed uint64) (func(i int) uint64, error) {
	values := a.ListValues()
	element, err := hasher(values, seed)
	return func(i int) uint64 {
		from, to := a.ValueOffsets(i)
		sum := uint64(to - from)
		for at := from; at < to; at++ {
			sum = mix(sum)
			if values.IsValid(int(at)) {
				sum += element(int(at))
			}
		}
		return mix(sum ^ seed)
	}, err
}

// mix is the finalizer of splitmix64: every bit of n changes half of the bits.
func mix(n uint64) uint64 {
	n += 0x9e3779b97f4a7c15
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}
