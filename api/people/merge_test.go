package people

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/waybillhq/waybill/api/pages"
	"github.com/waybillhq/waybill/internal/acts"
	"github.com/waybillhq/waybill/internal/links"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
	"github.com/waybillhq/waybill/workflows"
)

// placeTwice has one sofa ordered twice: acme:1 has no plan, acme:2 went out with UPS.
func (d *desk) placeTwice() (into, duplicate string) {
	d.Helper()
	for _, number := range []string{"1", "2"} {
		spec := order.Spec{ID: "acme:" + number, Store: "acme", Number: number, Class: order.Routine, Currency: "EUR", PlacedAt: placed, CustomerRef: "c-7", Policy: order.DefaultPolicy(),
			Lines: []order.Line{{SKU: "sofa", Quantity: 1, UnitAmount: 90_000}}}
		if number == "2" {
			spec.Parcels = []order.PlannedParcel{{ID: "1", Carrier: "ups", Tracking: "1ZDOUBLE", Lines: []order.Allocation{{SKU: "sofa", Quantity: 1}}}}
		}
		if _, err := d.store.CreateOrder(d.Context(), store.NewOrder{Spec: spec, TokenHash: []byte(number), RequestHash: []byte(number)}); err != nil {
			d.Fatal(err)
		}
		st := order.New(spec, order.CurrentRules, placed)
		if err := d.store.Project(d.Context(), &st); err != nil {
			d.Fatal(err)
		}
		if err := d.store.MarkStarted(d.Context(), []string{spec.ID}); err != nil {
			d.Fatal(err)
		}
	}
	d.says("e1", order.Accepted, time.Hour)
	d.tellAll()
	return "acme:1", "acme:2"
}

// says is what UPS says of the number.
func (d *desk) says(id string, m order.Milestone, at time.Duration) {
	d.Helper()
	r, err := d.store.Accept(d.Context(), []store.Fact{{Source: "carrier:ups", EventID: id, Kind: store.KindCarrierEvent, Carrier: "ups", Tracking: "1ZDOUBLE", Milestone: string(m), Physical: true, OccurredAt: placed.Add(at)}})
	if err != nil || r[0] != store.Accepted {
		d.Fatal(r, err)
	}
}

// tellAll tells each order what waits for it, as the relay does.
func (d *desk) tellAll() {
	d.Helper()
	due, err := d.store.DueFacts(d.Context(), 100, []string{})
	if err != nil {
		d.Fatal(err)
	}
	for _, x := range due {
		o, err := d.store.Order(d.Context(), x.OrderID)
		if err != nil {
			d.Fatal(err)
		}
		st := o.Current()
		var ns []int64
		for _, f := range x.Facts {
			e := f.Event(f.Parcel).(order.CarrierEvent)
			e.N, e.Received = f.N, e.Occurred
			order.Apply(st, order.Stamp(e, placed.Add(5*time.Hour)))
			ns = append(ns, f.N)
		}
		if err := errors.Join(d.store.Project(d.Context(), st), d.store.MarkSent(d.Context(), ns, "")); err != nil {
			d.Fatal(err)
		}
	}
}

// isMerged checks what a merge comes to, however it came about.
func (d *desk) isMerged(into, duplicate string) {
	d.Helper()
	d.tellAll()
	b := d.view(duplicate)
	if b.MergedInto != into || b.Status != order.StatusCancelled || len(b.Parcels) != 1 || b.Parcels[0].MovedTo != into+"/2-1" || b.Parcels[0].Tracking != "" {
		d.Errorf("the duplicate: %+v", b)
	}
	a := d.view(into)
	if len(a.Parcels) != 1 || a.Parcels[0].ID != "2-1" || a.Parcels[0].Tracking != "1ZDOUBLE" || a.Parcels[0].Milestone != order.Accepted || a.Parcels[0].From != duplicate+"/1" {
		d.Errorf("the other: %+v", a.Parcels)
	}
	// What the carrier says from now on finds the other.
	d.says("e2", order.OutForDelivery, 3*time.Hour)
	d.tellAll()
	if a := d.view(into); a.Parcels[0].Milestone != order.OutForDelivery {
		d.Errorf("the next scan did not find it: %+v", a.Parcels)
	}
	if again := d.view(duplicate); again.Seq != b.Seq || again.Anomalies != b.Anomalies {
		d.Errorf("the duplicate was told: %+v", again)
	}
	if n := len(as[struct{ Entries []any }](d.call("GET", "/v1/orders/"+into+"/timeline", "ann", "").want(200)).Entries); n == 0 {
		d.Error("no timeline")
	}
}

func TestADuplicateIsMergedOverHTTP(t *testing.T) {
	d := newDesk(t)
	into, duplicate := d.placeTwice()
	d.order("bolt", "1")
	path := "/v1/orders/" + duplicate + "/merge"
	d.call("POST", path, "ann", `{"into":"acme:9","reason":"twice"}`).want(422, "there is no order acme:9")
	d.call("POST", path, "ann", `{"into":"bolt:1","reason":"twice"}`).want(422, "another store's")
	d.call("POST", path, "ann", `{"into":"acme:1"}`).want(422, "reason")
	d.call("POST", path, "shop", `{"into":"acme:1","reason":"twice"}`).want(403)
	d.call("POST", path, "bolt", `{"into":"acme:1","reason":"twice"}`).want(403)
	if v := d.view(into); len(v.Parcels) != 1 || v.Parcels[0].ID != "1" {
		t.Fatalf("something was done: %+v", v.Parcels)
	}
	for range 2 { // the same again is the same answer
		d.call("POST", path, "ann", `{"into":"acme:1","reason":"pressed twice"}`, "Idempotency-Key", "k1").want(200, `"merged_into"`)
	}
	d.isMerged(into, duplicate)
	list := d.audits(duplicate)
	if last := list[len(list)-1]; !strings.HasPrefix(last, "merge_order support done: shipped; parcel 1 accepted → cancelled; parcel 1 cancelled, goes on as acme:1/2-1; merged into acme:1") {
		t.Errorf("%q", list)
	}
	d.call("POST", "/v1/orders/"+into+"/merge", "ann", `{"into":"acme:2","reason":"the other way"}`).want(422)
	if n := len(d.audits(into)); n != 1 { // the last refusal
		t.Errorf("%d audit rows of the other order", n)
	}
}

