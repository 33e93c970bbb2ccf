package pages

import (
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/waybillhq/waybill/internal/links"
	"github.com/waybillhq/waybill/internal/speech"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
	"github.com/waybillhq/waybill/workflows"
)

// home is where a buyer acts on orders in every state.
type home struct {
	*testing.T
	*memory
	e *echo.Echo
}

func newHome(t *testing.T) *home {
	t.Helper()
	h := &home{T: t, memory: &memory{now: testNow, row: made().row, addresses: map[string][]store.Address{}}, e: echo.New()}
	for _, x := range buyerStates(testNow) {
		id := "acme:" + x.Name
		x.Order.Spec.ID, x.Order.State.Spec.ID = id, id
		h.fixtures = append(h.fixtures, x.fixture)
		h.addresses[id] = []store.Address{{Name: "Ann Lee", Street: "Secret Street 7", City: "Frankfurt am Main", PostalCode: "60311", Region: "HE", Country: "DE"}}
		if v := x.Order.State.AddressVersion; v > 0 {
			h.addresses[id] = append(h.addresses[id], h.addresses[id][0])
		}
	}
	Mount(h.e, Deps{Store: h.memory, Links: testLinks, Now: func() time.Time { return h.now }, Secret: testSecret, Desk: h.desk(func() time.Time { return h.now })})
	return h
}

func idOf(name string) string { return "acme:buyer-" + name }

// at is the path of a form of an order's buyer.
func (h *home) at(name, form string) string {
	p := strings.TrimPrefix(testLinks.Buyer(idOf(name), h.link), testLinks.PublicURL)
	if form != "" {
		p += "/" + form
	}
	return p
}

// fields of the form on a page; the n-th.
func (h *home) fields(body string, n int, more ...string) url.Values {
	h.Helper()
	parts := strings.Split(body, `<form class="card ask"`)
	if len(parts) <= n+1 {
		h.Fatalf("the page has %d forms", len(parts)-1)
	}
	part, _, _ := strings.Cut(parts[n+1], "</form>")
	v := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(part, -1) {
		v.Add(m[1], html.UnescapeString(m[2]))
	}
	for i := 0; i+1 < len(more); i += 2 {
		v.Add(more[i], more[i+1])
	}
	return v
}

func (h *home) state(name string) *order.State {
	o, err := h.Order(h.Context(), idOf(name))
	if err != nil {
		h.Fatal(err)
	}
	return o.State
}

func TestABuyersFormsActOnceAndThePageSaysWhatFollows(t *testing.T) {
	for _, c := range []struct {
		name, form string
		fields     []string
		after      []string // of the page then
		is         func(*order.State) bool
	}{
		{"missing", links.Missing, nil, []string{"We are looking for your parcel", "You hear from Acme Outfitters by", "/found"}, func(s *order.State) bool {
			return slices.ContainsFunc(s.Cases, func(c order.Case) bool { return c.Kind == order.NotReceived })
		}},
		{"found", links.Found, nil, []string{"Good that it is here"}, func(s *order.State) bool {
			return !slices.ContainsFunc(s.Cases, func(c order.Case) bool { return c.Kind == order.NotReceived })
		}},
		{"another-day", links.AnotherDay, []string{"choice", "2026-11-24"}, []string{"Your wish is on its way", "on Tuesday 24 November", "It is not agreed yet"}, func(s *order.State) bool {
			return len(s.Instructions) == 1 && s.Instructions[0].Kind == order.Redeliver && s.Instructions[0].Day.Format("2006-01-02") == "2026-11-24"
		}},
		{"another-day-unchosen", links.AnotherDay, []string{"choice", "hold"}, []string{"keep your parcel at a pickup point"}, func(s *order.State) bool {
			return len(s.Instructions) == 1 && s.Instructions[0].Kind == order.HoldAtLocation && s.Instructions[0].Point == ""
		}},
		{"address", links.Address, []string{"street", " 5  New\tStreet ", "city", "Hanau", "postal_code", "63450"}, []string{"We have your address", "checks it and arranges"}, func(s *order.State) bool {
			return s.AddressVersion == 1 && len(s.Instructions) == 0
		}},
		{"address-valuable", links.Address, nil, []string{"knows that the address is wrong"}, func(s *order.State) bool {
			return s.AddressVersion == 0 && s.Cases[0].Notes[0].Text == order.WrongAddress
		}},
		{"return", links.Return, []string{"quantity", "1", "why", "defective", "wanted", "replacement", "quantity", "0", "why", "other", "wanted", "refund"}, []string{"Return requested", "Thank you. We have it."}, func(s *order.State) bool {
			return len(s.Returns) == 1 && s.Returns[0].RequestedBy == "buyer" && len(s.Returns[0].Lines) == 1 && s.Returns[0].Lines[0].Wanted == order.ReplacementRemedy
		}},
	} {
		h := newHome(t)
		path := h.at(c.name, c.form)
		v := h.fields(get(h.e, path).body, 0, c.fields...)
		for range 2 { // as impatient people send it
			r := do(h.e, post(path, v))
			if r.Code != http.StatusSeeOther || r.Header().Get("Location") != path+"?did=1" {
				t.Fatalf("%s: status %d to %q", c.name, r.Code, r.Header().Get("Location"))
			}
		}
		if st := h.state(c.name); !c.is(st) {
			t.Errorf("%s: cases %+v, instructions %+v, returns %+v, address %d", c.name, st.Cases, st.Instructions, st.Returns, st.AddressVersion)
		}
		if len(h.audits) != 1 || h.audits[0].Actor != "buyer" || h.audits[0].Role != "buyer" || h.audits[0].Outcome != "done" || h.audits[0].OrderID != idOf(c.name) {
			t.Errorf("%s: audits %+v", c.name, h.audits)
		}
		has(t, get(h.e, path+"?did=1").body, c.after...)
	}
}

