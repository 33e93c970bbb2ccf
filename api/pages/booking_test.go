package pages

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

// fixture by its name.
func (o *office) fixture(name string) *fixture {
	o.Helper()
	for i := range o.fixtures {
		if o.fixtures[i].Name == name {
			return &o.fixtures[i]
		}
	}
	o.Fatalf("no fixture %s", name)
	return nil
}

func TestALabelIsAskedForInTheConsole(t *testing.T) {
	o := newOffice(t)
	page := o.page("return-authorized")
	first := o.look(page, "key:desk")
	has(t, first, "Ask the carrier for a label", "Book a pickup", "Record a label or pickup", "Weight, kg")
	for typed, want := range map[string]string{"heavy": "weight: must be a number like 1.2", "": "package.weight_g: is needed"} {
		r := o.send(page, o.fill(first, "ask-label", "", "carrier", "DHL", "weight", typed), "key:desk")
		if r.Code != 422 {
			t.Errorf("%q: %d", typed, r.Code)
		}
		has(t, r.body, "Not done.", want, `name="carrier" value="dhl"`)
	}
	if r := o.send(page, o.fill(first, "ask-pickup", "", "carrier", "dhl", "weight", "1,2", "by", "soon", "latest", "later"), "key:desk"); r.Code != 422 || !strings.Contains(r.body, "must be a day and a time") {
		t.Errorf("%d", r.Code)
	}
	o.sent(page, o.fill(first, "ask-label", "", "carrier", "DHL", "weight", "1,2", "length", "30", "width", "20", "height", "12.5"), "key:desk")
	asked := o.look(page, "key:ann")
	has(t, asked, "waits for the carrier", "Label by DHL", "the carrier&#39;s answer to the label of return R1")
	lacks(t, asked, "Ask the carrier for a label", "Record a label or pickup", "Save the label")
	if a := o.audits[len(o.audits)-1]; a.Action != "ask_label" || a.Role != "returns" || !strings.Contains(string(a.Request), `"weight_g":1200,"length_mm":300,"width_mm":200,"height_mm":125`) {
		t.Errorf("%+v %s", a, a.Request)
	}
	// A colleague has the page from before: nothing is asked for twice.
	if r := o.send(page, o.fill(first, "ask-label", "", "carrier", "dhl", "weight", "1.2"), "key:ann"); r.Code != 409 || !strings.Contains(r.body, "label asked") {
		t.Errorf("%d", r.Code)
	}
}

func TestWhatBecameOfABookingIsShown(t *testing.T) {
	o := newOffice(t)
	id := o.fixture("return-label-made").Order.Spec.ID
	made := o.look(o.page("return-label-made"), "key:desk")
	has(t, made, "Label by DHL", "made", "JD014600003828", "Costs 4.99 EUR", "Save the label", orderHref(id)+"/returns/R1/label")
	hand := o.look(o.page("return-label-by-hand"), "key:desk")
	has(t, hand, "a person has to act", "void it there if it is not used", "It is dealt with", "a person to arrange the label of return R1")
	lacks(t, hand, "Save the label")
	b := o.fixture("return-label-by-hand").Order.State.Returns[0].Bookings[0].ID
	o.sent(o.page("return-label-by-hand"), o.fill(hand, "end-booking", "R1 "+b, "reason", "voided in MyDHL"), "key:desk")
	has(t, o.look(o.page("return-label-by-hand"), "key:desk"), "voided in MyDHL")
	lacks(t, made, "Have the carrier void it") // the return comes by it
	unused := o.look(o.page("return-label-unused"), "key:desk")
	has(t, unused, "Have the carrier void it")
	b = o.fixture("return-label-unused").Order.State.Returns[0].Bookings[0].ID
	o.sent(o.page("return-label-unused"), o.fill(unused, "void-booking", "R1 "+b, "reason", "the buyer keeps it"), "key:desk")
	voiding := o.look(o.page("return-label-unused"), "key:desk")
	has(t, voiding, "the carrier is asked to void it", "the carrier to void the label of return R1")
	lacks(t, voiding, "Have the carrier void it", "It is dealt with", "Save the label")

	get := func(path, who string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, orderHref(id)+path, nil)
		r.AddCookie(o.as(who))
		w := httptest.NewRecorder()
		o.e.ServeHTTP(w, r)
		return w
	}
	o.label = store.ReturnLabel{MediaType: "application/pdf", Body: []byte("%PDF")}
	before := len(o.audits)
	w := get("/returns/R1/label", "key:desk")
	if w.Code != http.StatusOK || w.Body.String() != "%PDF" || w.Header().Get("Content-Disposition") != `attachment; filename="return-R1.pdf"` || w.Header().Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if a := o.audits[len(o.audits)-1]; len(o.audits) != before+1 || a.Action != "read_return_label" || a.OrderID != id || a.Actor != "key:desk" {
		t.Errorf("%+v", o.audits)
	}
	if w := get("/returns/R2/label", "key:desk"); w.Code != http.StatusNotFound {
		t.Errorf("another: %d", w.Code)
	}
	o.scopes["key:desk"] = nil
	if w := get("/returns/R1/label", "key:desk"); w.Code != http.StatusForbidden || len(o.audits) != before+1 {
		t.Errorf("revoked: %d", w.Code)
	}
}

func TestKilogramsAndCentimetresAreRead(t *testing.T) {
	for text, want := range map[string]int{"": 0, "1.2": 1200, "1,25": 1250, " 0.3 ": 300, "12": 12000} {
		f := form{typed: typed{Weight: text}}
		if p, err := f.box(); err != nil || p.WeightG != want {
			t.Errorf("%q: %+v %v", text, p, err)
		}
		if back := boxed(form{}, order.Package{WeightG: want}).Weight; want > 0 && !strings.HasPrefix(strings.ReplaceAll(strings.TrimSpace(text), ",", "."), back) {
			t.Errorf("%q is shown as %q", text, back)
		}
	}
	for _, text := range []string{"x", "-1", "1e9", "NaN", "Inf"} {
		if p, err := (&form{typed: typed{Weight: text}}).box(); err == nil {
			t.Errorf("%q: %+v", text, p)
		}
	}
}
