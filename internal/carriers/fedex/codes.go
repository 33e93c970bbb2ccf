package fedex

import (
	"cmp"
	_ "embed"
	"strings"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/order"
)

//go:embed codes.tsv
var tsv string

// Codes is FedEx's code table: movement and regulatory codes in "scan", who holds
// the parcel in "possession_group". Events carry only the former.
var Codes = carriers.MustTable(tsv)

const table = "scan"

var rows = func() map[string]carriers.Row {
	m := map[string]carriers.Row{}
	for _, r := range Codes.Rows() {
		if r.Table == table {
			m[r.Code] = r
		}
	}
	return m
}()

// lookup finds a code as written ("Ow" is mixed case), then in capitals.
func lookup(code string) (carriers.Row, bool) {
	r, ok := rows[code]
	if !ok {
		r, ok = rows[strings.ToUpper(code)]
	}
	return r, ok
}

// read finds what a scan means. The event type says what happened; the derived
// status says what FedEx makes of it, and may take away but not add.
func read(s scan) (code string, r carriers.Reading) {
	kind, derived := s.Type.Clean(40), s.Derived.Clean(40)
	fine, found := lookup(kind)
	coarse, known := lookup(derived)
	var row carriers.Row
	switch {
	case found && known:
		row = decide(fine, coarse)
	case found:
		row = fine
	case known:
		row = coarse
	default:
		return cmp.Or(cmp.Or(kind, derived), "none"), carriers.Reading{Unmapped: true}
	}
	return row.Code, because(guard(row, s.words()), s)
}

func paper(r carriers.Row) bool { return r.Kind == "label" || r.Kind == "void" }

func decide(fine, coarse carriers.Row) carriers.Row {
	switch {
	// Whoever says that FedEx does not have it is believed.
	case paper(fine):
		return fine
	case paper(coarse):
		return coarse
	case fine.Milestone == order.Delivered && coarse.Milestone != order.Delivered && coarse.Kind != "info":
		return coarse // held, going back, still on the way: not with the receiver
	}
	return fine
}

// words of FedEx's that take a code's meaning away, in English.
var words = []struct {
	code, words string
	r           carriers.Reading
}{
	{"DL", "to shipper", carriers.Reading{Milestone: order.Returned, Physical: true}},
	{"DL", "to original shipper", carriers.Reading{Milestone: order.Returned, Physical: true}},
	{"DL", "to sender", carriers.Reading{Milestone: order.Returned, Physical: true}},
	{"DL", "to agent", carriers.Reading{Milestone: order.InTransit, Physical: true}},
	{"DL", "to an agent", carriers.Reading{Milestone: order.InTransit, Physical: true}},
	{"DL", "to usps", carriers.Reading{Milestone: order.InTransit, Physical: true}},
	{"DL", "to fedex location", carriers.Reading{Milestone: order.ReadyForPickup, Physical: true}},
	{"DL", "ready for pickup", carriers.Reading{Milestone: order.ReadyForPickup, Physical: true}},
	// FedEx's own lists use EA twice: en route to airport, and export approved.
	{"EA", "airport", carriers.Reading{Milestone: order.InTransit, Physical: true}},
	// And IN twice: initiated, and (webhook) on-demand care done.
	{"IN", "on-demand", carriers.Reading{}},
	{"IN", "on demand", carriers.Reading{}},
}

func guard(row carriers.Row, said string) carriers.Reading {
	for _, w := range words {
		if w.code == row.Code && strings.Contains(said, w.words) {
			return w.r
		}
	}
	return row.Reading
}

// reasons are the exception numbers that FedEx's test numbers show. The full list
// is not published where we could read it.
var reasons = map[string]string{
	"3":  "address",               // incorrect address
	"7":  "recipient_unavailable", // not available or business closed
	"83": "service_area",          // local restriction
	"99": "undeliverable",         // unable to deliver
}

// because gives an exception its bucket, from the reason or the kind of delay.
func because(r carriers.Reading, s scan) carriers.Reading {
	if r.Bucket == "" || r.Milestone != "" {
		return r // the reason of a code that is no exception explains nothing
	}
	number := strings.TrimLeft(s.Exception.Clean(10), "0")
	switch bucket := reasons[number]; {
	case number == "7" && r.Bucket == "delivery_exception":
		// Somebody stood at the door: an attempt, and it counts.
		return carriers.Reading{Milestone: order.AttemptFailed, Physical: true, Bucket: bucket}
	case bucket != "":
		r.Bucket = bucket
	case s.Delay.Status.Clean(20) == "DELAYED" && s.Delay.Type.Clean(20) == "WEATHER":
		r.Bucket = "weather"
	case s.Delay.Status.Clean(20) == "DELAYED" && s.Delay.Type.Clean(20) == "CLEARANCE":
		r.Bucket = "customs_delay"
	}
	return r
}
