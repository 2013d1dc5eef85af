package pipeline

import "context"

// Index is implemented by surfaces that say which index of the web they answer from.
type Index interface {
	// IndexID asks for the name of the index; it changes when the index does. It makes exactly one request and
	// neither waits nor retries; an error is an *Error. Safe for concurrent use.
	IndexID(ctx context.Context) (string, error)
}
