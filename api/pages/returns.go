package pages

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

// returnsPage is the list of the returns desk: open returns, the earliest due first.
type returnsPage struct {
	head
	Filter         store.ReturnFilter
	Filtered       bool
	States, Owners []choice
	Rows           []returnListRow
	Later, First   string // addresses of the next page and the first
}

type returnListRow struct {
	Href, Order, ID, State, Tone, What, Owner, Box string
	Units                                          int
	Due, Requested, Ended                          stamp
}

// listedStates are those that a person waits for; the others follow by themselves.
var listedStates = []order.ReturnState{order.ReturnRequested, order.ReturnAuthorized, order.ReturnLabelSent, order.ReturnPickup, order.ReturnInTransit, order.ReturnReceived,
	order.ReturnInspecting, order.ReturnDispositioned, order.RefundReleased, order.ReplacementReleased, order.ReturnSentBack}

func returnTone(s order.ReturnState) string {
	switch s {
	case order.ReturnRequested, order.ReturnReceived, order.ReturnInspecting:
		return "act"
	case order.ReturnAuthorized, order.ReturnLabelSent, order.ReturnPickup, order.ReturnInTransit, order.ReturnDispositioned:
		return "moving"
	case order.RefundReleased, order.ReplacementReleased, order.ReturnSentBack, order.ReturnClosed:
		return "good"
	case order.ReturnRejected, order.ReturnCancelled:
	}
	return ""
}

func (s *server) returns(c echo.Context, w who) error {
	f := store.ReturnFilter{State: c.QueryParam("state"), Owner: c.QueryParam("owner"), Store: clean(c.QueryParam("store"), 32), Ended: c.QueryParam("ended") != "", Limit: pageSize + 1}
	if !slices.Contains(listedStates, order.ReturnState(f.State)) {
		f.State = ""
	}
	owners := append(slices.Clone(order.Teams), order.CarrierTeam)
	if !slices.Contains(owners, order.Team(f.Owner)) {
		f.Owner = ""
	}
	after := c.QueryParam("after")
	if after != "" {
		at, ok := readReturnCursor(after)
		if !ok {
			secure(c.Response().Header())
			return c.Redirect(http.StatusSeeOther, returnsHref(f, ""))
		}
		f.After = at
	}
	list, err := s.Store.Returns(c.Request().Context(), f)
	if err != nil {
		return s.consoleError(c, w, "returns", err)
	}
	now := s.Now()
	p := returnsPage{head: s.head(w, "Returns", "returns"), Filter: f, Filtered: f.State != "" || f.Owner != "" || f.Store != "" || f.Ended}
	for _, st := range listedStates {
		p.States = append(p.States, choice{string(st), label(string(st)), f.State == string(st)})
	}
	for _, o := range owners {
		p.Owners = append(p.Owners, choice{string(o), string(o), f.Owner == string(o)})
	}
	if len(list) > pageSize {
		list = list[:pageSize]
		p.Later = returnsHref(f, returnCursor(list[pageSize-1].Cursor()))
	}
	if after != "" {
		p.First = returnsHref(f, "")
	}
	for _, r := range list {
		row := returnListRow{Href: orderHref(r.OrderID) + "#" + url.PathEscape(r.ID), Order: clean(r.OrderID, 100), ID: r.ID, State: label(r.State), Tone: returnTone(order.ReturnState(r.State)),
			What: clean(r.What, 300), Owner: r.Owner, Box: strings.TrimSpace(carrierName(r.Carrier) + " " + clean(r.Tracking, 40)), Units: r.Units, Requested: stampOf(r.RequestedAt, now)}
		if s := order.ReturnState(r.State); s == order.ReturnReceived || s == order.ReturnInspecting && r.Owner == string(order.ReturnsTeam) {
			row.Href = inspectHref(r.OrderID, r.ID, "")
		}
		if r.Due != nil {
			row.Due = stampOf(*r.Due, now)
		}
		if r.EndedAt != nil {
			row.Ended = stampOf(*r.EndedAt, now)
		}
		p.Rows = append(p.Rows, row)
	}
	return s.render(c, http.StatusOK, "returns", p)
}

