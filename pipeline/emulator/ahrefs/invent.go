package ahrefs

import (
	"fmt"
	"hash/fnv"
	"math"
	"strings"

	"backhaul/pipeline/emulator/graph"
)

// roll is the fixed number of one thing under a name.
func roll(name string, id uint64) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // a hash takes everything
	z := h.Sum64() ^ (id+1)*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// sameAs maps the names that reports have for one thing to one of them, so that they agree on what is invented.
var sameAs = map[string]string{
	"traffic_page": "traffic", "traffic_source": "traffic", "traffic_domain_source": "traffic_domain", "linked_domain_traffic": "traffic_domain",
	"positions_source": "positions", "links_external_source": "links_external", "languages_source": "languages", "languages_target": "languages",
	"powered_by_source": "powered_by", "powered_by_target": "powered_by", "linked_domains_source": "linked_domains",
	"linked_domains_source_page": "linked_domains",
}

// invent makes up a value of a name's type for one thing: always the same for the same name and thing. Nullable ones are null one time in four.
func invent(name string, id uint64) any {
	f := dictionary[name]
	if other, ok := sameAs[name]; ok {
		name = other
	}
	r := roll(name, id)
	if f.null && r%4 == 0 {
		return nil
	}
	r >>= 2
	if f.words != nil {
		return f.words[r%uint64(len(f.words))]
	}
	switch f.kind {
	case stamp:
		return moment(-int64(r%(900*86400)) - 1)
	case day:
		return graph.Date(-int(r % 900))
	case whole:
		return skewed(r)
	case real:
		return float64(r%1001) / 10
	case flag:
		return r%8 == 0
	case texts:
		return inventTexts(name, r)
	case wholes:
		return []int{}
	case pairs:
		return [][2]any{{[]string{"us", "gb", "de", "no", "jp"}[r%5], skewed(r >> 3)}}
	}
	return inventText(name, r)
}

// skewed is a count: most are small, some are large.
func skewed(r uint64) int {
	return int(math.Exp(float64(r%1000)/1000*11)) - 1
}

var phrases = strings.Split("the best of this week|see also|our guide to|tested by readers|läs mer om|more about|as we wrote in|推荐阅读", "|")

func inventText(name string, r uint64) string {
	switch name {
	case "ip", "ip_source":
		return fmt.Sprintf("%s.%d", []string{"192.0.2", "198.51.100", "203.0.113"}[r%3], r>>8%256) // RFC 5737
	case "encoding":
		return []string{"utf8", "utf8", "utf8", "latin1", "win1251"}[r%5]
	case "source_page_author":
		return []string{"A. Nilsen", "Ruth O'Hara", "佐藤 花子", "J. Müller"}[r%4]
	case "page_category_source":
		return []string{"/Sports/Outdoors", "/Shopping/Outdoor Gear,/Sports/Hiking", "/News"}[r%3]
	case "page_type_source":
		return []string{"/Article", "/Article/Listicle,/Blog", "/Product"}[r%3]
	}
	return phrases[r%uint64(len(phrases))]
}

func inventTexts(name string, r uint64) []string {
	if name == "languages" {
		return [][]string{{"en"}, {"en", "de"}, {"nb"}, {}, {"ja"}}[r%5]
	}
	return [][]string{{}, {"WordPress", "PHP"}, {"nginx"}, {"Next.js", "React", "Vercel"}}[r%4]
}

// moment writes a second after the web's day 0.
func moment(second int64) string {
	days, rest := second/86400, second%86400
	if rest < 0 {
		days, rest = days-1, rest+86400
	}
	return fmt.Sprintf("%sT%02d:%02d:%02dZ", graph.Date(int(days)), rest/3600, rest/60%60, rest%60)
}
