package templates

import (
	"strings"
	"testing"
	"time"
)

// Who acts, by when, why, and where: nothing else.
func TestAlertsSayWhatToDo(t *testing.T) {
	m, err := WriteAlert(SampleAlert())
	if err != nil {
		t.Fatal(err)
	}
	check(t, m)
	golden(t, "alert.html", m.HTML)
	golden(t, "alert.txt", "Subject: "+m.Subject+"\nPreheader: "+m.Preheader+"\n\n"+m.Text)
	golden(t, "alert.sms", m.SMS+"\n")
	if m.Segments > 2 || len(m.Headers) > 0 {
		t.Errorf("%d segments, %v", m.Segments, m.Headers)
	}
}

func TestAlertsNameWhatIsMissing(t *testing.T) {
	for field, spoil := range map[string]func(*AlertContent){
		"zone": func(c *AlertContent) { c.Zone = nil }, "url": func(c *AlertContent) { c.URL = "javascript:x" }, "case": func(c *AlertContent) { c.Case = " \u202e" },
		"order": func(c *AlertContent) { c.Order = "" }, "owner": func(c *AlertContent) { c.Owner = "" }, "severity": func(c *AlertContent) { c.Severity = "" }, "due": func(c *AlertContent) { c.Due = time.Time{} },
	} {
		c := SampleAlert()
		spoil(&c)
		if m, err := WriteAlert(c); err == nil || !strings.Contains(err.Error(), field) || m.HTML != "" {
			t.Errorf("without %s: %v", field, err)
		}
	}
}

func FuzzWriteAlert(f *testing.F) {
	for _, s := range []string{poison, strings.Repeat("A", 10_000), "http://evil.example", "\xff\xfe", "é", "\u2028"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c := SampleAlert()
		c.Case, c.Order, c.Parcel, c.Why, c.Assignee, c.Owner, c.Severity = s+"k", "o"+strings.ReplaceAll(s, "evil.example", ""), s, s, s, "t"+s, "v"+s
		m, err := WriteAlert(c)
		if err != nil {
			t.Fatal(err)
		}
		check(t, m)
		if strings.Contains(m.HTML, "<script") || strings.Contains(m.Text, "evil.example") {
			t.Errorf("%q got through", s)
		}
	})
}
