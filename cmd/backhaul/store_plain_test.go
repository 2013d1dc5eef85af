//go:build !fleet

package main

import (
	"strings"
	"testing"
)

func TestThisBuildSaysWhichOneKeepsWarehousesInStores(t *testing.T) {
	t.Parallel()
	for address, wants := range map[string]string{"s3://bucket/acme?endpoint=https://storage.example": "s3://bucket/acme needs backhaul-fleet", "gs://bucket": "gs://bucket needs backhaul-fleet",
		"ftp://host/dir": "want a directory, s3://BUCKET/PREFIX"} {
		if status, text := said(t, "query", "select 1", "--warehouse", address); status != exitUsage || !strings.Contains(strings.Join(strings.Fields(text), " "), wants) {
			t.Errorf("%s: exit %d, %s", address, status, text)
		}
	}
}