func TestAnAddressStaysInItsCountryAndIsNotShown(t *testing.T) {
	h := newHome(t)
	path := h.at("address", links.Address)
	page := get(h.e, path).body
	has(t, page, "60••• F•••", "Germany")
	lacks(t, page, "Secret Street", "60311", "Frankfurt am Main</", "Ann Lee")
	v := h.fields(page, 0, "street", "1 Kremlin", "city", "Moscow", "postal_code", "101000", "country", "RU")
	if r := do(h.e, post(path, v)); r.Code != http.StatusSeeOther {
		t.Fatal(r.Code)
	}
	got := h.addresses[idOf("address")]
	if want := (store.Address{Name: "Ann Lee", Street: "1 Kremlin", City: "Moscow", PostalCode: "101000", Country: "DE"}); len(got) != 2 || got[1] != want {
		t.Errorf("addresses %+v", got)
	}
	if h.audits[0].Detail == "" || strings.Contains(string(h.audits[0].Request)+h.audits[0].Detail, "Kremlin") {
		t.Errorf("the audit knows the address: %s %s", h.audits[0].Request, h.audits[0].Detail)
	}
}

// A form of the world as it was does nothing, and the page says how it is.
func TestStaleFormsDoNothing(t *testing.T) {
	h := newHome(t)
	path := h.at("another-day", links.AnotherDay)
	v := h.fields(get(h.e, path).body, 0, "choice", "hold")
	st := h.state("another-day")
	order.Apply(st, order.CarrierEvent{Meta: order.Meta{By: order.CarrierSays, Occurred: h.now, Applied: h.now}, Parcel: "1", Milestone: order.Delivered, Physical: true})
	r := do(h.e, post(path, v))
	if r.Code != http.StatusConflict || len(h.audits) != 0 {
		t.Errorf("status %d, %d audits", r.Code, len(h.audits))
	}
	has(t, r.body, "Something has changed since you opened this page. Nothing was done.", "There is nothing to choose now")

	// Two more attempts have failed: the day may not suit any more.
	path = h.at("another-day-unchosen", links.AnotherDay)
	v = h.fields(get(h.e, path).body, 0, "choice", "hold")
	st = h.state("another-day-unchosen")
	order.Apply(st, order.CarrierEvent{Meta: order.Meta{By: order.CarrierSays, Occurred: h.now, Applied: h.now}, Parcel: "1", Milestone: order.AttemptFailed, Physical: true})
	if r := do(h.e, post(path, v)); r.Code != http.StatusConflict || len(st.Instructions) != 0 {
		t.Errorf("status %d, instructions %v", r.Code, st.Instructions)
	}
}

