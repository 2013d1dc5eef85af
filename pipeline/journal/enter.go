package journal

import (
	"database/sql"
	"iter"

	"backhaul/pipeline"
)

// entering is tasks on their way into the journal, within a transaction. A statement for each of a million takes long: those that are there
// as they are asked for are left alone.
type entering struct {
	tx    *sql.Tx
	tasks []pipeline.Task
	no    []int64          // their numbers, 0 of those that are not there
	of    map[string]int64 // by id: first the place among tasks, of one that is there twice the last, and in the end the number
	last  int64            // number given
	other []int            // places of those that are there with other bounds, or are not intended
}

// enterTasks has tasks be there and intended, with their bounds as they are now, and the other tasks intended no more, but for those of
// extracts that stay. It returns the numbers of the tasks by their ids.
func enterTasks(tx *sql.Tx, tasks []pipeline.Task, stay func(extract string) bool) (map[string]int64, error) {
	e := &entering{tx: tx, tasks: tasks, no: make([]int64, len(tasks)), of: make(map[string]int64, len(tasks))}
	for i, t := range tasks {
		e.of[t.ID] = int64(i)
	}
	gone, err := e.compare(stay)
	if err != nil {
		return nil, err
	}
	for first, last := range stretches(len(gone), func(i int) bool { return gone[i] == gone[i-1]+1 }) {
		if _, err := tx.Exec(`UPDATE tasks SET `+leftOut+` WHERE no BETWEEN ? AND ?`, gone[first], gone[last]); err != nil {
			return nil, err
		}
	}
	if err := e.change(); err != nil {
		return nil, err
	}
	if err := e.insert(); err != nil {
		return nil, err
	}
	for id, place := range e.of {
		e.of[id] = e.no[place]
	}
	return e.of, nil
}

// compare finds out which of the tasks are there, and how, and returns the numbers of those that are intended no more, in their order.
func (e *entering) compare(stay func(extract string) bool) (gone []int64, err error) {
	rows, err := e.tx.Query(`SELECT no, id, extract, max_rows, priority, intended FROM tasks ORDER BY no`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id, extract string
		var maxRows int64
		var priority int
		var intended bool
		if err := rows.Scan(&e.last, &id, &extract, &maxRows, &priority, &intended); err != nil {
			return nil, err
		}
		place, asked := e.of[id]
		switch {
		case !asked && intended && !stay(extract):
			gone = append(gone, e.last)
		case asked:
			if t := &e.tasks[place]; !intended || t.MaxRows != maxRows || t.Priority != priority {
				e.other = append(e.other, int(place))
			}
			e.no[place] = e.last
		}
	}
	return gone, rows.Err()
}

// change has tasks that are there be intended, with their bounds as they are now.
func (e *entering) change() error {
	if len(e.other) == 0 {
		return nil
	}
	set, err := e.tx.Prepare(`UPDATE tasks SET max_rows = ?, priority = ?, intended = true WHERE no = ?`)
	if err != nil {
		return err
	}
	defer set.Close()
	for _, i := range e.other {
		if _, err := set.Exec(e.tasks[i].MaxRows, e.tasks[i].Priority, e.no[i]); err != nil {
			return err
		}
	}
	return nil
}

// insert enters those that are not there, in their order. Their numbers are given here, behind the last.
func (e *entering) insert() error {
	add, err := e.tx.Prepare(`INSERT INTO tasks (no, id, extract, endpoint, surface, target, target_as_given, scope, params, batch, max_rows, priority)
		VALUES (?,?,?,?,?,?,?,?,?,?,?,?)`)
	if err != nil {
		return err
	}
	defer add.Close()
	for i := range e.tasks {
		t := &e.tasks[i]
		if e.no[i] != 0 || e.of[t.ID] != int64(i) {
			continue
		}
		e.last++
		if _, err := add.Exec(e.last, t.ID, t.Extract, t.Endpoint, t.Surface, t.Target, t.TargetAsGiven, t.Scope, t.Params,
			pipeline.EncodeInputs(t.Inputs), t.MaxRows, t.Priority); err != nil {
			return err
		}
		e.no[i] = e.last
	}
	return nil
}

// stretches yields the first and the last index of each stretch of n things in which every one goes on from the one before it: a statement
// for each of the hundred thousand tasks of a run takes seconds.
func stretches(n int, goesOn func(i int) bool) iter.Seq2[int, int] {
	return func(yield func(first, last int) bool) {
		for first := 0; first < n; {
			last := first
			for last+1 < n && goesOn(last+1) {
				last++
			}
			if !yield(first, last) {
				return
			}
			first = last + 1
		}
	}
}
