package epcis

import (
	"slices"

	"github.com/waybillhq/waybill/order"
)

// step is a business step of the CBV that is a scan of ours, with the
// dispositions that go with it; "": none needs to be told.
type step struct {
	name         string
	kind         order.ScanKind
	dispositions []string
}

// An EPCIS event tells that a step is done. Commissioning gives a thing its
// identity, usually as "active"; only if told to be in progress is it a part of
// picking.
var steps = []step{
	{"commissioning", order.ScanPicked, []string{"in_progress"}},
	{"picking", order.ScanPicked, []string{"", "in_progress"}},
	{"packing", order.ScanPacked, []string{"", "in_progress", "container_closed"}},
	{"staging_outbound", order.ScanSorted, []string{"", "in_progress", "container_closed"}},
	{"loading", order.ScanSorted, []string{"", "in_progress", "container_closed", "in_transit"}},
	{"shipping", order.ScanHandedOver, []string{"", "in_transit"}},
	{"departing", order.ScanHandedOver, []string{"", "in_transit"}},
	{"arriving", order.ScanReceived, []string{"", "in_progress"}},
	{"receiving", order.ScanReceived, []string{"", "in_progress"}},
	{"arriving", order.ScanReturned, []string{"returned"}},
	{"receiving", order.ScanReturned, []string{"returned"}},
}

// returnSteps follow a return's arrival. There is no scan for them yet.
var returnSteps = []string{"accepting", "inspecting", "storing", "stocking", "holding", "destroying", "decommissioning"}

// otherSteps of CBV 2.0 are none in sending a parcel.
var otherSteps = []string{
	"assembling", "collecting", "consigning", "creating_class_instance", "cycle_counting", "disassembling", "dispensing", "encoding", "entering_exiting",
	"installing", "killing", "other", "removing", "repackaging", "repairing", "replacing", "reserving", "retail_selling", "sampling", "sensor_reporting",
	"stock_taking", "transporting", "unloading", "unpacking",
}

// kindOf is the scan that an event is, or why it is none.
func kindOf(e *Event) (order.ScanKind, *order.Refusal) {
	if e.Action == "DELETE" {
		if e.Type == Aggregation {
			return "", no("action", "DELETE takes things apart, which is no scan; what follows in the document heeds it")
		}
		return "", no("action", "DELETE ends what the EPCs name, which is no scan")
	}
	return stepKind(e.Step, e.Disposition)
}

func stepKind(name, disposition string) (order.ScanKind, *order.Refusal) {
	known := false
	for _, s := range steps {
		if s.name != name {
			continue
		}
		if known = true; slices.Contains(s.dispositions, disposition) {
			return s.kind, nil
		}
	}
	switch {
	case known && disposition == "":
		return "", no("disposition", "is needed with "+name)
	case known:
		return "", no("disposition", "does not go with "+name+": a scan cannot tell it")
	case name == "":
		return "", no("bizStep", "is needed")
	case name == "void_shipping":
		return "", no("bizStep", "takes a hand-over back, which no scan can: have support correct the milestone")
	case slices.Contains(returnSteps, name):
		return "", no("bizStep", name+" is a step of returns, which is not taken yet")
	case slices.Contains(otherSteps, name):
		return "", no("bizStep", name+" is no step in sending a parcel")
	}
	return "", no("bizStep", "is not a business step of CBV 2.0")
}
