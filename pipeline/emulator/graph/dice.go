package graph

import "math"

// dice is a stream of reproducible numbers (splitmix64).
type dice uint64

func (d *dice) next() uint64 {
	*d += 0x9e3779b97f4a7c15
	return mix(uint64(*d))
}

// unit returns a number in [0, 1).
func (d *dice) unit() float64 { return float64(d.next()>>11) / (1 << 53) }

// below returns a number in [0, n).
func (d *dice) below(n int) int { return int(d.next() % uint64(n)) }

// zipf returns a number in [0, n), k with a chance of about 1/(k+1).
func (d *dice) zipf(n int) int {
	k := int(math.Exp(d.unit()*math.Log(float64(n)+1))) - 1
	return min(max(k, 0), n-1)
}

func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// hash gives the fixed roll of one thing: a page's status, a link's spelling.
func (g *Graph) hash(stream, id uint64) uint64 {
	return mix(g.seed ^ mix(stream*0x9e3779b97f4a7c15+id+1))
}

// Streams of [Graph.hash].
const (
	streamPath = iota + 1
	streamTitle
	streamCrawl
	streamCode
	streamLife
	streamAnchor
	streamSpelling
	streamMend
)
