package buy_test

import (
	"testing"

	"backhaul/jobs/books"
	"backhaul/jobs/buy"
	"backhaul/jobs/buy/buytest"
	"backhaul/sinks"
	"backhaul/sinks/blob"
)

func TestTheEngineOfThisProcessKeepsItsPromises(t *testing.T) {
	buytest.Run(t, func(t *testing.T, _ buytest.Sources) buytest.Shop {
		w := sinks.Warehouse{Root: t.TempDir()}
		if err := (blob.FS{}).MkdirAll(w.Journal()); err != nil {
			t.Fatal(err)
		}
		return buytest.Shop{Books: books.InFiles(w), Engine: buy.Here{}}
	})
}
