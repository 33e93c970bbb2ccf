package ups

import (
	"cmp"
	_ "embed"
	"strings"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/order"
)

//go:embed codes.tsv
var tsv string

// Codes is UPS's code table.
var Codes = carriers.MustTable(tsv)

type key struct{ table, code string }

var rows = func() map[key]carriers.Row {
	m := map[key]carriers.Row{}
	for _, r := range Codes.Rows() {
		m[key{r.Table, r.Code}] = r
	}
	// Our list takes UPS's word "delivered" for these; what it describes is not.
	amend(m, key{"DIALS", "ZI"}, order.ReadyForPickup) // left at a UPS retail location: a shop has it
	amend(m, key{"EXC", "2S"}, order.InTransit)        // SurePost package sent to the consignee
	return m
}()

func amend(m map[key]carriers.Row, k key, to order.Milestone) {
	if r, ok := m[k]; ok {
		r.Milestone, r.Kind = to, "amended"
		m[k] = r
	}
}

// boxes are deliveries into something of the receiver's, whose meaning names the
// receiver and not the thing.
var boxes = map[string]carriers.DeliveredTo{"NL": carriers.ToLocker, "NT": carriers.ToPorch, "OZ": carriers.ToPorch}

// leftWith is what a delivery code says of where the package is.
func leftWith(k key) carriers.DeliveredTo {
	if k.table != "DIALS" {
		return ""
	}
	if to, ok := boxes[k.code]; ok {
		return to
	}
	return carriers.LeftWith(rows[k].Meaning)
}

// corrections take back what UPS said before.
var corrections = map[key]bool{
	{"ULD", "CA"}: true, {"ULD", "CD"}: true, {"ULD", "CL"}: true, // cancelled arrival, departure, unload
	{"EXC", "8I"}: true, // wrongly scanned as picked up: back to waiting in the shop
}

// finer names the tables in which a code of an activity type may stand. The same
// letters mean different things in each, so nothing else is searched.
var finer = map[string][]string{
	"D":  {"DIALS"},
	"X":  {"EXC"},
	"I":  {"ULD"},
	"M":  {"MANIFEST", "ULD"},
	"MV": {"MANIFEST"},
	// Freight: delivered at a freight station, warehousing.
	"DO": {"FA"}, "DD": {"FA"}, "W": {"FA"},
}

// status is what an activity says happened.
type status struct {
	Type        text `json:"type"`
	Code        text `json:"code"`
	StatusCode  text `json:"statusCode"`
	Description text `json:"description"`
}

// read finds the row that an activity's codes mean. The numeric status code is
// UPS's stable, customer-facing word; type and code say more than it does, but
// are let through only where they do not promise more than it does.
func read(s status) (key, carriers.Reading) {
	kind, code := token(s.Type), token(s.Code)
	coarse, known := rows[key{"statusCode", number(token(s.StatusCode))}]
	known = known && coarse.Kind != "unknown" // "status not available" says nothing
	fine, found := refine(kind, code)
	var r carriers.Row
	switch {
	case kind == "U":
		// Updates of Track Alert: a new date, a new time, a photo. Nothing moved.
		r = carriers.Row{Table: "U", Code: cmp.Or(code, "U")}
	case known && found:
		r = decide(coarse, fine)
	case known:
		r = coarse
	case found:
		r = fine
	default:
		return unmapped(s)
	}
	return key{r.Table, r.Code}, guard(r, s.Description.Clean(500))
}

func refine(kind, code string) (carriers.Row, bool) {
	for _, t := range finer[kind] {
		if r, ok := rows[key{t, code}]; ok {
			return r, true
		}
	}
	return carriers.Row{}, false
}

// unmapped keeps the most telling code that there is, and moves nothing.
func unmapped(s status) (key, carriers.Reading) {
	kind, code, num := token(s.Type), token(s.Code), number(token(s.StatusCode))
	none := carriers.Reading{Unmapped: true}
	switch tables := finer[kind]; {
	case num != "":
		r, listed := rows[key{"statusCode", num}]
		if listed {
			none = r.Reading // 000, 088, 148, 163: known to say nothing
		}
		return key{"statusCode", num}, none
	case code != "" && len(tables) > 0:
		return key{tables[0], code}, none
	case code != "":
		return key{"type", cmp.Or(kind, "none") + " " + code}, none
	}
	return key{"type", cmp.Or(kind, "none")}, none
}

