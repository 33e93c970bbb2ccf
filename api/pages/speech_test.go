package pages

import (
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/labstack/echo/v4"
	"golang.org/x/net/html"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/speech"
	"github.com/waybillhq/waybill/internal/speech/speechtest"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

var update = flag.Bool("update", false, "write the golden files")

func in(e *echo.Echo, path, accept string) reply {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("Accept-Language", accept)
	return do(e, r)
}

func TestLinesAreComplete(t *testing.T) {
	for key, wordings := range lines {
		if len(wordings) == 0 {
			t.Errorf("%s says nothing", key)
		}
		for i, l := range wordings {
			speechtest.Complete(t, fmt.Sprintf("%s, %d", key, i), l)
			if english.Pick(l) == "" {
				t.Errorf("%s, %d says nothing", key, i)
			}
		}
	}
}

// What code and templates say by name is there.
func TestWhatIsSaidIsThere(t *testing.T) {
	said := regexp.MustCompile(`(?:\bsay\(|\bsay\(t, |\{\{say )"([a-z_.]+)"[,) }]`)
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, name := range append(names, "templates/track.html", "templates/parts.html", "templates/wishes.html", "templates/buyer.html") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range said.FindAllStringSubmatch(string(text), -1) {
			if found++; lines[m[1]] == nil {
				t.Errorf("%s says %q, which no table has", name, m[1])
			}
		}
	}
	if found < 80 {
		t.Errorf("%d keys found", found)
	}
	for _, tongue := range speech.Tongues() {
		there := func(keys ...string) {
			for _, key := range keys {
				if lines[key] == nil {
					t.Errorf("there is no line %s", key)
				}
			}
		}
		for _, d := range order.Definitions {
			there(string(d.Milestone)+".status", string(d.Milestone)+".sentence")
		}
		for _, d := range order.ReturnDefinitions {
			key := "return." + string(d.State)
			there(key+".status", key+".sentence", key+".next")
			if title := say(english, key+".status", nil); title != d.Title {
				t.Errorf("%s is called %q, but its table has %q", key, title, d.Title)
			}
		}
		for _, ph := range phases {
			there("group." + ph.key)
		}
		for _, to := range carriers.DeliveryKinds {
			there("story.to." + string(to))
		}
		for _, o := range append(frequencyOptions, channelOptions...) {
			there(o.label)
		}
		for key := range lines {
			if bucket, ok := strings.CutPrefix(key, "why."); ok {
				there("do." + bucket)
			}
		}
		if spoken[tongue] == nil {
			t.Errorf("no templates in %s", tongue.Tag())
		}
	}
}

