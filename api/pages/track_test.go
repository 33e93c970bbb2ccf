package pages

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

func page(t *testing.T, e *echo.Echo, fixture string) string {
	t.Helper()
	r := get(e, "/t/token-"+fixture)
	if r.Code != http.StatusOK {
		t.Fatalf("%s: status %d", fixture, r.Code)
	}
	return r.body
}

// current is the name of the step that the page marks, and how many are done.
func current(t *testing.T, body string) (name string, done int) {
	t.Helper()
	steps, _, ok := strings.Cut(body[strings.Index(body, `<ol class="steps`):], "</ol>")
	if !ok || strings.Count(steps, `aria-current="step"`) != 1 {
		t.Fatalf("want one current step in %s", steps)
	}
	m := regexp.MustCompile(`aria-current="step">.*?step-name">([^<]+)<`).FindStringSubmatch(steps)
	return m[1], strings.Count(steps, `class="s-done"`)
}

func TestProgress(t *testing.T) {
	e, _ := newServer(t)
	for _, c := range []struct {
		fixture, current, says string
		done                   int
	}{
		{"received", "Ordered", "has your order and will prepare it", 0},
		{"label-only", "Prepared", "UPS does not have your parcel yet", 1},
		{"handed-over", "Prepared", "has not scanned it yet", 1},
		{"in-transit", "Shipped", "Your parcel is travelling with UPS, last seen in Frankfurt am Main, DE.", 2},
		{"customs", "Shipped", "Customs is checking your parcel", 2},
		{"out-for-delivery", "Out for delivery", "It should reach you today", 3},
		{"attempt-failed", "Delivery tried", "tried to deliver your parcel today but could not hand it over", 3},
		{"ready-for-pickup", "Ready for pickup", "waiting for you at Kiosk am Markt, Marktplatz 3, Frankfurt am Main", 3},
		{"delivered", "Delivered", "Your parcel was delivered today at 10:30.", 5},
		{"returning", "On its way back", "on its way back to Acme Outfitters", 3},
		{"returned", "Returned", "back with Acme Outfitters", 5},
		{"lost", "Lost", "GLS cannot find your parcel", 3},
		{"cancelled", "Cancelled", "Nothing will be sent", 1},
		{"on-hold", "Ordered", "on hold before sending it", 0},
		{"corrected", "Shipped", "Corrected: On the way", 2},
	} {
		t.Run(c.fixture, func(t *testing.T) {
			body := page(t, e, c.fixture)
			has(t, body, c.says)
			if name, done := current(t, body); name != c.current || done != c.done {
				t.Errorf("current step %q after %d done; want %q after %d", name, done, c.current, c.done)
			}
		})
	}
}

func TestLabelIsNotShipped(t *testing.T) {
	e, _ := newServer(t)
	for _, f := range []string{"label-only", "handed-over"} {
		body := page(t, e, f)
		has(t, body, `<li class="s-todo"><svg class="i" aria-hidden="true" focusable="false"><use href="#i-todo"/></svg><span class="step-name">Shipped<span class="vh">: not yet`)
		lacks(t, body, "on the way", "has the parcel")
	}
}

func TestPromise(t *testing.T) {
	e, _ := newServer(t)
	for fixture, says := range map[string][]string{
		"received":         {"Arrives by", "Thursday 26 November"},
		"in-transit":       {"Expected", "Tomorrow, Saturday 21 November"},
		"out-for-delivery": {"Expected", "Today"},
		"late":             {"arrival late", "No new date yet", "It should have come by Thursday 19 November"},
		"late-new-date":    {"arrival late", "New date", "Sunday 22 November", "Later than promised: it should have come by Friday 20 November"},
		"delivered-late":   {"arrival late", "Promised by", "It came later than promised"},
		"on-hold":          {"The date may change while the order is on hold"},
	} {
		has(t, page(t, e, fixture), says...)
	}
	for _, f := range []string{"delivered", "lost", "cancelled", "returned", "ready-for-pickup"} {
		lacks(t, page(t, e, f), `class="arrival`)
	}
}