func TestWhatTheOrderRefusesIsSaidInTheBuyersWords(t *testing.T) {
	h := newHome(t)
	path := h.at("missing", links.Missing)
	v := h.fields(get(h.e, path).body, 0)
	h.away = &order.Refusal{Field: "by", Reason: "internal words of the rules"}
	r := do(h.e, post(path, v))
	if r.Code != http.StatusConflict {
		t.Errorf("status %d", r.Code)
	}
	has(t, r.body, "This is not possible. Nothing was done. Please contact Acme Outfitters.")
	lacks(t, r.body, "internal words")
	if a := h.audits[0]; a.Outcome != "refused" || !strings.Contains(a.Detail, "internal words") {
		t.Errorf("audit %+v", a)
	}
	// What was refused once is not tried again under the same name.
	h.away = nil
	if r := do(h.e, post(path, v)); r.Code != http.StatusConflict || len(h.state("missing").Cases) != 0 {
		t.Errorf("status %d", r.Code)
	}
}

func TestAnAnswerThatGotLostIsAskedForAgainUnderTheSameName(t *testing.T) {
	h := newHome(t)
	path := h.at("missing", links.Missing)
	v := h.fields(get(h.e, path).body, 0)
	h.away = workflows.ErrUnavailable
	r := do(h.e, post(path, v))
	if r.Code != http.StatusServiceUnavailable {
		t.Fatal(r.Code)
	}
	has(t, r.body, "it is done only once")
	again := h.fields(r.body, 0)
	if again.Get("id") != v.Get("id") {
		t.Error("the form has another name")
	}
	h.away = nil
	if r := do(h.e, post(path, again)); r.Code != http.StatusSeeOther || len(h.audits) != 1 && h.audits[0].ID != h.audits[1].ID {
		t.Errorf("status %d, audits %+v", r.Code, h.audits)
	}
}

func TestOnlyTheOwnLinkOpensTheBuyersPage(t *testing.T) {
	h := newHome(t)
	id := idOf("missing")
	other := strings.TrimPrefix(testLinks.Buyer(idOf("found"), 0), testLinks.PublicURL+"/b/"+idOf("found")+"/")
	tracking := testLinks.Token(id)
	wishes := testLinks.Preferences(id)
	wishes = wishes[strings.LastIndexByte(wishes, '/')+1:]
	for _, token := range []string{other, tracking, wishes, "", "x", strings.Repeat("A", 27), strings.Repeat("A", 10_000)} {
		path := "/b/" + id + "/" + url.PathEscape(token)
		for _, form := range append([]string{"", "photo/1", "label/R1"}, buyerForms...) {
			if r := get(h.e, path+"/"+form); r.Code != http.StatusNotFound {
				t.Errorf("GET %s: %d", form, r.Code)
			}
		}
		if r := do(h.e, post(path+"/"+links.Missing, url.Values{"of": {"1"}})); r.Code != http.StatusNotFound {
			t.Errorf("POST: %d", r.Code)
		}
	}
	if h.reads != 0 || len(h.audits) != 0 {
		t.Errorf("%d reads, %d audits for strangers", h.reads, len(h.audits))
	}
	// A link that was ended is a stranger's, in each of its forms; the next one works.
	ended := h.at("missing", links.Missing)
	v := h.fields(get(h.e, ended).body, 0)
	h.link = 1
	for _, r := range []reply{get(h.e, ended), do(h.e, post(ended, v)), get(h.e, strings.TrimSuffix(ended, "/"+links.Missing))} {
		if r.Code != http.StatusNotFound {
			t.Errorf("by an ended link: %d", r.Code)
		}
	}
	if len(h.state("missing").Cases) != 0 || len(h.audits) != 0 {
		t.Error("done by an ended link")
	}
	if r := get(h.e, h.at("missing", links.Missing)); r.Code != http.StatusOK {
		t.Errorf("by the new link: %d", r.Code)
	}
	h.link = 0
	if r := get(h.e, h.at("missing", "no-such-form")); r.Code != http.StatusNotFound {
		t.Error(r.Code)
	}
	if r := do(h.e, post(h.at("missing", "proof"), url.Values{})); r.Code != http.StatusConflict {
		t.Error(r.Code)
	}
}

