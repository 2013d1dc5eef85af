package moz

import (
	"fmt"
	"strconv"

	"backhaul/pipeline"
)

// indexMetadata. Source: Moz, index_metadata.
func indexMetadata() pipeline.Endpoint {
	return pipeline.Endpoint{
		Name:    "index_metadata",
		Meaning: "the index that Moz answers from",
		Asks:    pipeline.AboutNothing,
		Once:    true,
	}
}

// usageData: start and end are texts of Unix seconds, start before end; by default the period is from the start of the
// month, and Moz does not say until when: presumably now. Source: Moz, usage_data.
func usageData() pipeline.Endpoint {
	return pipeline.Endpoint{
		Name:    "usage_data",
		Meaning: "rows that the account consumed in a period, by Moz's own meter",
		Asks:    pipeline.AboutNothing,
		Once:    true,
		Params: []pipeline.Param{
			{Name: "start", Type: pipeline.ParamString, Check: period, Meaning: "beginning of the period in Unix seconds, as a text; Moz's default is the start of the month"},
			{Name: "end", Type: pipeline.ParamString, Check: period, Meaning: "end of the period in Unix seconds, as a text; by default now"},
		},
	}
}

// period wants whole seconds, and a start before the end. Source: Moz, usage_data.
func period(value any, params map[string]any) error {
	if _, err := seconds(value); err != nil {
		return err
	}
	start, errStart := seconds(params["start"])
	end, errEnd := seconds(params["end"])
	if errStart == nil && errEnd == nil && start >= end {
		return fmt.Errorf("the period must begin before it ends: start %d, end %d", start, end)
	}
	return nil
}

func seconds(value any) (int64, error) {
	text, _ := value.(string)
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != text {
		return 0, fmt.Errorf("want Unix seconds in plain digits, as date +%%s prints them, not %q", text)
	}
	return n, nil
}
