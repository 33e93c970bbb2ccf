package pages

import (
	"net/url"
	"strings"
	"testing"

	"github.com/waybillhq/waybill/order"
)

func (o *office) look(page, actor string) string { o.Helper(); return get(o.e, page, o.as(actor)).body }

// sent posts a form and wants it done.
func (o *office) sent(page string, v url.Values, actor string) {
	o.Helper()
	if r := o.send(page, v, actor); r.Code != 303 {
		o.Fatalf("%d %s", r.Code, r.body)
	}
}

func TestAReturnIsRequestedAndDecidedInTheConsole(t *testing.T) {
	o := newOffice(t)
	page := o.page("delivered")
	first := o.look(page, "key:ann")
	has(t, first, "Request a return", "Ridgeline two-person tent", "up to 2", "does not fit")
	lacks(t, first, "not delivered</option>")
	for _, c := range []struct {
		quantity, wanted, instead, want string
	}{{"9", "refund", "", "only 2 were delivered"}, {"0", "refund", "", "at least one is needed"}, {"two", "refund", "", "quantity: must be a whole number"}, {"-1", "refund", "", "must be a whole number"}, {"1", "exchange", "", "goes with an exchange"}} {
		v := o.fill(first, "request-return", "")
		v["sku"], v["quantity"], v["why"], v["wanted"], v["instead"] = []string{"TENT-2P", "PEG-8"}, []string{"", c.quantity}, []string{"other", "does_not_fit"}, []string{"refund", c.wanted}, []string{"", c.instead}
		r := o.send(page, v, "key:ann")
		if r.Code != 422 {
			t.Errorf("%+v: %d", c, r.Code)
		}
		has(t, r.body, "Not done.", c.want, `name="quantity" type="number" min="0" max="2" value="`+c.quantity+`"`)
	}
	v := o.fill(first, "request-return", "")
	v["sku"], v["quantity"], v["why"], v["wanted"], v["instead"] = []string{"TENT-2P", "PEG-8"}, []string{"1", "2"}, []string{"defective", "does_not_fit"}, []string{"refund", "exchange"}, []string{"", "PEG-10"}
	o.sent(page, v, "key:ann")
	has(t, o.look(page, "key:ann"), "1 × TENT-2P: defective, wanted: refund", "2 × PEG-8: does not fit, wanted: exchange for PEG-10", "The buyer reads", "Authorize or reject")

	// A colleague has the page from before: nothing is requested twice.
	if r := o.send(page, v, "key:bob"); r.Code != 409 || !strings.Contains(r.body, "Now: returns: R1 requested") {
		t.Errorf("%d", r.Code)
	}
	before := o.look(page, "key:desk")
	if r := o.send(page, o.fill(before, "decide-return", "", "choice", "reject"), "key:desk"); r.Code != 422 || !strings.Contains(r.body, "reason: is needed") {
		t.Errorf("%d", r.Code)
	}
	o.sent(page, o.fill(before, "decide-return", "", "choice", "agree"), "key:desk")
	if r := o.send(page, o.fill(before, "cancel-return", "", "reason", "x"), "key:ann"); r.Code != 409 || !strings.Contains(r.body, "R1: authorized since") {
		t.Errorf("%d", r.Code)
	}
	after := o.look(page, "key:ann")
	lacks(t, after, "Authorize or reject", "Inspect it", "It was sent back")
	o.sent(page, o.fill(after, "ship-return", "", "carrier", "DHL", "tracking", "jd01 4600"), "key:ann")
	has(t, o.look(page, "key:ann"), "label sent", "JD014600", "The buyer reads “Return label sent”")
	if a := o.audits[len(o.audits)-1]; a.Action != "ship_return" || a.Role != "support" || a.Outcome != "done" {
		t.Errorf("%+v", a)
	}
	has(t, o.look("/console/returns?state=label_sent", "key:desk"), "R1 of ", "label sent", "shipment of return R1")
}