// The tracking page is shared: it neither leads here nor takes anything.
func TestTheTrackingPageDoesNotAct(t *testing.T) {
	e, m := newServer(t)
	for _, f := range m.fixtures {
		lacks(t, get(e, "/t/token-"+f.Name).body, "/b/", "<form", "<button")
	}
	if r := do(e, post("/t/token-delivered", url.Values{})); r.Code != http.StatusMethodNotAllowed {
		t.Error(r.Code)
	}
}

func TestLookingChangesNothing(t *testing.T) {
	h := newHome(t)
	for _, x := range buyerStates(testNow) {
		before := h.seq(x.Name)
		for _, form := range append([]string{""}, buyerForms...) {
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				r, _ := http.NewRequest(method, h.at(strings.TrimPrefix(x.Name, "buyer-"), form)+"?did=1&choice=hold", nil)
				w := do(h.e, r)
				if w.Code != http.StatusOK {
					t.Errorf("%s %s/%s: %d", method, x.Name, form, w.Code)
				}
				if csp := w.Header().Get("Content-Security-Policy"); csp != contentPolicy || w.Header().Get("Cache-Control") != "private, no-store" || w.Header().Get("X-Robots-Tag") == "" {
					t.Errorf("headers %v", w.Header())
				}
			}
		}
		if after := h.seq(x.Name); after != before {
			t.Errorf("%s: seq %d, was %d", x.Name, after, before)
		}
	}
	if len(h.audits) != 0 {
		t.Errorf("audits %+v", h.audits)
	}
}

func (h *home) seq(name string) int64 { return h.state(strings.TrimPrefix(name, "buyer-")).Seq }