func returnsHref(f store.ReturnFilter, after string) string {
	q := url.Values{}
	ended := ""
	if f.Ended {
		ended = "1"
	}
	for k, v := range map[string]string{"state": f.State, "owner": f.Owner, "store": f.Store, "ended": ended, "after": after} {
		if v != "" {
			q.Set(k, v)
		}
	}
	if len(q) == 0 {
		return "/console/returns"
	}
	return "/console/returns?" + q.Encode()
}

func returnCursor(k store.ReturnCursor) string {
	b, _ := json.Marshal([]string{k.At.UTC().Format(time.RFC3339Nano), k.OrderID, k.ID})
	return base64.RawURLEncoding.EncodeToString(b)
}

func readReturnCursor(s string) (k store.ReturnCursor, ok bool) {
	raw, err := base64.RawURLEncoding.DecodeString(s)
	var parts [3]string
	if err != nil || json.Unmarshal(raw, &parts) != nil {
		return k, false
	}
	for _, p := range parts {
		if clean(p, 200) != p {
			return k, false
		}
	}
	at, err := time.Parse(time.RFC3339Nano, parts[0])
	return store.ReturnCursor{At: at, OrderID: parts[1], ID: parts[2]}, err == nil
}

// returnRow is a return on the order's page.
type returnRow struct {
	ID, State, Tone, Title, Parcel, Box, RequestedBy, DecidedBy string
	Since, Requested, Pickup, Received                          stamp
	Lines                                                       []string
	Findings                                                    []findingRow
	Inspect                                                     string // address of the inspection
	Decide, Ship, Label, PickUp, Dispose, Send, Cancel          *form
	Bookings                                                    []bookingRow
	view                                                        order.ReturnView
}

type findingRow struct {
	SKU, Grade, Serial, To, Note, Photos string
	Quantity                             int
	Accepted                             bool
}

var gradeWords = map[order.Grade]string{order.GradeNew: "As new", order.GradeOpened: "Opened or used", order.GradeDamaged: "Damaged", order.GradeWrong: "Wrong item", order.GradeMissing: "Not in the box"}

func returnRowOf(r order.ReturnView, now time.Time) returnRow {
	row := returnRow{ID: r.ID, State: label(string(r.State)), Tone: returnTone(r.State), Title: r.Title, Parcel: r.Parcel, Box: strings.TrimSpace(carrierName(r.Box.Carrier) + " " + clean(r.Box.Tracking, 40)),
		RequestedBy: clean(r.RequestedBy, 80), DecidedBy: clean(r.DecidedBy, 80), Since: stampOf(r.Since, now), Requested: stampOf(r.RequestedAt, now), Pickup: stampOf(r.PickupAt, now), Received: stampOf(r.ReceivedAt, now), view: r}
	for _, b := range slices.Backward(r.Bookings) {
		row.Bookings = append(row.Bookings, bookingRowOf(b, now))
	}
	for _, l := range r.Lines {
		said := fmt.Sprintf("%d × %s: %s, wanted: %s", l.Quantity, clean(l.SKU, 60), label(string(l.Reason)), l.Wanted)
		if l.Instead != "" {
			said += " for " + clean(l.Instead, 60)
		}
		if len(l.Photos) > 0 {
			said += " · " + clean(strings.Join(l.Photos, ", "), 520)
		}
		row.Lines = append(row.Lines, said)
	}
	for _, f := range r.Findings {
		row.Findings = append(row.Findings, findingRow{clean(f.SKU, 60), gradeWords[f.Grade], string(f.Serial), label(string(f.To)), clean(f.Note, 200), clean(strings.Join(f.Photos, ", "), 520), f.Quantity, f.Accepted})
	}
	return row
}

// maxRows bounds the lines of one form; more go through the API.
const maxRows = 60

// formRow is one line of a form that is about several.
type formRow struct {
	SKU, Name, Grade, Label string
	Most                    int // units
	rowTyped
}

type rowTyped struct{ Quantity, Why, Wanted, Instead, To, Accept string }