func TestSplitShipment(t *testing.T) {
	e, _ := newServer(t)
	body := page(t, e, "split-partly-delivered")
	has(t, body, "1 of 3 parcels delivered", "1 is out for delivery and 1 is being prepared.", "Parcel 1 of 3", "Parcel 3 of 3", "Gas stove with piezo lighter")
	if n := strings.Count(body, `<ol class="steps`); n != 3 {
		t.Errorf("%d progress bars, want one per parcel", n)
	}
	body = page(t, e, "partly-planned")
	has(t, body, "Partly shipped", "One parcel has left; the rest of your order is still being prepared.", "Not in a parcel yet")
	body = page(t, e, "200-parcels")
	has(t, body, "120 of 200 parcels delivered", "2 delivery attempted", "39 being prepared")
	if len(body) > 1<<20 {
		t.Errorf("200 parcels weigh %d bytes", len(body))
	}
}

func TestTimelineFolds(t *testing.T) {
	e, _ := newServer(t)
	body := page(t, e, "in-transit")
	has(t, body, "3 earlier updates</summary>", "Göttingen, DE", `Fri 20 Nov</span> <span class="c">11:30</span>`)
	if strings.Index(body, "Frankfurt am Main, DE</span></p>") > strings.Index(body, "Hannover, DE") {
		t.Error("the newest must come first")
	}
}

// What is ours alone must not reach a buyer: see also the words of the carrier,
// which name people and streets.
func TestNothingInternalLeaks(t *testing.T) {
	e, m := newServer(t)
	for _, f := range m.fixtures {
		lacks(t, page(t, e, f.Name), "STATION-7", "scanner", "usr-", "key-", "fraud", "smith", "meyer", "j. doe", "main street", "hauptstr", "anomal", "stalled", "not_picked",
			"missed_handoff", "escalat", "policy", "seq", "workflow", "temporal", "wrong door", "changed their mind", "in_transit", "X1<", "warehouse", "not home")
	}
}

func TestHostileTextIsInert(t *testing.T) {
	e, _ := newServer(t)
	body := page(t, e, "hostile-text")
	has(t, body, "&lt;script&gt;alert(1)")
	lacks(t, body, "<script>alert", "<img", "<h1>phish", "onmouseover='", "\u202e", "\x00", "\x1b")
	console := get(e, "/console/gallery/hostile-text?view=console", signedIn()).body
	has(t, console, "&lt;script&gt;alert(1)")
	lacks(t, console, "<script>alert", "<img", "<h1>phish", "onmouseover='", "\u202e", "\x00", "\x1b")
	for _, b := range []string{body, console} {
		if strings.Contains(b, "style=") || strings.Contains(b, "<style") || regexp.MustCompile(`<script[^>]*>[^<]`).MatchString(b) {
			t.Error("inline code or style, which the policy forbids")
		}
	}
}

func TestHeaders(t *testing.T) {
	e, _ := newServer(t)
	for _, path := range []string{"/t/token-in-transit", "/t/no-such-token", "/console/sign-in", "/console/orders"} {
		h := get(e, path).Header()
		for k, want := range map[string]string{
			"Content-Security-Policy": contentPolicy, "Referrer-Policy": "no-referrer", "Cache-Control": "private, no-store",
			"X-Robots-Tag": "noindex, nofollow", "X-Content-Type-Options": "nosniff",
		} {
			if got := h.Get(k); got != want {
				t.Errorf("%s: %s is %q", path, k, got)
			}
		}
	}
	for _, external := range []string{`src="http`, `src="//`, "@import", "url(http"} {
		lacks(t, page(t, e, "in-transit")+string(static["track.css"].body), external)
	}
}

func TestUnknownTokensLookAlike(t *testing.T) {
	e, m := newServer(t)
	want := get(e, "/t/AAAAAAAAAAAAAAAAAAAAAA")
	if want.Code != http.StatusNotFound {
		t.Fatalf("status %d", want.Code)
	}
	has(t, want.body, "No order here", "What you can do")
	for _, token := range []string{"x", "..%2F..%2Fetc", strings.Repeat("a", 500), "%3Cscript%3E", "token-in-transit%00"} {
		if r := get(e, "/t/"+token); r.Code != http.StatusNotFound || r.body != want.body {
			t.Errorf("%s: status %d, another page", token, r.Code)
		}
	}
	m.err = errDown
	if r := get(e, "/t/token-in-transit"); r.Code != http.StatusServiceUnavailable || strings.Contains(r.body, "refused") {
		t.Errorf("status %d: %s", r.Code, r.body)
	}
}

func TestTrackingPageCostsTwoReads(t *testing.T) {
	e, m := newServer(t)
	page(t, e, "delivered") // the store's colours are remembered
	m.reads = 0
	page(t, e, "in-transit")
	if m.reads != 2 {
		t.Errorf("%d reads, want the order and its timeline", m.reads)
	}
	m.reads = 0
	page(t, e, "in-transit")
	if m.reads != 1 {
		t.Errorf("%d reads, want to know that nothing is new", m.reads)
	}
}

