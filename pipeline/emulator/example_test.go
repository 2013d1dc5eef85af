package emulator_test

import (
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"backhaul/pipeline/emulator"
)

// A page is bought as from the vendor, and metered as the vendor bills: by the row.
func Example() {
	vendor := emulator.New(emulator.Options{})
	srv := httptest.NewServer(vendor)
	defer srv.Close()

	question := `{"target":"rivalgear.example","scope":"root_domain","limit":3}`
	req, err := http.NewRequest(http.MethodPost, srv.URL+"/v2/anchor_text", strings.NewReader(question))
	if err != nil {
		log.Fatal(err)
	}
	req.Header.Set("x-moz-token", emulator.DefaultToken)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	var page struct {
		Results []struct {
			Text    string `json:"anchor_text"`
			Domains int    `json:"external_root_domains"`
		} `json:"results"`
		Token string `json:"next_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&page); err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.Status)
	for _, row := range page.Results {
		fmt.Printf("%q, linking domains: %d\n", row.Text, row.Domains)
	}
	fmt.Println("there is more:", page.Token != "")
	fmt.Println("rows billed:", vendor.Meter().Rows)
	// Output:
	// 200 OK
	// "", linking domains: 105
	// "rivalgear", linking domains: 78
	// "https://rivalgear.example/", linking domains: 62
	// there is more: true
	// rows billed: 3
}
