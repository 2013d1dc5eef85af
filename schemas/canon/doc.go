// Package canon owns the one spelling of targets, hosts and dates: pure functions that turn what people paste
// into what is sent to a vendor and compared between runs. It knows no table and no vendor protocol.
//
// The spelling of a target is the one Moz prints, without the slash it adds to a bare host:
//
//		HTTPS://User:pw@WWW.Bücher.example.:443/./a%7eb/ü?utm_source=x&id=1#top
//		www.xn--bcher-kva.example/a~b/%C3%BC?id=1
//
//	  - no scheme, no user information, no fragment, no default port (80 or 443, as the scheme is gone);
//	  - the host in lower case, as punycode (IDNA, UTS 46, non-transitional), without a trailing dot;
//	  - a host alone has no slash (moz.com/ is moz.com); any other path keeps its trailing slash as given; a query
//	    directly behind a host is behind a slash (moz.com/?a=1);
//	  - dot segments are resolved; backslashes of a path are slashes, as browsers have it;
//	  - path and query are ASCII: what browsers encode is encoded as UTF-8, escapes are kept with upper-case digits,
//	    escaped unreserved characters (letters, digits, - . _ ~) are unescaped, a % that begins no escape is %25;
//	  - the query keeps its order, without the tracking parameters that [Tracking] names.
//
// Every function is idempotent: the canonical spelling of a canonical spelling is itself.
package canon