func TestTrackingPageIsNeverOld(t *testing.T) {
	now := testNow
	m := newMemory(testNow)
	e := echo.New()
	Mount(e, Deps{Store: m, Links: testLinks, Now: func() time.Time { return now }, Secret: testSecret, VerifyKey: verify})
	first := page(t, e, "in-transit")
	if page(t, e, "in-transit") != first || page(t, e, "delivered") == first {
		t.Fatal("another page")
	}
	i := slices.IndexFunc(m.fixtures, func(f fixture) bool { return f.Name == "in-transit" })
	f := &m.fixtures[i]
	lacks(t, first, "Fulda, DE")
	scanned := f.Entries[len(f.Entries)-1]
	for _, old := range f.Entries {
		if old.Milestone == string(order.InTransit) {
			scanned = old
		}
	}
	scanned.At, scanned.Location = testNow.Add(-time.Minute), "Fulda, DE"
	f.Entries = append(slices.Clone(f.Entries), scanned)
	m.dark = true // a page without its story is not kept
	lacks(t, page(t, e, "in-transit"), "Fulda, DE")
	m.dark = false
	has(t, page(t, e, "in-transit"), "Fulda, DE", ">15:30<") // in the same second
	now = now.Add(2 * time.Minute)
	has(t, page(t, e, "in-transit"), "Fulda, DE", ">15:32<")
	m.row.Name = "Acme & Daughters"
	now = now.Add(brandTTL)
	has(t, page(t, e, "in-transit"), "Acme &amp; Daughters")
	m.err = errDown
	if r := get(e, "/t/token-in-transit"); r.Code != http.StatusServiceUnavailable {
		t.Error("what is kept must not be shown without asking")
	}
}

func TestDrawnPagesAreBounded(t *testing.T) {
	var d drawn
	for i := range 300 {
		d.put(strconv.Itoa(i), drawnPage{body: make([]byte, maxDrawnPage)})
		d.put("again", drawnPage{body: make([]byte, 1+i)})
	}
	d.put("huge", drawnPage{body: make([]byte, maxDrawnPage+1)})
	size := 0
	for _, p := range d.pages {
		size += len(p.body)
	}
	if _, huge := d.get("huge"); huge || size != d.size || size > maxDrawn || len(d.pages) < maxDrawn/maxDrawnPage-1 {
		t.Errorf("%d pages, %d bytes counted as %d", len(d.pages), size, d.size)
	}
}

func TestWhyAnAttemptFailed(t *testing.T) {
	at := testNow.Add(-2 * time.Hour)
	p := order.ParcelView{ID: "1", Milestone: order.AttemptFailed, Carrier: "ups", Since: at, Attempts: 1}
	entry := func(bucket string) store.Entry {
		return store.Entry{At: at, Kind: string(store.KindCarrierEvent), Parcel: "1", Milestone: string(order.AttemptFailed), Bucket: bucket}
	}
	for bucket, want := range map[string]string{
		"recipient_unavailable": "could not hand it over: nobody was there to receive it.", "refused": "sent back", "no_access": "to the door", "": "could not hand it over.", "news": "could not hand it over.",
		"address": "contact Acme soon",
	} {
		w := parcelWords(&p, "Acme", newLens(english, testNow, []store.Entry{entry("weather"), entry(bucket)}, time.Time{}))
		if !strings.Contains(w.Sentence+w.Next, want) || strings.ContainsAny(w.Sentence+w.Next, "{}") {
			t.Errorf("%s: %+v", bucket, w)
		}
	}
}