// text is what a page says: its texts, and its labels for those who do not see it.
func text(t *testing.T, body string) (said []string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.ElementNode {
			for _, a := range n.Attr {
				if a.Key == "aria-label" || a.Key == "title" || a.Key == "alt" || a.Key == "placeholder" {
					said = append(said, a.Val)
				}
				if a.Key == "class" && a.Val == "tongues" {
					return // each in its own language
				}
			}
		}
		if s := strings.Join(strings.Fields(n.Data), " "); n.Type == html.TextNode && s != "" && s != "." {
			said = append(said, s)
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(root)
	return said
}

// buyerPages are all states of the buyers' pages in one language.
func buyerPages(t *testing.T, tongue *speech.Tongue, visit func(name, body string)) {
	t.Helper()
	e, m := newServer(t)
	lang := "?lang=" + tongue.Tag()
	for _, f := range m.fixtures {
		r := get(e, "/t/token-"+f.Name+lang)
		if r.Code != http.StatusOK {
			t.Fatalf("%s: status %d", f.Name, r.Code)
		}
		visit(f.Name, r.body)
	}
	id := m.fixtures[0].Order.Spec.ID
	visit("wishes", get(e, wishesPath(id)+lang).body)
	visit("wishes-saved", get(e, wishesPath(id)+lang+"&saved=1").body)
	m.erased = map[string]bool{id: true}
	visit("wishes-erased", get(e, wishesPath(id)+lang).body)
	visit("no-order", get(e, "/t/nobodys-token"+lang).body)
	m.err = errDown
	visit("unavailable", get(e, "/t/token-received"+lang).body)
}

// notOurs are states of which most words come from outside.
var notOurs = map[string]bool{"hostile-text": true, "long-names": true, "rtl": true}

// fragments of a language's lines: what stands between their words.
func fragments(tongue *speech.Tongue) (list []string) {
	word := regexp.MustCompile(`\{\??[a-z0-9_]+\}`)
	for _, wordings := range lines {
		for _, l := range wordings {
			for _, part := range word.Split(tongue.Pick(l), -1) {
				part = strings.TrimFunc(part, func(r rune) bool { return !unicode.IsLetter(r) })
				if len(part) > 3 {
					list = append(list, part)
				}
			}
		}
	}
	days := make([]string, 0, 7)
	for _, f := range strings.Fields("Sunday Monday Tuesday Wednesday Thursday Friday Saturday January February October December") {
		if tongue == english {
			days = append(days, f)
		}
	}
	return append(list, days...)
}

// Nothing of a page is left in English, and every word is filled in.
func TestEveryStateInEveryLanguage(t *testing.T) {
	foreign := fragments(english)
	for _, tongue := range speech.Tongues() {
		own := strings.Join(fragments(tongue), "\n")
		var left []string
		for _, f := range foreign {
			if tongue != english && !strings.Contains(own, f) {
				left = append(left, regexp.QuoteMeta(f))
			}
		}
		leftover := regexp.MustCompile(`(?:^|[^\pL])(` + strings.Join(append(left, "never said"), "|") + `)(?:[^\pL]|$)`)
		seen := map[string]bool{}
		buyerPages(t, tongue, func(name, body string) {
			if !strings.Contains(body, `<html lang="`+tongue.Tag()+`">`) || strings.Contains(body, "%!") {
				t.Errorf("%s in %s: no language, or badly formatted", name, tongue.Tag())
			}
			if strings.Count(body, `hreflang="`) != len(speech.Tongues())-1 {
				t.Errorf("%s in %s: no way to the other languages", name, tongue.Tag())
			}
			for _, s := range text(t, body) {
				if seen[s] {
					continue
				}
				seen[s] = true
				if words := speech.Unfilled(s); len(words) > 0 {
					t.Errorf("%s in %s: %v not filled in: %s", name, tongue.Tag(), words, s)
				}
				if m := leftover.FindStringSubmatch(s); m != nil && !notOurs[name] {
					t.Errorf("%s in %s: %q is English: %s", name, tongue.Tag(), m[1], s)
				}
			}
		})
	}
}

// The words of every state, each once whatever its numbers: a diff shows which word
// has changed.
func TestGoldenWords(t *testing.T) {
	number := regexp.MustCompile(`\d+`)
	for _, tongue := range speech.Tongues() {
		var b strings.Builder
		seen := map[string]bool{}
		buyerPages(t, tongue, func(name, body string) {
			if notOurs[name] {
				return
			}
			_, _ = fmt.Fprintf(&b, "== %s\n", name)
			for _, s := range text(t, body) {
				if kind := number.ReplaceAllString(s, "0"); !seen[kind] && strings.ContainsFunc(s, unicode.IsLetter) {
					seen[kind] = true
					b.WriteString(s + "\n")
				}
			}
		})
		file := filepath.Join("testdata", "golden", "words."+tongue.Tag()+".txt")
		if *update {
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		was := strings.Split(string(want), "\n")
		for i, line := range strings.Split(b.String(), "\n") {
			if i >= len(was) || line != was[i] {
				t.Errorf("%s, line %d (-update writes it): %s", file, i+1, line)
				break
			}
		}
	}
}

// The browser's language if it is one of ours, else the order's, else English; the
// links at the foot go before both.
func TestLanguageOfAPage(t *testing.T) {
	e, m := newServer(t)
	for i := range m.fixtures {
		if m.fixtures[i].Name == "delivered" {
			fixtures := append([]fixture(nil), m.fixtures...)
			fixtures[i].Order.Language = "es-MX"
			m.fixtures = fixtures
		}
	}
	said := map[string]string{"en": "Delivered", "de": "Zugestellt", "es": "Entregado", "pt-BR": "Entregue"}
	for _, c := range []struct{ accept, query, want string }{
		{"de-AT,de;q=0.9,en;q=0.8", "", "de"}, {"", "", "es"}, {"fr,ja;q=0.5", "", "es"}, {"en", "", "en"}, {"fr,pt;q=0.4", "", "pt-BR"},
		{"de", "?lang=pt-BR", "pt-BR"}, {"de", "?lang=fr", "de"}, {"", "?lang=%3Cscript%3E", "es"}, {strings.Repeat("x", 9000), "", "es"},
	} {
		for range 2 { // drawn, and drawn before
			r := in(e, "/t/token-delivered"+c.query, c.accept)
			if r.Header().Get("Content-Language") != c.want || r.Header().Get("Vary") != "Accept-Language" {
				t.Errorf("%.20q %s: %q, want %s; varies by %q", c.accept, c.query, r.Header().Get("Content-Language"), c.want, r.Header().Get("Vary"))
			}
			has(t, r.body, `<html lang="`+c.want+`">`, "<span>"+said[c.want]+"</span></h1>", `aria-current="true">`+speech.Of(c.want).Name()+`<`)
		}
	}
	// Who has no order's language gets English, also where there is no order.
	for _, path := range []string{"/t/token-received", "/t/nobodys-token"} {
		if r := in(e, path, "fr"); r.Header().Get("Content-Language") != "en" {
			t.Errorf("%s in %q", path, r.Header().Get("Content-Language"))
		}
		if r := in(e, path, "de"); r.Header().Get("Content-Language") != "de" {
			t.Errorf("%s in %q", path, r.Header().Get("Content-Language"))
		}
	}
}

func TestLanguageOfWishes(t *testing.T) {
	e, m := newServer(t)
	id := m.fixtures[0].Order.Spec.ID
	ask := func(accept, query string) string {
		t.Helper()
		r := in(e, wishesPath(id)+query, accept)
		if r.Code != http.StatusOK {
			t.Fatal(r.Code)
		}
		return r.Header().Get("Content-Language")
	}
	m.contact = store.Contact{Language: "de"}
	if got := ask("fr", ""); got != "de" {
		t.Errorf("the order's: %s", got)
	}
	if got := ask("es", ""); got != "es" {
		t.Errorf("the browser's: %s", got)
	}
	m.wishes = map[string]store.Wishes{id: {Language: "pt-BR"}}
	if got := ask("es", ""); got != "pt-BR" {
		t.Errorf("what was wished: %s", got)
	}
	if got := ask("es", "?lang=en"); got != "en" {
		t.Errorf("what was just chosen: %s", got)
	}
	if got := ask("es", "?lang=nonsense"); got != "pt-BR" {
		t.Errorf("not ours: %s", got)
	}
	// A choice of the language by link outlives saving, unless another is wished.
	form := map[string][]string{"frequency": {"all"}, "channel": {""}, "language": {""}}
	if r := do(e, post(wishesPath(id)+"?lang=es", form)); !strings.HasSuffix(r.Header().Get("Location"), "?saved=1&lang=es") {
		t.Error(r.Header().Get("Location"))
	}
	form["language"] = []string{"de"}
	if r := do(e, post(wishesPath(id)+"?lang=es", form)); !strings.HasSuffix(r.Header().Get("Location"), "?saved=1") {
		t.Error(r.Header().Get("Location"))
	}
	has(t, in(e, wishesPath(id)+"?lang=es", "").body, `action="`+wishesPath(id)+`?lang=es"`)
}

// One and several are said as each language says them.
func TestCounts(t *testing.T) {
	for _, c := range []struct{ lang, key, one, several string }{
		{"en", "are.prep", "1 is being prepared", "3 are being prepared"}, {"de", "are.prep", "1 wird vorbereitet", "3 werden vorbereitet"},
		{"es", "group.done", "entregado", "entregados"}, {"pt-BR", "group.out", "saiu para entrega", "saíram para entrega"}, {"de", "group.done", "zugestellt", "zugestellt"},
		{"pt-BR", "order.partly_sentence", "Um pacote já saiu; o restante do seu pedido ainda está sendo preparado.", "3 pacotes já saíram; o restante do seu pedido ainda está sendo preparado."},
	} {
		tongue := speech.Of(c.lang)
		if one, several := say(tongue, c.key, number(1)), say(tongue, c.key, number(3)); one != c.one || several != c.several {
			t.Errorf("%s in %s: %q, %q", c.key, c.lang, one, several)
		}
	}
}

// A carrier without a name bends as its place in the sentence asks.
func TestACarrierWithoutAName(t *testing.T) {
	for lang, want := range map[string][3]string{
		"en":    {"Your parcel is packed and waits for the carrier.", "The carrier has your parcel.", "Your parcel is travelling with the carrier."},
		"de":    {"Ihr Paket ist verpackt und wartet auf den Paketdienst.", "Der Paketdienst hat Ihr Paket.", "Ihr Paket ist mit dem Paketdienst unterwegs."},
		"es":    {"Tu paquete está embalado y espera a que lo recoja la empresa de reparto.", "La empresa de reparto tiene tu paquete.", "Tu paquete está en camino con la empresa de reparto."},
		"pt-BR": {"Seu pacote está embalado e aguarda a transportadora.", "A transportadora está com seu pacote.", "Seu pacote está a caminho com a transportadora."},
	} {
		l := lens{t: speech.Of(lang), now: testNow, home: testNow.Location()}
		for i, m := range []order.Milestone{order.Packed, order.Accepted, order.InTransit} {
			if w := parcelWords(&order.ParcelView{Milestone: m, Since: testNow}, "Acme", l); w.Sentence != want[i] {
				t.Errorf("%s, %s: %q", lang, m, w.Sentence)
			}
		}
	}
}

func BenchmarkDraw(b *testing.B) {
	m := made()
	shop := newBrand("acme", m.row)
	for _, name := range []string{"in-transit", "200-parcels"} {
		for _, tongue := range speech.Tongues() {
			b.Run(name+"/"+tongue.Tag(), func(b *testing.B) {
				for i := range m.fixtures {
					if f := &m.fixtures[i]; f.Name == name {
						b.ReportAllocs()
						for b.Loop() {
							var page strings.Builder
							if err := spoken[tongue].ExecuteTemplate(&page, "track", trackPageOf(tongue, f.Order, f.Entries, shop, testNow)); err != nil {
								b.Fatal(err)
							}
						}
					}
				}
			})
		}
	}
}
