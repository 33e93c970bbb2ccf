package usps

import (
	_ "embed"
	"strings"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/order"
)

//go:embed codes.tsv
var tsv string

// Codes is USPS's code table. It is not complete.
var Codes = carriers.MustTable(tsv)

const table = "eventCode"

// hint is what words say that a code does not.
type hint struct {
	words string
	r     carriers.Reading
}

// toOthers are deliveries to somebody who is not the receiver: code 01 covers every
// flavour, and only the words tell them apart.
var toOthers = []hint{
	{"original sender", carriers.Reading{Milestone: order.Returned, Physical: true}},
	{"to sender", carriers.Reading{Milestone: order.Returned, Physical: true}},
	{"to agent", carriers.Reading{Milestone: order.InTransit, Physical: true}},
	{"to an agent", carriers.Reading{Milestone: order.InTransit, Physical: true}},
	{"agent for final delivery", carriers.Reading{Milestone: order.InTransit, Physical: true}},
	{"held at post office", carriers.Reading{Milestone: order.ReadyForPickup, Physical: true}},
}

// notYet are words of the time before USPS has the parcel, whatever the code.
var notYet = []string{"awaiting item", "label created", "pre-shipment", "not yet in system"}

// read finds what an event means: the code says it, the words may only take away.
func read(code, said, category string) carriers.Reading {
	r := Codes.Read(table, code)
	said = strings.ToLower(said)
	if r.Physical {
		for _, w := range notYet {
			if strings.Contains(said, w) {
				return carriers.Reading{Milestone: order.Labelled}
			}
		}
	}
	switch {
	case r.Milestone == order.Delivered:
		return delivered(r, said, category)
	case (code == "NT" || code == "TL") && strings.Contains(said, "late"):
		// "In Transit, Arriving Late" is USPS's calendar speaking, not a scan.
		return carriers.Reading{Bucket: "carrier_delay"}
	}
	return r
}

func delivered(r carriers.Reading, said, category string) carriers.Reading {
	for _, h := range toOthers {
		if strings.Contains(said, h.words) {
			return h.r
		}
	}
	if strings.EqualFold(category, "Delivered to Agent") {
		return carriers.Reading{Milestone: order.InTransit, Physical: true}
	}
	return r
}

// left is where a delivered parcel was left: what follows the word "Delivered".
func left(said string) string {
	what, where, ok := strings.Cut(said, ",")
	if !ok || !strings.EqualFold(strings.TrimSpace(what), "delivered") {
		return ""
	}
	return carriers.Clean(where, 200)
}
