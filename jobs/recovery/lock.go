package recovery

import (
	"context"
	"errors"
	"time"

	"backhaul/jobs/books"
)

// LockSigned is Lock of a run's book for who works on the run for longer than it takes to look at it: until unlock, others are told
// who it is.
func LockSigned(ctx context.Context, book books.Book, since time.Time) (unlock func(), err error) {
	unlock, err = book.Lock(ctx)
	if err != nil {
		return nil, err
	}
	return signed(book, since, unlock), nil
}

// WaitSigned is LockSigned, but that it waits until the run is free, or until ctx ends. told is told once who has it, if somebody
// does.
func WaitSigned(ctx context.Context, book books.Book, now func() time.Time, told func(books.Holder)) (unlock func(), err error) {
	unlock, err = LockSigned(ctx, book, now())
	var busy *books.BusyError
	if !errors.As(err, &busy) {
		return unlock, err
	}
	told(busy.Holder)
	if unlock, err = book.Wait(ctx); err != nil {
		return nil, err
	}
	return signed(book, now(), unlock), nil
}

func signed(book books.Book, since time.Time, unlock func()) func() {
	erase := book.Sign(since)
	return func() {
		erase()
		unlock()
	}
}
