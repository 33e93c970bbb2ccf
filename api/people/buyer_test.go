package people

import (
	"encoding/json"
	"fmt"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/waybillhq/waybill/api/pages"
	"github.com/waybillhq/waybill/internal/acts"
	"github.com/waybillhq/waybill/internal/links"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

var buyerLinks = links.Links{PublicURL: "https://way.example", Secret: []byte("0123456789abcdef0123")}

// withPages serves the buyers' pages beside the API.
func (d *desk) withPages() {
	now := func() time.Time { return d.now }
	pages.Mount(d.api.Echo, pages.Deps{Store: d.store, Links: buyerLinks, Log: slog.New(slog.DiscardHandler), Now: now, Secret: []byte("0123456789abcdef0123"),
		Desk: &acts.Desk{Audits: d.store, Orders: d, Facts: d.store, Log: slog.New(slog.DiscardHandler), Now: now}})
}

func (d *desk) browse(method, path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	d.api.Echo.ServeHTTP(w, r)
	return w
}

func buyersPath(id, form string) string {
	return strings.TrimPrefix(buyerLinks.Buyer(id, 0), buyerLinks.PublicURL) + "/" + form
}

var hiddenField = regexp.MustCompile(`<input type="hidden" name="([a-z]+)" value="([^"]*)">`)

func hiddenOf(page string) url.Values {
	v := url.Values{}
	for _, m := range hiddenField.FindAllStringSubmatch(page, -1) {
		v.Add(m[1], html.UnescapeString(m[2]))
	}
	return v
}

// fill opens a form and fills it in.
func (d *desk) fill(id, form string, fields ...string) url.Values {
	d.Helper()
	page := d.browse(http.MethodGet, buyersPath(id, form), nil)
	if page.Code != http.StatusOK {
		d.Fatalf("%s: %d", form, page.Code)
	}
	v := hiddenOf(page.Body.String())
	for i := 0; i+1 < len(fields); i += 2 {
		v.Set(fields[i], fields[i+1])
	}
	return v
}

func TestStrangersFindNoBuyersPage(t *testing.T) {
	d := newDesk(t)
	d.withPages()
	id := d.order("acme", "1001")
	good := strings.TrimSuffix(buyersPath(id, ""), "/")
	if r := d.browse(http.MethodGet, good, nil); r.Code != http.StatusOK {
		t.Fatal(r.Code)
	}
	audit := store.Audit{ID: "end", OrderID: id, Action: "end_buyer_link", Actor: "test", Role: "support", Request: json.RawMessage(`{}`)}
	if err := d.store.EndLink(t.Context(), id, audit); err != nil {
		t.Fatal(err)
	}
	token := strings.Repeat("A", 27)
	for _, path := range []string{good, "/b/acme%00/" + token, "/b/%ff%fe/" + token, "/b/acme:9/" + token, "/b/" + strings.Repeat("x", 5000) + "/" + token, "/b/%00/%00", "/b/" + id + "/%ff"} {
		if r := d.browse(http.MethodGet, path, nil); r.Code != http.StatusNotFound {
			t.Errorf("%.60s: %d", path, r.Code)
		}
	}
}

// From a delivered parcel that is not there to a return, each form sent twice.
func TestABuyersPageActsOnTheRealDatabase(t *testing.T) {
	d := newDesk(t)
	d.withPages()
	id := d.order("acme", "1001")
	d.after(id, 48*time.Hour, moved(order.Accepted, 24*time.Hour), moved(order.Delivered, 48*time.Hour))
	for _, step := range []struct {
		form   string
		fields []string
	}{
		{links.Missing, nil}, {links.Found, nil}, {links.Return, []string{"quantity", "1", "why", "defective", "wanted", "refund"}},
	} {
		v := d.fill(id, step.form, step.fields...)
		asked := d.asked
		for range 2 {
			if r := d.browse(http.MethodPost, buyersPath(id, step.form), v); r.Code != http.StatusSeeOther {
				t.Fatalf("%s: %d %s", step.form, r.Code, r.Body)
			}
		}
		if d.asked != asked+1 {
			t.Errorf("%s: the order was asked %d times", step.form, d.asked-asked)
		}
	}
	want := []string{"report_not_received buyer done", "found_parcel buyer done", "request_return buyer done"}
	got := d.audits(id)
	if len(got) != len(want) {
		t.Fatalf("audits: %v", got)
	}
	for i, w := range want {
		if !strings.HasPrefix(got[i], w) {
			t.Errorf("audit %q, want %q", got[i], w)
		}
	}
	o, err := d.store.Order(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if len(o.State.Cases) != 0 || len(o.State.Returns) != 1 || o.State.Returns[0].RequestedBy != "buyer" {
		t.Errorf("cases %+v, returns %+v", o.State.Cases, o.State.Returns)
	}
	// Looking, at whatever, leaves every row as it is.
	count := func() (n int) {
		if err := d.db.QueryRow(t.Context(), `select (select count(*) from audit) + (select sum(seq) from orders) + (select count(*) from addresses) + (select count(*) from happenings)`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := count()
	for _, form := range []string{"", links.Missing, links.Found, links.AnotherDay, links.Address, links.Return, links.Proof} {
		if r := d.browse(http.MethodGet, strings.TrimSuffix(buyersPath(id, form), "/"), nil); r.Code != http.StatusOK {
			t.Errorf("%s: %d", form, r.Code)
		}
	}
	if after := count(); after != before {
		t.Errorf("looking changed %d", after-before)
	}
}

// The link of one order does nothing to another.
func TestABuyersLinkIsOfOneOrder(t *testing.T) {
	d := newDesk(t)
	d.withPages()
	mine, theirs := d.order("acme", "1001"), d.order("acme", "1002")
	for _, id := range []string{mine, theirs} {
		d.after(id, 48*time.Hour, moved(order.Accepted, 24*time.Hour), moved(order.Delivered, 48*time.Hour))
	}
	v := d.fill(mine, links.Missing)
	token := buyersPath(mine, "")[len("/b/"+mine+"/"):]
	if r := d.browse(http.MethodPost, "/b/"+theirs+"/"+token+links.Missing, v); r.Code != http.StatusNotFound {
		t.Errorf("status %d", r.Code)
	}
	// Nor does a form that was drawn for one act on the other.
	if r := d.browse(http.MethodPost, buyersPath(theirs, links.Missing), v); r.Code != http.StatusConflict {
		t.Errorf("status %d", r.Code)
	}
	if d.asked != 0 || len(d.audits(mine))+len(d.audits(theirs)) != 0 {
		t.Errorf("asked %d times", d.asked)
	}
	// The API hands the link to nobody.
	for _, who := range []string{"shop", "ann"} {
		if r := d.call(http.MethodGet, "/v1/orders/"+mine, who, ""); r.code != http.StatusOK || strings.Contains(r.body, "/b/") {
			t.Errorf("%s reads %d, with the buyer's link: %s", who, r.code, r.body)
		}
	}
}

// Whatever is sent to a buyer's page, in whatever order: the address stays in its
// country, and the other order as it is.
func TestWhateverABuyerSendsTheCountryStays(t *testing.T) {
	d := newDesk(t)
	d.withPages()
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		mine, theirs := d.order("acme", fmt.Sprint("m", n)), d.order("acme", fmt.Sprint("t", n))
		for _, id := range []string{mine, theirs} {
			if _, err := d.db.Exec(t.Context(), `update addresses set body = '{"name": "Ann", "street": "1 Main Street", "city": "Springfield", "postal_code": "01101", "country": "US"}' where order_id = $1`, id); err != nil {
				t.Fatal(err)
			}
			lost := moved(order.InTransit, 48*time.Hour).(order.CarrierEvent)
			lost.Bucket = "address"
			d.after(id, 48*time.Hour, moved(order.Accepted, 24*time.Hour), lost)
		}
		was, err := d.store.Order(t.Context(), theirs)
		if err != nil {
			t.Fatal(err)
		}
		text := rapid.SampledFrom([]string{"", "5 New Street", "Moscow", "RU", "<b>x</b>", "\x00\u202e", strings.Repeat("y", 10_000), "שדרות רוטשילד"})
		for range rapid.IntRange(1, 6).Draw(rt, "forms") {
			d.now = d.now.Add(time.Minute)
			form := rapid.SampledFrom([]string{links.Address, links.Address, links.Missing, links.AnotherDay, links.Return, "nothing"}).Draw(rt, "form")
			v := url.Values{}
			if page := d.browse(http.MethodGet, buyersPath(mine, form), nil); rapid.Bool().Draw(rt, "as drawn") {
				v = hiddenOf(page.Body.String())
			}
			for _, field := range []string{"name", "street", "city", "postal_code", "region", "country", "of", "choice", "quantity", "sku", "order", "order_id"} {
				if rapid.Bool().Draw(rt, field) {
					v.Set(field, text.Draw(rt, field))
				}
			}
			if r := d.browse(http.MethodPost, buyersPath(mine, form), v); r.Code >= 500 {
				rt.Fatalf("%s: %d", form, r.Code)
			}
		}
		var abroad int
		if err := d.db.QueryRow(t.Context(), `select count(*) from addresses where order_id = any($1) and body->>'country' is distinct from 'US'`, []string{mine, theirs}).Scan(&abroad); err != nil || abroad != 0 {
			rt.Fatalf("%d addresses abroad, %v", abroad, err)
		}
		is, err := d.store.Order(t.Context(), theirs)
		if err != nil || is.State.Seq != was.State.Seq {
			rt.Fatalf("the other order has changed: %v", err)
		}
		if audits := d.audits(theirs); len(audits) != 0 {
			rt.Fatalf("the other order was asked: %v", audits)
		}
	})
}