func TestBrand(t *testing.T) {
	e, m := newServer(t)
	has(t, page(t, e, "in-transit"), `href="/assets/brand/acme.css?v=0b5d4e"`, "mailto:help@acme.example?subject=Order%20A-10485", "https://acme.example/help")
	has(t, get(e, "/assets/brand/acme.css").body, "--brand:#0b5d4e")
	has(t, get(e, "/assets/brand/nobody.css").body, "--brand:"+defaultColour)
	if r := get(e, "/assets/brand/UP%22.css"); r.Code != http.StatusNotFound {
		t.Errorf("status %d", r.Code)
	}
	m.row.BrandColor, m.row.SupportURL, m.row.SupportEmail = "red;} body{display:none", "javascript:alert(1)", "a@b.c?bcc=x@y.z"
	b := newBrand("acme", m.row)
	if b.colour != defaultColour || b.URL != "" || b.Email != "" {
		t.Errorf("a merchant's text got through: %+v", b)
	}
	for _, c := range []string{"#ffff00", "#ffffff", "#000000", "#0b5d4e", "#ff2d55", "#777777", "#1f4f8f"} {
		css := palette(c)
		cs := regexp.MustCompile(`--([a-z-]+):(#[0-9a-f]{6})`).FindAllStringSubmatch(css, -1)
		at := map[string]rgb{}
		for i, m := range cs {
			if i < 4 {
				at[m[1]] = parseColour(m[2])
			} else {
				at["dark-"+m[1]] = parseColour(m[2])
			}
		}
		for pair, ratio := range map[string]float64{"text on the bar": contrast(at["brand"], at["on-brand"]), "accent, light": contrast(at["accent"], lightSide), "accent, dark": contrast(at["dark-accent"], darkSide),
			"on accent": contrast(at["accent"], at["on-accent"]), "on accent, dark": contrast(at["dark-accent"], at["dark-on-accent"])} {
			if ratio < 4.5 {
				t.Errorf("%s: %s has contrast %.1f", c, pair, ratio)
			}
		}
	}
}

func TestAssets(t *testing.T) {
	e, _ := newServer(t)
	for _, u := range regexp.MustCompile(`(?:href|src)="(/assets/[^"]+)"`).FindAllStringSubmatch(page(t, e, "in-transit")+get(e, "/console/sign-in").body, -1) {
		r := get(e, u[1])
		if r.Code != http.StatusOK || r.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: status %d", u[1], r.Code)
		}
	}
	if cc := get(e, "/assets/pages/track.css?v="+static["track.css"].hash).Header().Get("Cache-Control"); !strings.Contains(cc, "immutable") {
		t.Error(cc)
	}
	if r := get(e, "/assets/pages/..%2Fpages.go"); r.Code != http.StatusNotFound {
		t.Errorf("status %d", r.Code)
	}
}

// A claim that the order did not believe must not be told to the buyer.
func TestUnbelievedClaims(t *testing.T) {
	b := begin(testNow, 3*days, nil).shipped("1", 30*hour, "ups", "1Z999AA10123456784")
	f := b.end("x")
	f.Entries = append(f.Entries, store.Entry{At: testNow.Add(-time.Hour), Source: "carrier:ups", Kind: "carrier_event", Parcel: "1", Milestone: "delivered", Location: "Bonn"},
		store.Entry{At: testNow.Add(-200 * time.Hour), Source: "carrier:ups", Kind: "carrier_event", Parcel: "1", Milestone: "in_transit", Location: "Somebody else’s town"})
	p := trackPageOf(english, f.Order, f.Entries, newBrand("acme", store.StoreRow{}), testNow)
	for _, m := range append(p.Groups[0].Parcels[0].Moments, p.Groups[0].Parcels[0].Earlier...) {
		if m.Text == "Delivered" || strings.Contains(m.Place, "Somebody") {
			t.Errorf("told: %+v", m)
		}
	}
}

func TestAPartOfAParcel(t *testing.T) {
	b := begin(testNow, 3*days, nil).shipped("1", 30*hour, "dhl", "1000000017")
	deliver := func(piece string, ago time.Duration) {
		at := testNow.Add(-ago)
		order.Apply(&b.st, order.CarrierEvent{Meta: b.meta(at, order.CarrierSays), Parcel: "1", Milestone: order.Delivered, Physical: true, Tracking: "1000000017", Piece: piece, Pieces: 2})
		b.entries = append(b.entries, store.Entry{At: at, Source: "carrier:dhl", Kind: "carrier_event", Parcel: "1", Milestone: "delivered", Piece: piece, DeliveredTo: "person"})
	}
	story := func() (status string, told []string) {
		f := b.end("x")
		p := trackPageOf(english, f.Order, f.Entries, newBrand("acme", store.StoreRow{}), testNow)
		for _, m := range p.Groups[0].Parcels[0].Moments {
			told = append(told, m.Text)
		}
		return order.ViewOf(f.Order.State).Parcels[0].Title, told
	}
	deliver("JD01", 3*time.Hour)
	if status, told := story(); status != "1 of 2 pieces delivered" || told[0] != status || slices.Contains(told, "Delivered") || slices.Contains(told, "One piece delivered") {
		t.Errorf("%s: %q", status, told)
	}
	b.st.Told = nil
	deliver("JD02", 2*time.Hour)
	if status, told := story(); status != "Delivered" || told[0] != "One piece delivered" {
		t.Errorf("%s: %q", status, told)
	}
}

