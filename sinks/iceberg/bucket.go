//go:build fleet

package iceberg

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"

	"gocloud.dev/blob"
	_ "gocloud.dev/blob/azureblob" // azblob://
	_ "gocloud.dev/blob/gcsblob"   // gs://
	_ "gocloud.dev/blob/s3blob"    // s3://
)

// address is where a warehouse is: a bucket, and the beginning of the keys of its objects.
type address struct {
	url    *url.URL
	prefix string // without slashes around it; may be ""
}

// parseAddress reads s3://bucket/prefix, gs:// or azblob://, with the options of gocloud.dev as query.
func parseAddress(text string) (address, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.Fragment != "":
		return address{}, errors.New("want s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or azblob://CONTAINER/PREFIX")
	case u.Scheme == "s3" && !safe(u.Query().Get("endpoint")):
		return address{}, errors.New("its endpoint is not https, which is accepted for this machine only")
	}
	return address{url: u, prefix: strings.Trim(u.Path, "/")}, nil
}

// safe reports whether what is sent to an endpoint stays secret: it is https, this machine, or the vendor's usual one.
func safe(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return endpoint == "" || u.Scheme == "https" || u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// open opens the bucket with the credentials that its vendor's tools would find.
func (a address) open(ctx context.Context) (*blob.Bucket, error) {
	u := url.URL{Scheme: a.url.Scheme, Host: a.url.Host, RawQuery: a.options().Encode()}
	bucket, err := blob.OpenBucket(ctx, u.String())
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", a.name(), err)
	}
	return bucket, nil
}

// options are those of the query. An S3 that is not Amazon's seldom has names for its buckets, nor checksums for its replies, which the SDK
// would tell standard error of each: what is fetched is compared with its own name.
func (a address) options() url.Values {
	q := a.url.Query()
	if a.url.Scheme == "s3" && !q.Has("response_checksum_validation") {
		q.Set("response_checksum_validation", "when_required")
	}
	own := cmp.Or(q.Get("endpoint"), os.Getenv("AWS_ENDPOINT_URL_S3"), os.Getenv("AWS_ENDPOINT_URL"))
	if a.url.Scheme == "s3" && own != "" && !q.Has("use_path_style") && !q.Has("s3ForcePathStyle") {
		q.Set("use_path_style", "true")
	}
	return q
}

// name is the address without its options.
func (a address) name() string {
	return strings.TrimSuffix(a.url.Scheme+"://"+a.url.Host+"/"+a.prefix, "/")
}

// base is what the places of objects begin with in Iceberg's metadata, as its readers spell them.
func (a address) base() string {
	if a.url.Scheme != "azblob" {
		return a.url.Scheme + "://" + a.url.Host
	}
	account := cmp.Or(a.url.Query().Get("storage_account"), os.Getenv("AZURE_STORAGE_ACCOUNT"))
	return "abfss://" + a.url.Host + "@" + account + ".dfs.core.windows.net"
}

// key is that of an object below the prefix.
func (a address) key(rest string) string { return strings.TrimPrefix(a.prefix+"/"+rest, "/") }