func TestFormsFromOtherPagesAreRefused(t *testing.T) {
	h := newHome(t)
	path := h.at("missing", links.Missing)
	v := h.fields(get(h.e, path).body, 0)
	for name, headers := range map[string][2]string{"another site": {"Sec-Fetch-Site", "cross-site"}, "another origin": {"Origin", "https://evil.example"}} {
		r := post(path, v)
		r.Header.Set(headers[0], headers[1])
		if w := do(h.e, r); w.Code != http.StatusForbidden {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
	if len(h.audits) != 0 {
		t.Error("it was asked")
	}
	r := post(path, v)
	r.Header.Set("Origin", "https://way.example")
	if w := do(h.e, r); w.Code != http.StatusSeeOther {
		t.Errorf("our own page: %d", w.Code)
	}
}

func TestABuyerMayNotAskAllTheTime(t *testing.T) {
	h := newHome(t)
	path := h.at("missing", links.Missing)
	last := 0
	for range 40 {
		last = do(h.e, post(path, url.Values{})).Code
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("the 40th form: %d", last)
	}
	if r := get(h.e, path); r.Code != http.StatusOK {
		t.Errorf("looking: %d", r.Code)
	}
	if r := do(h.e, post(h.at("found", links.Found), url.Values{})); r.Code != http.StatusConflict {
		t.Errorf("another's: %d", r.Code)
	}
}

func TestHostileInputIsRefusedBesideItsFieldAndShownAsText(t *testing.T) {
	h := newHome(t)
	path := h.at("address", links.Address)
	page := get(h.e, path).body
	for name, street := range map[string]string{
		"long":      strings.Repeat("x", 10_000),
		"long, rtl": strings.Repeat("שדרות ", 2_000),
		"nothing":   "\x00\x1b\u202e\u2066\u200b \t\r\n",
		"no utf-8":  "\xff\xfe",
		"empty":     "",
	} {
		r := do(h.e, post(path, h.fields(page, 0, "street", street, "city", "<script>alert(1)</script>", "postal_code", `"><img src=x onerror=alert(1)>`[:20])))
		if r.Code != http.StatusUnprocessableEntity || len(h.audits) != 0 {
			t.Errorf("%s: %d, %d audits", name, r.Code, len(h.audits))
		}
		has(t, r.body, `id="wrong-street"`, "&lt;script&gt;alert(1)&lt;/script&gt;", "Please check what is marked below")
		lacks(t, r.body, "<script>alert", "<img src=x", "\x1b")
		if len(r.body) > 60_000 {
			t.Errorf("%s: a page of %d bytes", name, len(r.body))
		}
	}
	ret := h.at("return", links.Return)
	page = get(h.e, ret).body
	for _, quantity := range []string{"-1", "2", "1e9", "99999999999999999999", "one", "<b>", strings.Repeat("9", 10_000)} {
		r := do(h.e, post(ret, h.fields(page, 0, "quantity", quantity, "why", "defective", "wanted", "refund")))
		if r.Code != http.StatusUnprocessableEntity {
			t.Errorf("quantity %.20q: %d", quantity, r.Code)
		}
	}
	for _, fields := range [][]string{{"quantity", "1", "why", "not_delivered", "wanted", "refund"}, {"quantity", "1", "why", "other", "wanted", "exchange"}, {"quantity", "0", "why", "other", "wanted", "refund"}} {
		if r := do(h.e, post(ret, h.fields(page, 0, fields...))); r.Code != http.StatusUnprocessableEntity {
			t.Errorf("%v: %d", fields, r.Code)
		}
	}
	// The audits of all that: none. And a body without end is not read.
	if r := do(h.e, post(path, url.Values{"street": {strings.Repeat("x", 1<<20)}})); r.Code != http.StatusBadRequest || len(h.audits) != 0 {
		t.Errorf("a megabyte: %d, %d audits", r.Code, len(h.audits))
	}
	day := h.at("another-day", links.AnotherDay)
	for _, choice := range []string{"", "2020-01-01", "2026-12-24", "return_to_sender", "redirect"} {
		r := do(h.e, post(day, h.fields(get(h.e, day).body, 0, "choice", choice)))
		if r.Code != http.StatusUnprocessableEntity || len(h.state("another-day").Instructions) != 0 {
			t.Errorf("choice %q: %d", choice, r.Code)
		}
		h.now = h.now.Add(time.Minute)
	}
}

func TestAPhotoIsShownAndASignatureIsNot(t *testing.T) {
	h := newHome(t)
	id := idOf("proof-photo")
	ref := h.state("proof-photo").ParcelByID("1").Proof.Reference
	h.proof = store.Proof{OrderID: id, ID: ref, Parcel: "1", SignedBy: "ANN LEE", Documents: []store.ProofDocument{
		{N: 1, Kind: "signature", MediaType: "image/png", Body: []byte("\x89PNG\r\n\x1a\n signature")}, {N: 2, Kind: "photo", MediaType: "text/html", Body: []byte("\xff\xd8\xff\xe0 a door")}}}
	page := get(h.e, h.at("proof-photo", links.Proof)).body
	has(t, page, "Delivered, left at the address", "/photo/1", "Photo that the carrier took")
	lacks(t, page, "ANN LEE", "signature")
	r := get(h.e, h.at("proof-photo", "photo/1"))
	if r.Code != http.StatusOK || r.Header().Get("Content-Type") != "image/jpeg" || !strings.HasSuffix(r.body, "a door") {
		t.Errorf("%d, %s", r.Code, r.Header().Get("Content-Type"))
	}
	if len(h.audits) != 1 || h.audits[0].Action != "read_proof" || h.audits[0].Actor != "buyer" || h.audits[0].OrderID != id {
		t.Errorf("audits %+v", h.audits)
	}
	h.proof.Documents[1].Body = []byte("<html><script>alert(1)</script>")
	if r := get(h.e, h.at("proof-photo", "photo/1")); r.Code != http.StatusNotFound {
		t.Errorf("a photo that is none: %d", r.Code)
	}
	for _, path := range []string{h.at("proof", "photo/1"), h.at("proof-photo", "photo/2"), h.at("proof-photo", "photo/..%2f1")} {
		if r := get(h.e, path); r.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, r.Code)
		}
	}
}