// cut is orders of which one request breaks off: before it arrives, or its answer
// on the way back.
type cut struct {
	*desk
	at       int
	answered bool
	n        int
}

func (c *cut) Ask(ctx context.Context, id string, e order.Event) (order.View, error) {
	if c.n++; c.n != c.at {
		return c.desk.Ask(ctx, id, e)
	}
	if c.answered {
		if _, err := c.desk.Ask(ctx, id, e); err != nil {
			return order.View{}, err
		}
	}
	return order.View{}, workflows.ErrUnavailable
}

// broken is a database that cannot move facts just now.
type broken struct{ *store.Store }

func (broken) MoveFacts(context.Context, string, string, []order.Moved) error {
	return errors.New("connection reset")
}

// Wherever a merge breaks off, the same act again ends it, once.
func TestAMergeThatBreaksOffGoesOn(t *testing.T) {
	for at := range 3 {
		for _, answered := range []bool{false, true} {
			t.Run(fmt.Sprint(at, answered), func(t *testing.T) {
				d := newDesk(t)
				into, duplicate := d.placeTwice()
				try := func(orders acts.Orders, facts acts.Facts) error {
					t.Helper()
					a, err := d.store.Order(t.Context(), into)
					if err != nil {
						t.Fatal(err)
					}
					b, err := d.store.Order(t.Context(), duplicate)
					if err != nil {
						t.Fatal(err)
					}
					office := &acts.Desk{Audits: d.store, Orders: orders, Facts: facts, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return d.now }}
					_, err = office.Do(t.Context(), b, acts.Asker{Actor: "key:ann", Role: "support", By: order.Support}, "aud_merge", office.Merge(b, a, "pressed twice"))
					return err
				}
				var facts acts.Facts = d.store
				if at == 0 { // between the two orders
					facts = broken{d.store}
				}
				if err := try(&cut{desk: d, at: at, answered: answered}, facts); err == nil {
					t.Fatal("nothing broke off")
				}
				// The carrier speaks while the merge is half done.
				d.says("meanwhile", order.Accepted, 2*time.Hour)
				d.tellAll()
				if err := try(d, d.store); err != nil {
					t.Fatal(err)
				}
				d.isMerged(into, duplicate)
				if v := d.view(into); v.Anomalies > 0 {
					t.Errorf("%d anomalies", v.Anomalies)
				}
			})
		}
	}
}

func TestADuplicateIsMergedInTheConsole(t *testing.T) {
	d := newDesk(t)
	into, duplicate := d.placeTwice()
	where := links.Links{PublicURL: "https://way.example", TemporalUIURL: "https://temporal.example", Namespace: "default", Secret: []byte("0123456789abcdef")}
	pages.Mount(d.api.Echo, pages.Deps{Store: d.store, Links: where, Now: func() time.Time { return d.now }, Secret: []byte("a secret of 32 bytes, or so it is"), VerifyKey: d.api.VerifyKey,
		Desk: &acts.Desk{Audits: d.store, Orders: d, Facts: d.store, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return d.now }}})
	visit := func(method, path string, form url.Values, session []*http.Cookie) (int, string) {
		r := httptest.NewRequest(method, "https://way.example"+path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for _, c := range session {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		d.api.Echo.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	in := httptest.NewRequest("POST", "https://way.example/console/sign-in", strings.NewReader(url.Values{"key": {d.keys["ann"]}}.Encode()))
	in.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	d.api.Echo.ServeHTTP(w, in)
	session := w.Result().Cookies()
	page := "/console/orders/" + duplicate
	_, body := visit("GET", page, nil, session)
	_, form, found := strings.Cut(body, `name="act" value="merge"`)
	_, seen, _ := strings.Cut(form, `name="seen" value="`)
	if seen, _, _ = strings.Cut(seen, `"`); !found || seen != "shipped; parcel 1 accepted" {
		t.Fatalf("%q is not how it stands, or there is no form", seen)
	}
	post := url.Values{"act": {"merge"}, "seen": {seen}, "text": {"acme:9"}, "reason": {"pressed twice"}}
	if code, body := visit("POST", page+"/act", post, session); code != 422 || !strings.Contains(body, "There is no order acme:9") || !strings.Contains(body, `value="acme:9"`) {
		t.Errorf("%d", code)
	}
	post.Set("text", into)
	if code, _ := visit("POST", page+"/act", post, session); code != 303 {
		t.Errorf("%d", code)
	}
	d.isMerged(into, duplicate)
	if _, body := visit("GET", page, nil, session); !strings.Contains(body, `A duplicate.`) || !strings.Contains(body, "/console/orders/"+into) || strings.Contains(body, `value="merge"`) {
		t.Error(body)
	}
	if _, body := visit("GET", "/console/orders/"+into, nil, session); !strings.Contains(body, "From <span dir=\"auto\">acme:2/1") {
		t.Error("it is not said where the parcel came from")
	}
}
