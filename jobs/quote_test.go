package jobs

import (
	"strings"
	"testing"
)

func TestMessagesRepeatLittleOfWhatTheyDoNotUnderstand(t *testing.T) {
	for given, want := range map[string]string{
		"scop": "scop", "a host without a dot": "a host without a dot", strings.Repeat("ü", 32): strings.Repeat("ü", 32),
		strings.Repeat("ü", 33): strings.Repeat("ü", 32) + "…", "mozscape-1f2e3d4c5b6a": "mozs…", "0123456789abcdef0123456789abcdef": "0123…",
		"source_page_authority": "source_page_authority", "www.shop24.example": "www.shop24.example", "1234567890123456": "1234567890123456",
	} {
		if got := shorten(given); got != want {
			t.Errorf("%s: %s, want %s", given, got, want)
		}
	}
	if got := shortenQuotes(`"short" is not "mozscape-1f2e3d4c5b6a"`); got != `"short" is not "mozs…"` {
		t.Error(got)
	}
}

// TestNoMessageRepeatsASecret puts a secret wherever a list or an answer can have one.
func TestNoMessageRepeatsASecret(t *testing.T) {
	for _, secret := range []string{"mozscape-c4n4ry5ecret1f2e3d", "c4n4ryS3cr3tC4n4ryS3cr3t0123456789abcdef0123456789abcdef", "canary secret words that are many more than a message repeats of them", "c4n4ry://" + strings.Repeat("s3cr3t", 9)} {
		for name, csv := range map[string]string{
			"header": secret + "\n", "header and rows": secret + "\n" + secret + "\n", "second column": "target," + secret + "\na.example,x\n",
			"twice": secret + "," + secret + "\n", "target": "target\n" + secret + "\n", "scope": "target,scope\na.example," + secret + "\n",
			"filter": "target,filter\na.example," + secret + "\n", "many names": "a,b,c,d,e,f," + secret + "\n", "semicolon": secret + ";x\n",
			"no csv": "target\n\"" + secret + "\n", "more cells": "target\na.example," + secret + "\n",
		} {
			_, found := LoadFS(folderOf(fromCSV, "t.csv", csv), "job.yaml", fake)
			if len(found) == 0 || strings.Contains(strings.ToLower(lines(found)), strings.ToLower(secret)) {
				t.Errorf("%s of %q: %q", name, secret, lines(found))
			}
		}
		_, found := LoadFS(folderOf(minimal()+"tables: {labels: {file: l.csv}}\n", "l.csv", "source,label,labelled_on\na.example,"+secret+","+secret+"\n"), "job.yaml", fake)
		if strings.Contains(lines(found), secret) {
			t.Errorf("table: %s", lines(found))
		}
		s := mustLoad(t, "job: j\nextracts: [{name: x, endpoint: moz/links, targets: {sql: select 1}}]\n")
		_, _, err := s.Extracts[0].Resolve([]string{"target"}, [][]*string{{&secret}}, nil)
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("answer: %v", err)
		}
		if err := s.Extracts[0].Answers([]string{secret}); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("column: %v", err)
		}
	}
}