// readRows takes the lines out of a form: fields of the same names, in order.
func readRows(v url.Values) (rows []formRow) {
	at := func(name string, i, most int) string {
		if i < len(v[name]) {
			return clean(v[name][i], most)
		}
		return ""
	}
	for i := range min(len(v["sku"]), maxRows) {
		rows = append(rows, formRow{SKU: at("sku", i, 100), Grade: at("grade", i, 20), rowTyped: rowTyped{Quantity: at("quantity", i, 10), Why: at("why", i, 40), Wanted: at("wanted", i, 20),
			Instead: at("instead", i, 100), To: at("to", i, 20), Accept: at("accept", i, 5)}})
	}
	return rows
}

func units(s string) (int, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return 0, errors.New("quantity: must be a whole number")
	}
	return n, nil
}

// returnLines are those of the request form of which somebody wants to send some back.
func (f *form) returnLines() (lines []order.ReturnLine, bad error) {
	for _, r := range f.Rows {
		n, err := units(r.Quantity)
		if err != nil {
			bad = err
		}
		if n > 0 {
			lines = append(lines, order.ReturnLine{SKU: r.SKU, Quantity: n, Reason: order.ReturnReason(r.Why), Wanted: order.RemedyKind(r.Wanted), Instead: r.Instead})
		}
	}
	return lines, bad
}

// finding is what the inspection form says about one line.
func (f *form) finding() (order.Finding, error) {
	r := formRow{}
	if len(f.Rows) > 0 {
		r = f.Rows[0]
	}
	n, err := units(r.Quantity)
	if err == nil && f.Choice == "" {
		err = errors.New("grade: choose one")
	}
	photos := strings.FieldsFunc(f.Photos, func(c rune) bool { return c == ' ' || c == ',' || c == ';' })
	return order.Finding{SKU: r.SKU, Quantity: n, Grade: order.Grade(f.Choice), Serial: order.SerialCheck(f.Serial), Photos: photos, Note: f.Text}, err
}

func (f *form) disposals() (lines []order.Disposal) {
	for _, r := range f.Rows {
		lines = append(lines, order.Disposal{SKU: r.SKU, Grade: order.Grade(r.Grade), To: order.Disposition(r.To), Accept: r.Accept == "yes"})
	}
	return lines
}

