package emulator

import (
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Kind is one thing that goes wrong with a request.
type Kind string

// Kinds of faults. "Bills" means that the rows are billed though the client does not get them, or not whole; they show
// as waste in [Meter].
const (
	Kind429         Kind = "429"          // 429 with Retry-After. Does not bill
	Kind429Bare     Kind = "429bare"      // 429 without Retry-After. Does not bill
	Kind500         Kind = "500"          // 500 with a JSON error. Does not bill
	Kind503         Kind = "503"          // 503 with Retry-After. Does not bill
	KindHTML200     Kind = "html200"      // an HTML error page under status 200. Does not bill
	KindHTML502     Kind = "html502"      // an HTML error page under status 502. Does not bill
	KindCut         Kind = "cut"          // half the body, then the connection closes. Bills
	KindCloseBefore Kind = "close_before" // the connection closes before the request is handled. Does not bill
	KindCloseAfter  Kind = "close_after"  // the connection closes after the request was handled. Bills
	KindStall       Kind = "stall"        // handled, then silence until the client leaves or Faults.Stall is over. Bills
	KindSlow        Kind = "slow"         // the body in small pieces over Faults.Slow. Bills, and is delivered: no waste if the client waits
	KindBadLength   Kind = "badlength"    // Content-Length of half the body, and no more than that: broken JSON that looks whole. Bills
	KindGone        Kind = "gone"         // 410 for a live next_token; first pages are spared, and Ahrefs, which has none. Does not bill
	KindDeny        Kind = "deny_after"   // not drawn: 401 after Faults.DenyAfter requests. Does not bill
)

var kinds = []struct {
	kind Kind
	help string
}{
	{Kind429, "429 with Retry-After; not billed"},
	{Kind429Bare, "429 without Retry-After; not billed"},
	{Kind500, "500 with a JSON error; not billed"},
	{Kind503, "503 with Retry-After; not billed"},
	{KindHTML200, "an HTML error page under status 200; not billed"},
	{KindHTML502, "an HTML error page under status 502; not billed"},
	{KindCut, "half the body, then the connection closes; billed"},
	{KindCloseBefore, "the connection closes before handling; not billed"},
	{KindCloseAfter, "the connection closes after handling; billed"},
	{KindStall, "no answer until the client leaves or the stall is over; billed"},
	{KindSlow, "the body in small pieces; billed and delivered"},
	{KindBadLength, "a Content-Length, and a body, of half the answer; billed"},
	{KindGone, "410 for a live next_token, of which Ahrefs has none; not billed"},
}

// Faults say what goes wrong and how often. The zero value is a vendor that never fails.
//
// Which request fails follows from the seed, the request, its position in the list and how often it has been made: not from the
// order in which requests arrive, so a concurrent run meets the same faults each time.
type Faults struct {
	Rate       float64       // share of requests with a fault, 0 to 1. Default 0
	Seed       uint64        // of the draws. Default 0
	Kinds      []Kind        // drawn from, all alike. Default: all
	Tries      int           // only the first this many deliveries of a request can fail, so that a run ends. Default 0: all can
	Max        int           // faults drawn altogether. Default 0: without end
	RetryAfter time.Duration // of 429 and 503. Default 1s
	Stall      time.Duration // longest silence of a stall. Default 30s
	Slow       time.Duration // duration of a slow answer. Default 2s

	DenyAfter  int     // 401 to everything after this many requests with good credentials. Default 0: never
	QuotaAfter int     // the quota is exhausted after this many rows, or units of Ahrefs v3. Default 0: never
	Shift      float64 // share of pages after the first that begin one to three rows early or late; Ahrefs v3 finds pages by conditions, and has none. Default 0

	// Shares of the answers of url_metrics, link_status and their like that do not fit the list they answer: without the last
	// item, with the last one twice, with the first one last. Billed as asked. Default 0
	Short, Long, Reorder float64

	// Item is the share of items that the JSON-RPC methods for many sites answer as UnhandledError. Not billed. Default 0
	Item float64
}

func (f Faults) withDefaults() Faults {
	fill := func(d *time.Duration, value time.Duration) {
		if *d == 0 {
			*d = value
		}
	}
	fill(&f.RetryAfter, time.Second)
	fill(&f.Stall, 30*time.Second)
	fill(&f.Slow, 2*time.Second)
	if len(f.Kinds) == 0 {
		for _, k := range kinds {
			f.Kinds = append(f.Kinds, k.kind)
		}
	}
	return f
}

// ParseFaults reads faults as [FaultHelp] describes them: "rate=0.3,seed=7,kinds=429+500+cut". An empty text means no faults.
func ParseFaults(text string) (Faults, error) {
	var f Faults
	for _, part := range strings.Split(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		name, value, ok := strings.Cut(part, "=")
		if !ok {
			return Faults{}, fmt.Errorf("parse fault %q: want name=value", part)
		}
		if err := f.set(name, value); err != nil {
			return Faults{}, fmt.Errorf("parse fault %q: %w", part, err)
		}
	}
	return f, nil
}

func (f *Faults) set(name, value string) (err error) {
	switch name {
	case "rate":
		f.Rate, err = parseShare(value)
	case "shift":
		f.Shift, err = parseShare(value)
	case "short":
		f.Short, err = parseShare(value)
	case "long":
		f.Long, err = parseShare(value)
	case "reorder":
		f.Reorder, err = parseShare(value)
	case "item":
		f.Item, err = parseShare(value)
	case "seed":
		f.Seed, err = strconv.ParseUint(value, 10, 64)
	case "tries":
		f.Tries, err = parseCount(value)
	case "max":
		f.Max, err = parseCount(value)
	case "deny_after":
		f.DenyAfter, err = parseCount(value)
	case "quota_after":
		f.QuotaAfter, err = parseCount(value)
	case "retry_after":
		f.RetryAfter, err = parseDuration(value)
	case "stall":
		f.Stall, err = parseDuration(value)
	case "slow":
		f.Slow, err = parseDuration(value)
	case "kinds":
		f.Kinds, err = parseKinds(value)
	default:
		err = errors.New("unknown name")
	}
	return err
}

func parseShare(value string) (float64, error) {
	n, err := strconv.ParseFloat(value, 64)
	if err != nil || math.IsNaN(n) || n < 0 || n > 1 {
		return 0, errors.New("want a number from 0 to 1")
	}
	return n, nil
}

func parseCount(value string) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 {
		return 0, errors.New("want a whole number of at least 1")
	}
	return n, nil
}

