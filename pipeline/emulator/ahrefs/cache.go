package ahrefs

import (
	"sync"
	"time"
)

// answered is what a reply costs and says, whoever asks.
type answered struct {
	rows        int
	units       int64
	body        []byte
	contentType string
}

// keptBytes of bodies are kept at most; beyond, the oldest go.
const keptBytes = 64 << 20

// cache repeats answers by method, path and parameters (chosen; the vendor's key and time are unknown). Safe for concurrent use.
type cache struct {
	mu    sync.Mutex
	byKey map[string]cached
	order []string // oldest first
	bytes int
}

type cached struct {
	answered
	until time.Time
}

func (c *cache) get(key string, now time.Time) (answered, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	hit, ok := c.byKey[key]
	return hit.answered, ok && now.Before(hit.until)
}

func (c *cache) put(key string, a answered, now time.Time, life time.Duration) {
	if life <= 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byKey == nil {
		c.byKey = map[string]cached{}
	}
	if old, ok := c.byKey[key]; ok {
		c.bytes -= len(old.body)
	} else {
		c.order = append(c.order, key)
	}
	c.byKey[key] = cached{a, now.Add(life)}
	c.bytes += len(a.body)
	for c.bytes > keptBytes && len(c.order) > 1 {
		c.bytes -= len(c.byKey[c.order[0]].body)
		delete(c.byKey, c.order[0])
		c.order = c.order[1:]
	}
}