func TestAnInspectionLineByLine(t *testing.T) {
	o := newOffice(t)
	page := o.page("return-received")
	lacks(t, o.look(page, "key:ann"), "Inspect it") // support may not
	for _, who := range []string{"key:desk", "key:both"} {
		has(t, o.look(page, who), page+"/returns/R1", "Inspect it")
	}
	inspect := page + "/returns/R1"
	body := o.look(inspect, "key:ann")
	has(t, body, "nothing here to grade now")
	lacks(t, body, "autofocus")
	body = o.look(inspect, "key:desk")
	has(t, body, "autofocus", "0 of 3", "?scan=TENT-2P")
	lacks(t, body, "As new</button>") // none is chosen
	has(t, o.look(inspect+"?scan=4006381333931", "key:desk"), "4006381333931", "is not in this return")
	body = o.look(inspect+"?scan=peg-8", "key:desk")
	has(t, body, "Tent pegs, set of 8", "2 left to grade", "As new</button>", "Not in the box</button>", `max="2" value="1"`)
	// A scanner ends what it types with Enter, which presses the first button: that one
	// must not be a grade.
	if first, _, _ := strings.Cut(body[strings.Index(body, `<section class="grade">`):], "</button>"); !strings.Contains(first, `<button class="vh" name="choice" value=""`) {
		t.Error("Enter grades the item")
	}
	if r := o.send(page, o.fill(body, "inspect-return", "", "quantity", "3", "choice", "a_new"), "key:desk"); r.Code != 422 || !strings.Contains(r.body, "only 2 of 2 are left to inspect") || !strings.Contains(r.body, `value="3"`) {
		t.Errorf("%d", r.Code)
	}
	for field, value := range map[string]string{"choice": "", "quantity": "0", "photos": "<b>"} {
		v := o.fill(body, "inspect-return", "", "quantity", "1", "choice", "a_new")
		v.Set(field, value)
		if r := o.send(page, v, "key:desk"); r.Code != 422 || !strings.Contains(r.body, "Inspect R1") {
			t.Errorf("%s: %d", field, r.Code)
		}
	}
	if r := o.send(page, o.fill(body, "inspect-return", "", "quantity", "1", "choice", "a_new"), "key:ann"); r.Code != 422 || !strings.Contains(r.body, "may not do that with a return") {
		t.Errorf("support: %d", r.Code)
	}
	r := o.send(page, o.fill(body, "inspect-return", "", "quantity", "2", "choice", "a_new", "serial", "ok", "photos", "s3:a.jpg, s3:b.jpg", "text", "unopened"), "key:desk")
	if r.Code != 303 || r.Header().Get("Location") != inspect+"?did=inspect-return" {
		t.Fatalf("%d %s %s", r.Code, r.Header().Get("Location"), r.body)
	}
	has(t, o.look(r.Header().Get("Location"), "key:desk"), "It is graded.", "2 of 3", "done: Tent pegs", "s3:a.jpg, s3:b.jpg", "unopened", "serial number ok")

	// Somebody who still has the page from before grades nothing twice.
	if r := o.send(page, o.fill(body, "inspect-return", "", "quantity", "1", "choice", "a_new"), "key:both"); r.Code != 409 || !strings.Contains(r.body, "2 inspected") {
		t.Errorf("%d", r.Code)
	}
	// Who is support and desk in one inspects as the desk.
	o.sent(page, o.fill(o.look(inspect+"?scan=TENT-2P", "key:both"), "inspect-return", "", "quantity", "1", "choice", "c_damaged"), "key:both")
	has(t, o.look(inspect, "key:desk"), "nothing here to grade now")
	body = o.look(page, "key:ann")
	has(t, body, "not accepted", "Decide about what was not accepted")
	v := o.fill(body, "dispose-return", "TENT-2P", "reason", "the pole broke on the way")
	v["sku"], v["grade"], v["to"], v["accept"] = []string{"TENT-2P"}, []string{"c_damaged"}, []string{"scrap"}, []string{"yes"}
	o.sent(page, v, "key:ann")
	has(t, o.look(page, "key:ann"), "dispositioned", "needs a second person", "649.00 EUR", "exchange")
}

func TestAParcelThatCameBackIsTakenIn(t *testing.T) {
	o := newOffice(t)
	page := o.page("returned")
	o.sent(page, o.fill(o.look(page, "key:ann"), "take-in", "", "reason", "refused at the door"), "key:ann")
	has(t, o.look(page, "key:desk"), "1 × TENT-2P: not delivered, wanted: refund", "Inspect it")
}

func TestReturnsOfAClosedOrderCanBeRequested(t *testing.T) {
	o := newOffice(t)
	page := o.page("delivered")
	for i := range o.fixtures {
		if st := o.fixtures[i].Order.State; strings.HasSuffix(page, st.Spec.ID) {
			st.Closed = true
		}
	}
	v := o.fill(o.look(page, "key:ann"), "request-return", "")
	v["sku"], v["quantity"], v["why"], v["wanted"] = []string{"PEG-8"}, []string{"1"}, []string{"other"}, []string{"refund"}
	o.sent(page, v, "key:ann")
	has(t, o.look(page, "key:ann"), "R1", "requested")
}

