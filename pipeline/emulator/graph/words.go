package graph

import (
	"strconv"
	"strings"
)

var (
	firstWords = strings.Fields(`amber alder arctic birch bold bright canyon cedar cinder clear cobalt copper coral crisp delta drift
		dusk ember fable fern field flint frost gale glen golden granite harbor hazel hollow indigo iron ivory juniper kestrel lake
		larch lumen maple meadow mint moss north oak ocean onyx opal otter pebble pine plain quartz raven ridge river sage silver
		slate spruce stone summer tidal timber umber vale velvet willow winter`)
	lastWords = strings.Fields(`arc atlas barn bay beam bench bloom bridge brook cabin camp cart chart circle coast craft creek crest
		deck den depot desk dock farm fleet forge gate grove guide guild hall haven hill hub journal kit lab lane ledge lens lodge
		loft loom mart mill nest notes orchard path peak pier point post press range road room shed shop shore sign spring station
		store studio table tide times trail vault view ward way works yard`)
	pathWords = strings.Fields(`blog guides news shop reviews products archive story help tips gear deals`)
	topics    = strings.Fields(`tents boots maps stoves ropes packs jackets lamps bikes kayaks knives poles tarps socks filters
		hammocks skis compasses tables paddles`)
	adjectives = strings.Fields(`best light cheap waterproof used durable compact winter new small large folding warm handmade
		affordable top recycled classic organic quiet`)
	places = strings.Fields(`oslo lyon kyoto quito dublin turin porto bergen leeds tampa austin boise perth nelson cusco
		tromso basel malmo ghent graz`)
	unicodeWords = []string{"ハイキング用品", "палатки и снаряжение", "équipement de randonnée", "zelte für größen", "登山靴 レビュー",
		"뛰어난 텐트", "⛺ camping", "مخيمات الجبال", "αντίσκηνα", "přístřešek", "dağ çadırı", "व्यायाम"}
	generics = []string{"click here", "here", "website", "read more", "link", "source", "visit site", "this article", "more info", "homepage"}
)

func pick(words []string, h uint64) string { return words[h%uint64(len(words))] }

// path returns the part of a page's name after the first slash. The page's number within its host makes it unique.
func (g *Graph) path(p PageID) string {
	h := &g.hosts[g.pages[p].host]
	n := uint64(p - h.first)
	if n == 0 {
		return ""
	}
	r := g.hash(streamPath, uint64(p))
	number := strconv.FormatUint(n, 10)
	switch {
	case g.pages[p].flags&pageCanonical != 0:
		return pick(pathWords, r) + "/?ref=" + pick(topics, r>>8) + number
	case g.pages[p].flags&pageRedirects != 0:
		return "old/" + pick(topics, r>>8) + "-" + number
	case r%17 == 0:
		return "%C3%A9t%C3%A9/" + number // percent-encoded "été": names are ASCII
	case r%5 == 0:
		return pick(pathWords, r>>4) + "-" + number + ".html"
	}
	return pick(pathWords, r>>4) + "/" + pick(adjectives, r>>12) + "-" + pick(topics, r>>20) + "-" + number
}

func (g *Graph) title(p PageID) string {
	r := g.hash(streamTitle, uint64(p))
	name, _, _ := strings.Cut(g.domains[g.domainOf[p]].name, ".")
	switch {
	case r%23 == 0:
		return ""
	case r%19 == 0:
		return pick(unicodeWords, r>>8) + " | " + name
	case r%11 == 0:
		return `"` + pick(topics, r>>8) + `" & ` + pick(topics, r>>16) + " <" + name + ">"
	}
	return pick(adjectives, r>>8) + " " + pick(topics, r>>16) + " - " + name
}

// Normalise returns an anchor text as the index keeps it: HTML tags stripped, trimmed, runs of white space collapsed to
// one space, lower-cased (Moz V2 documentation, links page).
func Normalise(text string) string {
	if strings.IndexByte(text, '<') >= 0 {
		text = stripTags(text)
	}
	return strings.ToLower(strings.Join(strings.Fields(text), " "))
}

// stripTags drops everything from "<" followed by a letter or a slash to the next ">".
func stripTags(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '<' && i+1 < len(text) && (text[i+1] == '/' || text[i+1]|0x20 >= 'a' && text[i+1]|0x20 <= 'z') {
			if end := strings.IndexByte(text[i:], '>'); end >= 0 {
				i += end
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// phrase is anchor k of a domain as its authors mean it, before each of them spells it in his own way. The few with a
// low k are the ones most links use: the brand, the bare address, no text at all, "click here".
func (g *Graph) phrase(d DomainID, k uint32) string {
	name := g.domains[d].name
	brand, _, _ := strings.Cut(name, ".")
	brand = strings.ReplaceAll(brand, "-", " ")
	r := g.hash(streamAnchor, uint64(d)<<32|uint64(k))
	switch k {
	case 0:
		return brand
	case 1:
		return "https://" + g.PageName(g.domains[d].home)
	case 2:
		return name
	case 3:
		return ""
	case 4, 7, 11:
		return pick(generics, uint64(d)+uint64(k))
	}
	number := strconv.FormatUint(uint64(k), 10)
	switch {
	case r%211 == 5:
		return strings.Repeat(brand+" "+pick(adjectives, r>>8)+" "+pick(topics, r>>16)+" "+pick(places, r>>24)+", ", 400/(len(brand)+22)+1) + number
	case r%29 == 3:
		return pick(unicodeWords, r>>8) + " " + number
	case r%31 == 4:
		return "https://" + name + "/" + pick(pathWords, r>>8) + "/" + number
	case r%7 == 2:
		return brand + " " + pick(topics, r>>8) + " " + number
	case r%13 == 1:
		return `"` + pick(adjectives, r>>8) + `" ` + pick(topics, r>>16) + ` \ ` + number
	case k < 40:
		return pick(adjectives, r>>8) + " " + pick(topics, r>>16)
	}
	return pick(adjectives, r>>8) + " " + pick(topics, r>>16) + " in " + pick(places, r>>24) + " " + number
}