// returnForms offers what may be done about returns, and only that.
func (p *detailPage) returnForms(st *order.State, v order.View, may []order.Source, offer func(form) *form, now time.Time) {
	legal := func(e func(order.Meta) order.Event) bool {
		return slices.ContainsFunc(may, func(by order.Source) bool {
			return order.WouldGrant(st, now, e(order.Meta{By: by, Reason: "asked for"})) == nil
		})
	}
	ask := form{Act: "request-return"}
	for _, a := range order.Returnable(st, now) {
		if len(ask.Rows) == maxRows {
			break
		}
		one := order.ReturnLine{SKU: a.SKU, Quantity: 1, Reason: order.OtherReason, Wanted: order.RefundRemedy}
		if len(ask.Rows) == 0 && !legal(func(m order.Meta) order.Event { return order.RequestReturn{Meta: m, Lines: []order.ReturnLine{one}} }) {
			break
		}
		name := clean(a.SKU, 100)
		if l := st.LineBySKU(a.SKU); l != nil && l.Name != "" {
			name = clean(l.Name, 120)
		}
		ask.Rows = append(ask.Rows, formRow{SKU: a.SKU, Name: name, Most: a.Quantity})
	}
	if len(ask.Rows) > 0 {
		p.AskReturn = offer(ask)
	}
	for _, rows := range [][]parcelRow{p.Parcels, p.Settled} {
		for i := range rows {
			if id := rows[i].ID; legal(func(m order.Meta) order.Event { return order.RequestReturn{Meta: m, Parcel: id} }) {
				rows[i].TakeIn = offer(form{Act: "take-in", Of: id})
			}
		}
	}
	for i := range p.Returns {
		r := &p.Returns[i]
		mine := func(act order.ReturnAct) bool {
			by, _ := r.view.Step(act)
			return slices.ContainsFunc(by, func(b order.Source) bool { return slices.Contains(may, b) })
		}
		if mine(order.ActDecide) {
			r.Decide = offer(form{Act: "decide-return", Of: r.ID, Choices: []choice{{"agree", "Authorize", false}, {"reject", "Reject", false}}})
		}
		if mine(order.ActShip) {
			r.Ship = offer(form{Act: "ship-return", Of: r.ID})
		}
		known := st.PackageOf(&r.view.Return)
		if mine(order.ActLabel) {
			r.Label = offer(boxed(form{Act: "ask-label", Of: r.ID, typed: typed{Carrier: st.Spec.Policy.ReturnCarrier}}, known))
		}
		if mine(order.ActPickup) {
			r.PickUp = offer(boxed(form{Act: "ask-pickup", Of: r.ID, typed: typed{Carrier: st.PickupCarrier(r.ID)}}, known))
		}
		for j := range r.Bookings {
			if b := &r.Bookings[j]; b.label && b.Tracking == r.view.Box.Tracking {
				b.Href = labelHref(v.ID, r.ID)
			}
			if b := &r.Bookings[j]; b.state == order.BookingByHand && legal(func(m order.Meta) order.Event { return order.EndBooking{Meta: m, Booking: b.ID} }) {
				b.End = offer(form{Act: "end-booking", Of: r.ID + " " + b.ID})
			}
			if b := &r.Bookings[j]; legal(func(m order.Meta) order.Event { return order.VoidBooking{Meta: m, Booking: b.ID} }) {
				b.Void = offer(form{Act: "void-booking", Of: r.ID + " " + b.ID})
			}
		}
		if mine(order.ActInspect) {
			r.Inspect = inspectHref(v.ID, r.ID, "")
		}
		if mine(order.ActDispose) {
			f := form{Act: "dispose-return", Of: r.ID}
			for _, x := range r.view.Findings {
				if x.Accepted || slices.ContainsFunc(f.Rows, func(o formRow) bool { return o.SKU == x.SKU && o.Grade == string(x.Grade) }) || len(f.Rows) == maxRows {
					continue
				}
				f.Rows = append(f.Rows, formRow{SKU: x.SKU, Name: clean(x.SKU, 100), Grade: string(x.Grade), Label: gradeWords[x.Grade], rowTyped: rowTyped{To: string(x.To)}})
			}
			r.Dispose = offer(f)
		}
		if mine(order.ActSendBack) {
			r.Send = offer(form{Act: "send-back", Of: r.ID})
		}
		if mine(order.ActCancel) {
			r.Cancel = offer(form{Act: "cancel-return", Of: r.ID})
		}
	}
}

// Reasons and wishes that the request form offers.
func (f *form) Reasons() []choice {
	var list []choice
	for _, r := range order.ReturnReasons {
		if r != order.NotDelivered {
			list = append(list, choice{Value: string(r), Label: label(string(r))})
		}
	}
	return list
}

func (f *form) Wishes() []choice {
	return []choice{{"refund", "refund", false}, {"replacement", "replacement", false}, {"exchange", "exchange", false}}
}

// Places where goods may go, for the disposal form.
func (f *form) Places(grade string) []choice {
	if order.Grade(grade) == order.GradeMissing {
		return []choice{{"", "nothing to send", false}}
	}
	var list []choice
	for _, d := range order.Dispositions {
		list = append(list, choice{Value: string(d), Label: label(string(d))})
	}
	return list
}

// inspectionPage grades a return, one line at a time: for gloves and a scanner that
// types.
type inspectionPage struct {
	head
	ID, Number, Order, State string
	Graded, Units            int
	Lines                    []inspectLine
	Findings                 []findingRow
	Form                     *form // of the chosen line; nil: none is chosen yet
	Name                     string
	Left                     int
	Grades                   []choice
	Unknown, Did, Refused    string
	Open                     bool // something is left to grade, and who looks may
}

type inspectLine struct {
	Href, SKU, Name, Reason string
	Left                    int
	Chosen                  bool
}

