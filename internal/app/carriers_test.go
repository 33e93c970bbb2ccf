package app

import (
	"strings"
	"testing"
)

func TestCarriersDetect(t *testing.T) {
	for number, want := range map[string]string{
		"1Z 999 AA1 01 2345 6784": "ups UPS passed 1Z999AA10123456784 01 999AA1",
		"1Z999AA10123456785":      "ups UPS failed 1Z999AA10123456785 01 999AA1",
	} {
		var out strings.Builder
		if err := Carriers(append([]string{"detect"}, strings.Fields(number)...), &out); err != nil {
			t.Fatal(err)
		}
		_, rows, _ := strings.Cut(out.String(), "\n")
		if got := strings.Join(strings.Fields(rows), " "); got != want {
			t.Errorf("%s: %q, want %q", number, got, want)
		}
	}
	if err := Carriers([]string{"detect", "nonsense"}, &strings.Builder{}); err == nil || !strings.Contains(err.Error(), `"nonsense"`) {
		t.Error(err)
	}
}