func TestTheListOfReturns(t *testing.T) {
	o := newOffice(t)
	body := o.look("/console/returns", "key:desk")
	has(t, body, "R1 of acme:", "received", "dispositioned", "/returns/R1", `aria-current="page">Returns`)
	lacks(t, body, ">rejected<")
	has(t, o.look("/console/returns?ended=1", "key:desk"), "rejected", "the latest first")
	has(t, o.look("/console/returns?state=sent_back", "key:desk"), "No return matches")
	if r := get(o.e, "/console/returns?after=nonsense&owner=returns", o.as("key:desk")); r.Code != 303 || r.Header().Get("Location") != "/console/returns?owner=returns" {
		t.Errorf("%d", r.Code)
	}
	if r := get(o.e, o.page("return-received")+"/returns/R9", o.as("key:desk")); r.Code != 404 {
		t.Errorf("%d", r.Code)
	}
	has(t, get(o.e, "/console/orders/acme:none/returns/R1", o.as("key:desk")).body, "No such order")
}

func TestBothOrdersOfAReplacementSayIt(t *testing.T) {
	o := newOffice(t)
	old, fresh := o.page("return-requested"), o.page("received")
	for i := range o.fixtures {
		if st := o.fixtures[i].Order.State; strings.HasSuffix(fresh, st.Spec.ID) {
			st.Spec.Replaces = strings.TrimPrefix(old, "/console/orders/")
		}
	}
	has(t, o.look(fresh, "key:ann"), "Replaces", `href="`+old+`"`)
	has(t, o.look(old, "key:ann"), "Replaced by", `href="`+fresh+`"`)
}

// Every state of a return has words for the buyer that say what comes next.
func TestEveryStateOfAReturnHasWords(t *testing.T) {
	l := newLens(english, testNow, nil, testNow)
	for _, d := range order.ReturnDefinitions {
		v := order.View{}
		w := returnWords(&order.ReturnView{Return: order.Return{ID: "R1", State: d.State, Parcel: "R1"}, Title: d.Title}, &v, "Acme", l)
		if w.Status != d.Title || w.Sentence == "" || w.Next == "" || w.Mood == "" {
			t.Errorf("%s: %+v", d.State, w)
		}
		if gradeWords[order.GradeNew] == "" || returnTone(d.State) == "" && d.State.Open() {
			t.Errorf("%s has no tone", d.State)
		}
	}
	for _, g := range order.Grades {
		if gradeWords[g] == "" {
			t.Errorf("no words for %s", g)
		}
	}
}

func TestTheBuyerReadsWhereTheReturnIs(t *testing.T) {
	e, _ := newServer(t)
	for name, parts := range map[string][]string{
		"return-requested":  {"Return requested", "has your request and decides about it"},
		"return-authorized": {"Return accepted", "Please do so by "},
		"return-in-transit": {"Return on its way", "last seen in Frankfurt am Main", "JD014600003828"},
		"return-received":   {"Return received", "Ridgeline two-person tent"},
		"return-to-decide":  {"Return being inspected"},
		"return-rejected":   {"Return not accepted", "could not accept this return"},
	} {
		body := page(t, e, name)
		has(t, body, parts...)
		lacks(t, body, "ask your neighbours", "a pole is bent", "key:desk", "c_damaged", "s3:returns")
	}
}

// Whatever is posted, the lines of a form are bounded, and asking makes of it a
// request or a word to the person.
func FuzzReturnForms(f *testing.F) {
	f.Add("act=request-return&sku=PEG-8&quantity=2&why=other&wanted=refund&instead=")
	f.Add("act=dispose-return&of=R1&sku=a&sku=b&grade=c_damaged&to=scrap&accept=yes")
	f.Add("act=inspect-return&of=R1&sku=a&quantity=-1&choice=a_new&photos=a,b;c+d")
	f.Fuzz(func(t *testing.T, body string) {
		v, err := url.ParseQuery(body)
		if err != nil {
			return
		}
		rows := readRows(v)
		if len(rows) > maxRows {
			t.Fatalf("%d lines", len(rows))
		}
		for _, r := range rows {
			for _, s := range []string{r.SKU, r.Grade, r.Quantity, r.Why, r.Wanted, r.Instead, r.To, r.Accept} {
				if len(s) > 400 || clean(s, 400) != s {
					t.Fatalf("%q", s)
				}
			}
		}
		form := &form{Act: clean(v.Get("act"), 20), Of: clean(v.Get("of"), 120), Rows: rows, typed: typed{Choice: clean(v.Get("choice"), 40), Photos: clean(v.Get("photos"), 600)}}
		r, err := form.request("key:a", testNow)
		if r.Subject == nil || err == nil && r.Event == nil {
			t.Fatalf("%q: %+v", body, r)
		}
		_ = form.subject(order.View{})
		if k, ok := readReturnCursor(v.Get("after")); ok {
			if again, ok := readReturnCursor(returnCursor(k)); !ok || !again.At.Equal(k.At) {
				t.Errorf("%+v becomes %+v", k, again)
			}
		}
	})
}