func parseDuration(value string) (time.Duration, error) {
	d, err := time.ParseDuration(value)
	if err != nil || d <= 0 {
		return 0, errors.New("want a duration such as 1500ms or 30s")
	}
	return d, nil
}

func parseKinds(value string) (out []Kind, err error) {
	for _, name := range strings.Split(value, "+") {
		known := slices.ContainsFunc(kinds, func(k struct {
			kind Kind
			help string
		}) bool {
			return k.kind == Kind(name)
		})
		if !known {
			return nil, fmt.Errorf("unknown kind %q", name)
		}
		out = append(out, Kind(name))
	}
	return out, nil
}

// FaultHelp describes the text that [ParseFaults] reads.
func FaultHelp() string {
	var b strings.Builder
	b.WriteString(`Faults are name=value, joined with commas: rate=0.3,seed=7,kinds=429+500+cut

  rate=SHARE          share of requests that fail, 0 to 1
  seed=N              which ones; the same seed fails the same requests, whatever their order
  kinds=K+K           what happens to them; all kinds unless given
  tries=N             only the first N deliveries of a request can fail
  max=N               at most N of them fail altogether
  retry_after=D       Retry-After of 429 and 503, in whole seconds (1s)
  stall=D             longest silence of a stall (30s)
  slow=D              duration of a slow answer (2s)
  deny_after=N        401 to everything after N requests; not billed
  quota_after=N       the quota is used up after N rows, or units of Ahrefs v3; not billed
  shift=SHARE         share of pages, after the first, that begin one to three rows early or late: rows come twice
                      or never, as in a list that changes while it is read; billed. Ahrefs v3 has no such pages
  short=SHARE         share of batches (url_metrics, link_status) answered without the last item; billed as asked
  long=SHARE          share of batches answered with the last item twice; billed as asked
  reorder=SHARE       share of batches answered with the first item last; billed as asked
  item=SHARE          share of items of JSON-RPC batches answered as an error of their own; not billed

Kinds:
`)
	for _, k := range kinds {
		fmt.Fprintf(&b, "  %-18s  %s\n", k.kind, k.help)
	}
	return b.String()
}