func inspectHref(orderID, id, scan string) string {
	href := orderHref(orderID) + "/returns/" + url.PathEscape(id)
	if scan != "" {
		href += "?scan=" + url.QueryEscape(scan)
	}
	return href
}

func (s *server) inspection(c echo.Context, w who) error {
	o, err := s.Store.Order(c.Request().Context(), pathID(c))
	if errors.Is(err, store.ErrNotFound) {
		return s.noOrder2(c, w)
	}
	if err != nil {
		return s.consoleError(c, w, "order", err)
	}
	return s.showInspection(c, w, o, c.Param("return"), http.StatusOK, nil)
}

// showInspection draws it, with a form that was refused if there is one.
func (s *server) showInspection(c echo.Context, w who, o store.Order, id string, status int, posted *form) error {
	_, may, _ := s.roleNow(c.Request().Context(), w)
	p, ok := inspectionOf(o, id, clean(c.QueryParam("scan"), 100), may, posted, s.Now())
	if !ok {
		return s.render(c, http.StatusNotFound, "console-message", messagePage{s.head(w, "No such return", "returns"), "There is no return “" + clean(id, 20) + "” of this order.", "Look at the order, or at the list of returns."})
	}
	p.head = s.head(w, "Inspect "+p.ID, "returns")
	if posted == nil {
		p.Did = did[c.QueryParam("did")]
	}
	return s.render(c, status, "inspection", p)
}

func inspectionOf(o store.Order, id, scan string, may []order.Source, posted *form, now time.Time) (p inspectionPage, ok bool) {
	st := o.Current()
	v := order.ViewOf(st)
	i := slices.IndexFunc(v.Returns, func(r order.ReturnView) bool { return r.ID == id })
	if i < 0 {
		return p, false
	}
	r := v.Returns[i]
	row := returnRowOf(r, now)
	p = inspectionPage{ID: r.ID, Number: clean(v.Number, 64), Order: orderHref(v.ID), State: row.State, Findings: row.Findings}
	by, _ := r.Step(order.ActInspect)
	p.Open = slices.ContainsFunc(by, func(b order.Source) bool { return slices.Contains(may, b) })
	if posted != nil {
		p.Refused = posted.Error
		if len(posted.Rows) > 0 {
			scan = posted.Rows[0].SKU
		}
	}
	chosen := -1
	for _, l := range r.Lines {
		left := r.Left(l.SKU)
		p.Units, p.Graded = p.Units+l.Quantity, p.Graded+l.Quantity-left
		name := ""
		if line := st.LineBySKU(l.SKU); line != nil {
			name = clean(line.Name, 120)
		}
		line := inspectLine{Href: inspectHref(v.ID, r.ID, l.SKU), SKU: clean(l.SKU, 100), Name: name, Reason: label(string(l.Reason)), Left: left, Chosen: strings.EqualFold(l.SKU, scan)}
		if line.Chosen && left > 0 {
			chosen = len(p.Lines)
		}
		p.Lines = append(p.Lines, line)
	}
	known := slices.ContainsFunc(p.Lines, func(l inspectLine) bool { return l.Chosen })
	if scan != "" && !known {
		p.Unknown = scan
	}
	if scan == "" && len(p.Lines) == 1 && p.Lines[0].Left > 0 {
		chosen = 0 // there is nothing to choose
	}
	if chosen < 0 || !p.Open {
		return p, true
	}
	l := p.Lines[chosen]
	p.Left, p.Name = l.Left, l.SKU
	if l.Name != "" {
		p.Name = l.Name
	}
	f := form{Href: orderHref(v.ID) + "/act", Act: "inspect-return", Of: r.ID, Rows: []formRow{{SKU: r.Lines[chosen].SKU, Most: l.Left, rowTyped: rowTyped{Quantity: "1"}}}}
	if posted != nil {
		f.typed = posted.typed
		if len(posted.Rows) > 0 {
			f.Rows[0].Quantity = posted.Rows[0].Quantity
		}
	}
	f.Seen = f.subject(v)
	p.Form = &f
	for _, g := range order.Grades {
		p.Grades = append(p.Grades, choice{string(g), gradeWords[g], false})
	}
	return p, true
}