func TestWhoTookIt(t *testing.T) {
	at := testNow.Add(-time.Hour)
	p := order.ParcelView{ID: "1", Milestone: order.Delivered, Reached: []order.Reached{{Milestone: order.Delivered, At: at}}}
	for _, to := range carriers.DeliveryKinds {
		e := store.Entry{At: at, Kind: "carrier_event", Parcel: "1", Milestone: "delivered", DeliveredTo: string(to)}
		ms := moments(&p, at.Add(-time.Hour), []store.Entry{e}, newLens(english, testNow, nil, time.Time{}))
		if ms[0].Text == "Delivered" || !strings.HasPrefix(ms[0].Text, "Delivered") {
			t.Errorf("%s: %q", to, ms[0].Text)
		}
		if row := entryOf(e, testNow); !strings.Contains(row.What, string(to)) {
			t.Errorf("%s: %q", to, row.What)
		}
	}
}

func TestOrderThatHasNotStarted(t *testing.T) {
	f := begin(testNow, time.Hour, nil).end("x")
	f.Order.State = nil
	p := trackPageOf(english, f.Order, nil, newBrand("acme", store.StoreRow{Name: "Acme"}), testNow)
	if p.Words.Status != "Order received" || len(p.Groups) != 1 {
		t.Errorf("%+v", p)
	}
}

func TestTown(t *testing.T) {
	for in, want := range map[string]string{
		"Louisville, KY, US": "Louisville, KY, US", "12 Main St, Louisville, KY 40202, US": "Louisville, KY, US", "Hauptstr. 5, Köln": "Köln",
		"80331 München, DE": "DE", "": "", "  Bonn \u202e ": "Bonn",
	} {
		if got := town(in); got != want {
			t.Errorf("town(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"a\x00b\x1b[31m": "ab[31m", "  two \n\t words ": "two words", "ok\u202eevil\u2066": "okevil", "\xff\xfeab": "ab", "خيمة": "خيمة", "12345678901": "1234567890…",
	} {
		if got := clean(in, 10); got != want {
			t.Errorf("clean(%q) = %q, want %q", in, got, want)
		}
	}
}

// A promise made for an evening in New York is that day, not the next in UTC.
func TestDayIsWhereItWasMeant(t *testing.T) {
	ny := time.FixedZone("-05:00", -5*3600)
	evening := time.Date(2026, 11, 24, 23, 59, 0, 0, ny)
	if got := newLens(english, testNow, nil, evening).day(evening); got != "Tuesday 24 November" {
		t.Error(got)
	}
	l := newLens(english, testNow, []store.Entry{{UTCOffset: "-05:00"}, {}}, time.Time{})
	if got := l.day(evening.UTC()); got != "Tuesday 24 November" {
		t.Error(got)
	}
	for offset, ok := range map[string]bool{"+01:00": true, "-0530": true, "Z": true, "+05": true, "": false, "CET": false, "+1": false} {
		if _, got := zone(offset); got != ok {
			t.Errorf("zone(%q)", offset)
		}
	}
}

// Every milestone has words of its own.
func TestWordsForEveryMilestone(t *testing.T) {
	l := lens{t: english, now: testNow, home: time.UTC}
	for _, d := range order.Definitions {
		p := order.ParcelView{Milestone: d.Milestone, Since: testNow}
		if w := parcelWords(&p, "Acme", l); w.Status == "" || w.Sentence == "" {
			t.Errorf("%s has no words", d.Milestone)
		}
		if momentText(d.Milestone, l.about("", ""), l) == "" && d.Milestone != order.Picked {
			t.Errorf("%s has no line for the timeline", d.Milestone)
		}
		progress(&p, testNow, false, l)
	}
}

func BenchmarkTrackingPage(b *testing.B) {
	m := newMemory(testNow)
	e := echo.New()
	Mount(e, Deps{Store: m, Links: testLinks, Now: func() time.Time { return testNow }, Secret: testSecret})
	b.ReportAllocs()
	for b.Loop() {
		if get(e, "/t/token-in-transit").Code != http.StatusOK {
			b.Fatal("no page")
		}
	}
}