// roll draws for one thing, by name: two numbers from 0 to 2^32-1.
func (f Faults) roll(name string) (uint32, uint32) {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d/%s", f.Seed, name)
	z := h.Sum64() // FNV's high bits mix badly
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	z ^= z >> 31
	return uint32(z >> 32), uint32(z)
}

func below(roll uint32, share float64) bool { return float64(roll) < share*(1<<32) }

// fault decides what goes wrong with this delivery of a request; "" if nothing does.
func (s *Server) fault(key string, hasToken bool) Kind {
	f := s.options.Faults
	if f.Rate <= 0 {
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.attempts[key]++
	try := s.attempts[key]
	hit, which := f.roll(key + "/" + strconv.Itoa(try))
	if !below(hit, f.Rate) || f.Tries > 0 && try > f.Tries || f.Max > 0 && s.faults >= f.Max {
		return ""
	}
	kind := f.Kinds[int(which)%len(f.Kinds)]
	if kind == KindGone && !hasToken {
		return ""
	}
	s.faults++
	return kind
}

// early returns the answer of the faults that strike before a request is handled, and so bill nothing.
func (s *Server) early(kind Kind) (reply, bool) {
	switch kind {
	case Kind429, Kind429Bare:
		r := refuse(http.StatusTooManyRequests, "rate_limited", "too many requests")
		if kind == Kind429 {
			r.retryAfter = s.options.Faults.RetryAfter
		}
		return r, true
	case Kind500:
		return refuse(http.StatusInternalServerError, "internal_error", "something went wrong"), true
	case Kind503:
		r := refuse(http.StatusServiceUnavailable, "unavailable", "try again later")
		r.retryAfter = s.options.Faults.RetryAfter
		return r, true
	case KindHTML200:
		return reply{status: http.StatusOK, body: []byte(htmlError), html: true}, true
	case KindHTML502:
		return reply{status: http.StatusBadGateway, body: []byte(htmlError), html: true}, true
	case KindGone:
		return gone(), true
	case KindCloseBefore:
		return reply{}, true
	}
	return reply{}, false
}

const htmlError = "<!DOCTYPE html>\n<html><head><title>Bad gateway</title></head><body><h1>Bad gateway</h1></body></html>\n"

// denied counts a request with good credentials and tells whether they are good no longer.
func (s *Server) denied() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.admitted++
	n := s.options.Faults.DenyAfter
	return n > 0 && s.admitted > n
}

// shifted moves the beginning of a page, if the list is one that changes while it is read.
func (s *Server) shifted(key string, at int) int {
	hit, which := s.options.Faults.roll("shift/" + key)
	if at == 0 || !below(hit, s.options.Faults.Shift) {
		return at
	}
	return at + [...]int{-3, -2, -1, 1, 2, 3}[which%6]
}

// batch returns which items a batch of n is answered with, in which order: all of them as asked, unless faults say otherwise.
func (s *Server) batch(key string, n int) []int {
	f := s.options.Faults
	strikes := func(name string, share float64) bool {
		hit, _ := f.roll(name + "/" + key)
		return below(hit, share)
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	if strikes("reorder", f.Reorder) {
		order = append(order[1:], 0)
	}
	if strikes("short", f.Short) {
		order = order[:n-1]
	}
	if strikes("long", f.Long) {
		order = append(order, n-1)
	}
	return order
}

// struck tells which items of this delivery of a batch are answered as errors.
func (s *Server) struck(key string) func(item int) bool {
	f := s.options.Faults
	if f.Item <= 0 {
		return func(int) bool { return false }
	}
	key = "item/" + key
	s.mu.Lock()
	s.attempts[key]++
	try := s.attempts[key]
	s.mu.Unlock()
	return func(item int) bool {
		hit, _ := f.roll(strconv.Itoa(item) + "/" + strconv.Itoa(try) + "/" + key)
		return below(hit, f.Item) && (f.Tries == 0 || try <= f.Tries)
	}
}
