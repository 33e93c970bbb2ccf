package templates

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	nethtml "golang.org/x/net/html"
	"pgregory.net/rapid"

	"github.com/waybillhq/waybill/internal/messaging"
	"github.com/waybillhq/waybill/internal/speech"
	"github.com/waybillhq/waybill/internal/speech/speechtest"
	"github.com/waybillhq/waybill/order"
)

var (
	update  = flag.Bool("update", false, "write the golden files")
	gallery = flag.String("gallery", "", "write every mail and an index.html into this directory")
)

var languages = []string{"en", "de", "es", "pt-BR"}

func zone(t testing.TB, name string) *time.Location {
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func full(_ testing.TB, kind Kind, language string) Content { return Sample(kind, language) }

func TestGolden(t *testing.T) {
	for _, kind := range Kinds() {
		for _, language := range languages {
			m, err := Write(kind, full(t, kind, language))
			if err != nil {
				t.Error(err)
				continue
			}
			check(t, m)
			for _, s := range []string{m.Subject, m.Text, m.SMS} {
				if len(speech.Unfilled(s)) > 0 {
					t.Errorf("not filled in: %s", s)
				}
			}
			for ext, got := range map[string]string{
				"html": m.HTML,
				"txt":  "Subject: " + m.Subject + "\nPreheader: " + m.Preheader + "\n\n" + m.Text,
				"sms":  fmt.Sprintf("%s\n[%d of 160 or 70, %d segments]\n", m.SMS, len([]rune(m.SMS)), m.Segments),
			} {
				golden(t, fmt.Sprintf("%s.%s.%s", kind, language, ext), got)
			}
			if m.Segments != 1 {
				t.Errorf("%s in %s: %d segments: %s", kind, language, m.Segments, m.SMS)
			}
		}
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s has changed (-update writes it):\n%s", name, got)
	}
}

// check says what no message may be.
func check(t interface {
	Errorf(string, ...any)
	Helper()
}, m Message) {
	t.Helper()
	if m.Subject == "" || len([]rune(m.Subject)) > 250 || m.Preheader == "" || m.Text == "" || m.SMS == "" || m.Segments < 1 {
		t.Errorf("something is missing: %+v", m)
	}
	for name, s := range map[string]string{"subject": m.Subject, "preheader": m.Preheader, "html": m.HTML, "text": m.Text, "sms": m.SMS} {
		if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool {
			return unicode.IsControl(r) && (r != '\n' || name == "subject" || name == "preheader" || name == "sms") || unicode.Is(unicode.Cf, r)
		}) {
			t.Errorf("%s is not clean: %q", name, s)
		}
		if strings.Contains(s, "ZgotmplZ") || strings.Contains(s, "<no value>") {
			t.Errorf("%s was not filled in: %q", name, s)
		}
	}
	if len(m.HTML) > 100<<10 { // Gmail cuts mails at 102 KB
		t.Errorf("%d bytes of HTML", len(m.HTML))
	}
	if len([]rune(m.SMS)) > 600 {
		t.Errorf("SMS of %d characters", len([]rune(m.SMS)))
	}
	for k, v := range m.Headers {
		if strings.ContainsAny(k+v, "\r\n") {
			t.Errorf("header %q: %q", k, v)
		}
	}
	root, err := nethtml.Parse(strings.NewReader(m.HTML))
	if err != nil {
		t.Errorf("%v", err)
		return
	}
	allowed := []string{"html", "head", "meta", "title", "style", "script", "body", "div", "table", "tbody", "tr", "td", "h1", "h2", "p", "ol", "li", "a", "img", "br"}
	var walk func(n *nethtml.Node)
	walk = func(n *nethtml.Node) {
		if n.Type == nethtml.ElementNode {
			attr := map[string]string{}
			for _, a := range n.Attr {
				attr[a.Key] = a.Val
				if strings.HasPrefix(a.Key, "on") {
					t.Errorf("a handler: %s", a.Val)
				}
			}
			switch {
			case !slices.Contains(allowed, n.Data):
				t.Errorf("an element that we do not write: %s", n.Data)
			case n.Data == "table" && attr["role"] != "presentation":
				t.Errorf("a table without a role")
			case n.Data == "html" && attr["lang"] == "":
				t.Errorf("no language")
			case n.Data == "img" && attr["alt"] == "":
				t.Errorf("a picture without words")
			case n.Data == "a" && !strings.HasPrefix(attr["href"], "https://"):
				t.Errorf("a link to %q", attr["href"])
			case n.Data == "script":
				if attr["type"] != "application/ld+json" || n.FirstChild == nil || !json.Valid([]byte(n.FirstChild.Data)) {
					t.Errorf("a script that is no data")
				}
			}
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(root)
	if n := strings.Count(m.HTML, "<script"); n > maxItems {
		t.Errorf("%d scripts", n)
	}
}

// Every text is there in every language, with the same words to fill in.
func TestLinesAreComplete(t *testing.T) {
	for key, ls := range lines {
		for i, l := range ls {
			speechtest.Complete(t, fmt.Sprintf("%s, %d", key, i), l)
		}
	}
	for _, kind := range Kinds() {
		for _, part := range []string{"subject", "title", "happened", "next", "do", "sms"} {
			if len(lines[string(kind)+"."+part]) == 0 {
				t.Errorf("%s has no %s", kind, part)
			}
		}
	}
}

// What a kind needs and does not get is an error that names it.
func TestMissingFieldsAreNamed(t *testing.T) {
	always := map[string]func(*Content){
		"zone":          func(c *Content) { c.Zone = nil },
		"shop":          func(c *Content) { c.Brand.Name = " \u202e" },
		"brand.support": func(c *Content) { c.Brand.Support = "nobody" },
		"order":         func(c *Content) { c.Order = "" },
		"url":           func(c *Content) { c.URL = "javascript:alert(1)" },
		"brand.colour":  func(c *Content) { c.Brand.Colour = "red;}" },
		"brand.logo":    func(c *Content) { c.Brand.LogoURL = "http://x.example/a.png" },
		"unsubscribe":   func(c *Content) { c.UnsubscribeURL = "https://x.example/\r\nBcc: x" },
		"proof":         func(c *Content) { c.ProofURL = "data:text/html,x" },
		"currency":      func(c *Content) { c.Total.Currency = "XXXX" },
		"choice":        func(c *Content) { c.Choices = []Choice{{"jump", "https://x.example"}} },
		"year":          func(c *Content) { c.At = time.Unix(0, 0) },
		"arrives ends":  func(c *Content) { c.Arrives.From = c.Arrives.To.Add(time.Hour) },
	}
	each := map[Kind]map[string]func(*Content){
		Confirmation:        {"items": func(c *Content) { c.Items, c.Parcels = nil, nil }},
		Shipped:             {"carrier": func(c *Content) { c.Parcels[0].Carrier, c.Parcels[1].Carrier = "", "" }},
		OutForDelivery:      {"carrier": func(c *Content) { c.Parcels = nil }, "day": func(c *Content) { c.At = time.Time{} }},
		Delivered:           {"at": func(c *Content) { c.At = time.Time{} }},
		AttemptFailed:       {"at": func(c *Content) { c.At = time.Time{} }, "choices": func(c *Content) { c.Choices = nil }, "reason": func(c *Content) { c.Reason = "because" }, "carrier": func(c *Content) { c.Parcels = nil }},
		Delayed:             {"reason": func(c *Content) { c.Reason = "" }},
		ReadyForPickup:      {"until": func(c *Content) { c.Until = time.Time{} }, "place": func(c *Content) { c.Place = Place{} }},
		AddressProblem:      {"choice correct_address": func(c *Content) { c.Choices = nil }},
		ReturnSteps:         {"code": func(c *Content) { c.Choices = nil }, "by": func(c *Content) { c.Until = time.Time{} }, "carrier": func(c *Content) { c.Parcels = nil }},
		RefundReleased:      {"amount": func(c *Content) { c.Amount = Money{} }},
		NotReceivedFollowup: {"by": func(c *Content) { c.Until = time.Time{} }, "choice found_it": func(c *Content) { c.Choices = nil }, "carrier": func(c *Content) { c.Parcels = nil }},
	}
	for _, kind := range Kinds() {
		for _, fields := range []map[string]func(*Content){always, each[kind]} {
			for field, spoil := range fields {
				c := full(t, kind, "de")
				spoil(&c)
				m, err := Write(kind, c)
				if field == "arrives ends" && full(t, kind, "de").Arrives.To.IsZero() {
					continue
				}
				if err == nil || !strings.Contains(err.Error(), field) || m.HTML != "" {
					t.Errorf("%s without %s: %v", kind, field, err)
				}
			}
		}
	}
	if _, err := Write("greeting", full(t, Shipped, "en")); err == nil {
		t.Error("a kind that there is not")
	}
}

func TestNames(t *testing.T) {
	for in, want := range map[string]string{
		"Anna": "Anna", " Jean-Luc ": "Jean-Luc", "O’Neil": "O’Neil", "Łukasz": "Łukasz", "明": "明", "J. R.": "J. R.",
		"": "", "http://evil.example": "", "evil.example": "", "<b>Anna</b>": "", "Anna\r\nBcc: x": "", "{name}": "", "🎉": "", "A1": "", strings.Repeat("a", 10_000): "", "\u202eannA": "annA",
	} {
		if got := firstName(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{
		"Garage": "Garage", "http://evil.example/x": "http evil. example/x", "www.evil.example": "www. evil. example", "USB 3.0 cable": "USB 3.0 cable", "St. Pauli 5": "St. Pauli 5", "a@b.example": "a at b. example",
	} {
		if got := defused(in, 100); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	for colour, want := range map[string]string{"#000000": "#ffffff", "#ffffff": "#000000", "#0b6e4f": "#ffffff", "#ffdd00": "#000000", "#FF0000": "#000000", "#0000ff": "#ffffff"} {
		if got := ink(colour); got != want {
			t.Errorf("%s on %s", got, colour)
		}
	}
}

const poison = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{.}}{order}</title></style><!--\r\nBcc: x@evil.example\r\n\u202e\u2066\x00"

// hostile fills every text of a content with what an attacker would write.
func hostile(c Content, s string) Content {
	// The store writes these two itself: they are escaped, but a domain stays one.
	c.Brand.Name, c.Order = "Shop"+strings.ReplaceAll(s, "http://evil.example", ""), "1"+strings.ReplaceAll(s, "http://evil.example", "")
	c.FirstName = s
	for i := range c.Parcels {
		c.Parcels[i].Carrier, c.Parcels[i].Tracking, c.Parcels[i].Items = "C"+s, s, []Item{{s, 1}, {s, -1}, {"", 1 << 60}}
	}
	c.Items = []Item{{"x" + s, 2}}
	c.Place, c.Left, c.Code = Place{"P" + s, s}, "L"+s, "9"+s
	return c
}

func TestHostileContent(t *testing.T) {
	for _, kind := range Kinds() {
		for _, s := range []string{poison, strings.Repeat("A", 10_000), strings.Repeat("\u0301", 10_000), strings.Repeat("😀", 5_000), strings.Repeat("</script>", 2_000), "\xff\xfe", "http://evil.example", "{link}{support}", "\u2028\u2029", "\u202e\u202d\u2066"} {
			m, err := Write(kind, hostile(full(t, kind, "en"), s))
			if err != nil {
				t.Errorf("%s with %.20q: %v", kind, s, err)
				continue
			}
			check(t, m)
			for _, bad := range []string{"<script>alert", "<img src=x", "<!--"} {
				if strings.Contains(m.HTML, bad) {
					t.Errorf("%s: %q stands in the HTML", kind, bad)
				}
			}
			for _, bad := range []string{"http://evil", "evil.example"} {
				if strings.Contains(m.HTML+m.Text+m.SMS+m.Subject, bad) {
					t.Errorf("%s: %q got through", kind, bad)
				}
			}
		}
	}
}

func TestAnyContent(t *testing.T) {
	zones := []*time.Location{time.UTC, zone(t, "Asia/Kolkata"), zone(t, "America/Sao_Paulo"), time.FixedZone("", 14*3600)}
	rapid.Check(t, func(rt *rapid.T) {
		kind := rapid.SampledFrom(Kinds()).Draw(rt, "kind")
		c := full(t, kind, rapid.SampledFrom(append(languages, "", "xx", "\xff")).Draw(rt, "language"))
		c.Zone = rapid.SampledFrom(zones).Draw(rt, "zone")
		if rapid.Bool().Draw(rt, "hostile") {
			c = hostile(c, rapid.String().Draw(rt, "s")+rapid.SampledFrom([]string{"", poison}).Draw(rt, "poison"))
		}
		at := func(name string) time.Time {
			return time.Unix(rapid.Int64Range(0, 1<<35).Draw(rt, name), 0)
		}
		if rapid.Bool().Draw(rt, "times") {
			c.At, c.Until, c.Arrives = at("at"), at("until"), Window{at("from"), at("to")}
		}
		c.Remaining = rapid.IntRange(0, 5).Draw(rt, "remaining")
		c.Brand.Colour = rapid.StringMatching(`#[0-9a-fA-F]{6}`).Draw(rt, "colour")
		m, err := Write(kind, c)
		if err != nil {
			return // named; TestMissingFieldsAreNamed
		}
		check(rt, m)
		again, err := Write(kind, c)
		if err != nil || again.HTML != m.HTML || again.Text != m.Text || again.SMS != m.SMS {
			rt.Fatalf("the same content gave other words: %v", err)
		}
	})
}

func FuzzWrite(f *testing.F) {
	f.Add(uint8(0), poison, "de", int64(1764000000))
	f.Add(uint8(6), "{code}{{.}}", "pt-BR", int64(0))
	f.Fuzz(func(t *testing.T, kind uint8, s, language string, at int64) {
		k := Kinds()[int(kind)%len(Kinds())]
		c := hostile(full(t, k, language), s)
		c.At = time.Unix(at, 0)
		if m, err := Write(k, c); err == nil {
			check(t, m)
		}
	})
}

// Plurals: one parcel, several, and what is still to come.
func TestPlurals(t *testing.T) {
	for _, c := range []struct {
		tag             string
		parcels, remain int
		want            []string
	}{
		{"en", 1, 0, []string{"Your parcel is now with DHL."}},
		{"en", 2, 1, []string{"2 parcels are now with DHL.", "They should arrive", "One more parcel of this order is still to come."}},
		{"de", 3, 2, []string{"3 Pakete sind jetzt bei DHL.", "2 weitere Pakete dieser Bestellung kommen noch."}},
		{"es", 1, 1, []string{"Tu paquete ya está con DHL.", "Aún falta un paquete"}},
		{"pt-BR", 2, 3, []string{"2 pacotes já estão com DHL.", "Ainda faltam 3 pacotes"}},
	} {
		content := full(t, Shipped, c.tag)
		for len(content.Parcels) < c.parcels {
			content.Parcels = append(content.Parcels, content.Parcels[0])
		}
		content.Parcels, content.Remaining = content.Parcels[:c.parcels], c.remain
		m, err := Write(Shipped, content)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range c.want {
			if !strings.Contains(m.Text, want) || !strings.Contains(html.UnescapeString(m.HTML), want) {
				t.Errorf("%q is not in\n%s", want, m.Text)
			}
		}
	}
}

// A delay of which nobody knows the end promises no day.
func TestAnUnknownDelayPromisesNothing(t *testing.T) {
	for _, language := range languages {
		c := full(t, Delayed, language)
		c.Arrives, c.Reason = Window{}, UnknownReason
		m, err := Write(Delayed, c)
		if err != nil {
			t.Fatal(err)
		}
		check(t, m)
		sure, err := Write(Delayed, full(t, Delayed, language))
		if err != nil || sure.Subject == m.Subject || sure.SMS == m.SMS || m.Segments != 1 {
			t.Errorf("%v: %s / %s [%d]", err, m.Subject, m.SMS, m.Segments)
		}
		c.Overdue = true // then it is no longer a maybe
		late, err := Write(Delayed, c)
		if err != nil || late.Subject != sure.Subject || late.SMS == m.SMS || late.SMS == sure.SMS || late.Segments != 1 {
			t.Errorf("%v: %s / %s [%d]", err, late.Subject, late.SMS, late.Segments)
		}
	}
}

func TestReasonsOfBuckets(t *testing.T) {
	for bucket, want := range map[string]Reason{"": "unknown", "recipient_unavailable": "recipient_unavailable", "weather": "weather", "labor_civil": "weather", "customs_docs": "customs",
		"address": "address", "undeliverable": "address", "unclaimed": "refused", "payment": "payment", "<script>": "unknown"} {
		got := ReasonOf(bucket)
		if _, ok := lines["reason."+string(got)]; got != want || !ok {
			t.Errorf("%q: %s, want %s", bucket, got, want)
		}
	}
}

// The matrix of the policy names what can be written, and nothing else.
func TestPoliciesNameTheseKinds(t *testing.T) {
	var kinds []Kind
	for _, d := range order.MessageDefinitions {
		kinds = append(kinds, Kind(d.Kind))
	}
	if !slices.Equal(kinds, Kinds()) {
		t.Errorf("%v, but written are %v", kinds, Kinds())
	}
}

// Nothing is said to be complete of which a part was lost.
func TestPartlyDelivered(t *testing.T) {
	c := full(t, Delivered, "en")
	c.Partly = true
	m, err := Write(Delivered, c)
	if err != nil || strings.Contains(m.Text, "complete") || !strings.Contains(m.Text, "what became of the rest") {
		t.Errorf("%v\n%s", err, m.Text)
	}
}

// "Today" is never said of another day's hours.
func TestTodayIsToday(t *testing.T) {
	c := full(t, OutForDelivery, "en")
	c.Arrives.From, c.Arrives.To = c.Arrives.From.AddDate(0, 0, 1), c.Arrives.To.AddDate(0, 0, 1)
	m, err := Write(OutForDelivery, c)
	if err != nil || !strings.Contains(m.Text, "Expect the delivery today, Thursday 26 November.") || strings.Contains(m.SMS, "14:00") {
		t.Errorf("%v\n%s\n%s", err, m.Text, m.SMS)
	}
}

func TestListUnsubscribe(t *testing.T) {
	c := full(t, Shipped, "en")
	m, _ := Write(Shipped, c)
	if m.Headers["List-Unsubscribe"] != "<https://wb.example/u/7Hq2mX>" || m.Headers["List-Unsubscribe-Post"] != "List-Unsubscribe=One-Click" {
		t.Errorf("%v", m.Headers)
	}
	c.UnsubscribeURL = "http://localhost:8080/m/1" // in development
	if m, _ := Write(Shipped, c); len(m.Headers) != 0 || !strings.Contains(m.Text, "http://localhost:8080/m/1") {
		t.Errorf("%v", m.Headers)
	}
	c.UnsubscribeURL = ""
	if m, _ := Write(Shipped, c); len(m.Headers) != 0 || strings.Contains(m.Text, "unsubscribe") {
		t.Errorf("%v", m.Headers)
	}
}

// A long shop's name and a long link still fit, or say so in Segments.
func TestTextMessagesStaySmall(t *testing.T) {
	for _, kind := range Kinds() {
		for _, language := range languages {
			c := full(t, kind, language)
			c.Brand.Name, c.Order, c.URL = "Südwestfälische Leuchtenmanufaktur “Lumière” 💡", "2026-0001048200", "https://track.lumenlights.example/t/7Hq2mXk92LmQ"
			m, err := Write(kind, c)
			if err != nil {
				t.Fatal(err)
			}
			if n, gsm := messaging.Segments(m.SMS); n != m.Segments || !gsm || n > 2 {
				t.Errorf("%s in %s: %d segments, GSM-7 %v: %s", kind, language, n, gsm, m.SMS)
			}
		}
	}
	c := full(t, Shipped, "en")
	c.Brand.Name = "Лампы"
	if m, _ := Write(Shipped, c); m.Segments < 1 || !strings.Contains(m.SMS, "Лампы") {
		t.Errorf("%s", m.SMS)
	}
}

// TestGallery writes every mail as a file and a page that shows them all.
func TestGallery(t *testing.T) {
	if *gallery == "" {
		t.Skip("no -gallery directory given")
	}
	var index bytes.Buffer
	index.WriteString("<!DOCTYPE html><meta charset=utf-8><title>Messages</title><body style='font-family:sans-serif'>")
	for _, kind := range Kinds() {
		_, _ = fmt.Fprintf(&index, "<h2>%s</h2>", kind)
		for _, language := range languages {
			m, err := Write(kind, full(t, kind, language))
			if err != nil {
				t.Fatal(err)
			}
			name := fmt.Sprintf("%s.%s.html", kind, language)
			if err := os.WriteFile(filepath.Join(*gallery, name), []byte(m.HTML), 0o644); err != nil {
				t.Fatal(err)
			}
			_, _ = fmt.Fprintf(&index, "<p><b>%s</b> <a href=%q>%s</a><br><small>%s</small><br><code>%s</code> [%d]</p>", language, name, html.EscapeString(m.Subject), html.EscapeString(m.Preheader), html.EscapeString(m.SMS), m.Segments)
		}
	}
	if err := os.WriteFile(filepath.Join(*gallery, "index.html"), index.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A text message has room for one link: the form's where there is something to
// choose. A mail has both.
func TestTheLinkOfATextMessageIsTheFormOfWhatItOffers(t *testing.T) {
	for _, kind := range Kinds() {
		c := Sample(kind, "en")
		m, err := Write(kind, c)
		if err != nil {
			t.Fatal(err)
		}
		want := c.URL
		if len(c.Choices) > 0 {
			want = c.Choices[0].URL
		}
		if !strings.HasSuffix(m.SMS, want) && kind != Confirmation || !strings.Contains(m.Text, c.URL) {
			t.Errorf("%s: %s", kind, m.SMS)
		}
	}
}