func TestALabelIsHandedOutOnTheBuyersOwnPageOnly(t *testing.T) {
	h := newHome(t)
	h.label = store.ReturnLabel{MediaType: "application/pdf", Body: []byte("%PDF")}
	has(t, get(h.e, h.at("return-label", links.Return)).body, "Save the return label", "/label/R1")
	lacks(t, get(h.e, h.at("return-asked", links.Return)).body, "/label/")
	page := get(h.e, "/t/token-"+h.fixtures[slices.IndexFunc(h.fixtures, func(f fixture) bool { return f.Order.Spec.ID == idOf("return-label") })].Name)
	has(t, page.body, "Your return")
	lacks(t, page.body, "/label/")
	r := get(h.e, h.at("return-label", "label/R1"))
	if r.Code != http.StatusOK || r.body != "%PDF" || r.Header().Get("Content-Disposition") != `attachment; filename="return-R1.pdf"` || r.Header().Get("Cache-Control") == "" {
		t.Errorf("%d %v", r.Code, r.Header())
	}
	if len(h.audits) != 1 || h.audits[0].Action != "read_return_label" || h.audits[0].Actor != "buyer" || h.audits[0].OrderID != idOf("return-label") {
		t.Errorf("audits %+v", h.audits)
	}
	if r := get(h.e, h.at("return-label", "label/R2")); r.Code != http.StatusNotFound {
		t.Errorf("another: %d", r.Code)
	}
}

func TestAnErasedBuyerAsksNothing(t *testing.T) {
	h := newHome(t)
	h.erased = map[string]bool{idOf("missing"): true}
	path := h.at("missing", links.Missing)
	page := get(h.e, path).body
	has(t, page, "Your personal data was deleted")
	lacks(t, page, "<form")
	if r := do(h.e, post(path, url.Values{"of": {"1"}})); r.Code != http.StatusOK || len(h.audits) != 0 {
		t.Errorf("%d, %d audits", r.Code, len(h.audits))
	}
}

// The wish goes first, then the order's language; the browser's only where neither is
// known.
func TestTheBuyersPageSpeaksTheBuyersLanguage(t *testing.T) {
	h := newHome(t)
	path := h.at("missing", links.Missing)
	is := func(tag, query, accept string) {
		t.Helper()
		if r := in(h.e, path+query, accept); r.Header().Get("Content-Language") != tag {
			t.Errorf("%q, want %s", r.Header().Get("Content-Language"), tag)
		}
	}
	is("pt-BR", "", "pt-BR")
	is("en", "", "")
	h.contact.Language = "es"
	is("es", "", "pt-BR")
	h.wishes = map[string]store.Wishes{idOf("missing"): {Language: "de"}}
	is("de", "", "pt-BR")
	is("en", "?lang=en", "pt-BR")
	// A form keeps what was chosen at the foot of the page.
	v := h.fields(get(h.e, path+"?lang=es").body, 0)
	if r := do(h.e, post(path+"?lang=es", v)); r.Header().Get("Location") != path+"?lang=es&did=1" {
		t.Errorf("to %s", r.Header().Get("Location"))
	}
}

// No page names what is ours: staff, cases, teams, rules.
func TestNoInternalWordsOnTheBuyersPages(t *testing.T) {
	h := newHome(t)
	for _, x := range buyerStates(testNow) {
		for _, form := range append([]string{""}, buyerForms...) {
			lacks(t, get(h.e, h.at(strings.TrimPrefix(x.Name, "buyer-"), form)).body, "key:", "attempt_failed", "not_received", "address_problem", "7d2nq4", "agreed with the depot", "support", "escalat", "by hand", "cannot be told", "MEYER", "Secret Street", "Ann Lee")
		}
	}
}

func TestEveryStateOfTheBuyersPageIsDrawnInEveryLanguage(t *testing.T) {
	e, _ := newServer(t)
	for _, tongue := range speech.Tongues() {
		for _, x := range buyerStates(testNow) {
			r := get(e, "/console/gallery/"+x.Name+"?lang="+tongue.Tag(), signedIn())
			if r.Code != http.StatusOK {
				t.Fatalf("%s: %d", x.Name, r.Code)
			}
			for _, s := range text(t, r.body) {
				if strings.ContainsAny(s, "{}") || strings.Contains(s, "%!") {
					t.Errorf("%s in %s: %s", x.Name, tongue.Tag(), s)
				}
			}
			p := x.page(tongue, newBrand("acme", made().row), testNow)
			if p.Words.Status == "" || p.Words.Sentence == "" {
				t.Errorf("%s in %s says nothing: %+v", x.Name, tongue.Tag(), p.Words)
			}
		}
	}
	has(t, get(e, "/console/gallery", signedIn()).body, "buyer-another-day-agreed")
}