// settled says that a parcel's way ended otherwise than with its receiver.
func settled(m order.Milestone) bool {
	return m == order.Returning || m == order.Returned || m == order.Lost || m == order.Destroyed
}

func paper(r carriers.Row) bool { return r.Kind == "label" || r.Kind == "void" }

// alongside are buckets that a delivered parcel may have: late or not whole, but there.
var alongside = map[string]bool{"carrier_delay": true, "weather": true, "equipment": true, "missort_missed": true, "damage": true, "shortage": true}

// decide chooses between the status code's row and the finer one.
func decide(coarse, fine carriers.Row) carriers.Row {
	switch {
	// Whoever says that UPS does not have it is believed.
	case paper(fine):
		return fine
	case paper(coarse):
		return coarse
	case corrections[key{fine.Table, fine.Code}]:
		return fine
	case coarse.Milestone == order.Delivered:
		return veto(coarse, fine)
	case fine.Milestone == order.Delivered:
		return coarse // only the status code may say delivered where both speak
	case settled(coarse.Milestone) && !settled(fine.Milestone):
		return coarse
	case fine.Kind == "exception" && (coarse.Kind == "attempt" || coarse.Kind == "ready_pickup"):
		coarse.Bucket = fine.Bucket // the why of the attempt
		return coarse
	case fine.Kind == "info" && !vague(coarse):
		return coarse
	case coarse.Kind == "exception" && !vague(coarse) && (fine.Kind == "transit" || fine.Kind == "possession"):
		return coarse
	case coarse.Kind == "info":
		return coarse // a request, a photo: it moves nothing, whatever code it hangs on
	}
	return fine
}

func vague(r carriers.Row) bool { return r.Kind == "exception" && r.Bucket == "generic" }

// veto keeps "delivered" unless the finer code says where it really went.
func veto(delivered, fine carriers.Row) carriers.Row {
	switch {
	case fine.Milestone == order.Delivered:
		return fine // the same, and says where it was left
	case fine.Kind == "info":
		return delivered
	case fine.Kind == "exception" && alongside[fine.Bucket]:
		delivered.Bucket = fine.Bucket
		return delivered
	}
	return fine
}

// elsewhere are deliveries to somebody who is not the receiver, in UPS's English
// words, for codes that our table does not tell apart.
var elsewhere = []struct {
	words string
	to    order.Milestone
}{
	{"delivered to original sender", order.Returned},
	{"delivered to sender", order.Returned},
	{"delivered to shipper", order.Returned},
	{"returned to sender", order.Returned},
	{"returned to shipper", order.Returned},
	{"delivered to ups access point", order.ReadyForPickup},
	{"delivered to an access point", order.ReadyForPickup},
	{"delivered to access point", order.ReadyForPickup},
	{"delivered to a ups access point", order.ReadyForPickup},
	{"delivered to the post office", order.ReadyForPickup},
	{"delivered to post office", order.ReadyForPickup},
	{"delivered to agent", order.InTransit},
	{"delivered to an agent", order.InTransit},
}

// guard takes "delivered" back where the words say that it was not to the receiver.
func guard(r carriers.Row, words string) carriers.Reading {
	if r.Milestone != order.Delivered {
		return r.Reading
	}
	words = strings.ToLower(strings.ReplaceAll(words, "™", ""))
	for _, e := range elsewhere {
		if strings.Contains(words, e.words) {
			return carriers.Reading{Milestone: e.to, Physical: true}
		}
	}
	return r.Reading
}

// token is a code without what may surround it.
func token(t text) string { return strings.ToUpper(t.Clean(40)) }

// number brings a status code to its three digits: as a JSON number it loses its zeros.
func number(s string) string {
	if s != "" && len(s) < 3 && strings.Trim(s, "0123456789") == "" {
		return strings.Repeat("0", 3-len(s)) + s
	}
	return s
}
