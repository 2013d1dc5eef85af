package canon_test

import (
	"fmt"

	"backhaul/schemas/canon"
)

// What people paste is sent in one spelling, so that a page is asked about once.
func ExampleTarget() {
	for _, pasted := range []string{
		"https://WWW.Bücher.example/", "www.bücher.example",
		"http://example.com:80/a/../b?utm_source=mail&id=1#top",
		"mailto:somebody@example.com",
	} {
		target, err := canon.Target(pasted)
		if err != nil {
			fmt.Println("error:", err)
			continue
		}
		fmt.Println(target)
	}
	// Output:
	// www.xn--bcher-kva.example
	// www.xn--bcher-kva.example
	// example.com/b?id=1
	// error: has the scheme mailto: only http and https pages have links
}
