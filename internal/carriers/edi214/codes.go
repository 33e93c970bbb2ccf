package edi214

import (
	_ "embed"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/order"
)

//go:embed codes.tsv
var tsv string

// Codes is the code table. Its tables are the elements of the X12 dictionary: the
// same two letters mean other things in each.
var Codes = carriers.MustTable(tsv)

const (
	statuses     = "1650" // AT7-01
	reasons      = "1651" // AT7-02, AT7-04
	appointments = "1652" // AT7-03
	ladings      = "33"   // Q7-01
)

// estimated are statuses whose time has not come: it is what is expected. True
// where it is expected of the delivery.
var estimated = map[string]bool{"AG": true, "X2": true, "B6": false, "C1": false}

// normal reasons explain nothing.
func normal(reason string) bool { return reason == "" || reason == "NS" || reason == "NA" }

// because gives a status its reason. A status that says where the freight is keeps
// its milestone; a delay and a storage say nothing of where it is, so the reason
// speaks. A refusal, a damage and paper without freight are their own reason.
func because(s carriers.Row, reason carriers.Row) carriers.Reading {
	r := s.Reading
	switch {
	case s.Code == "A7", s.Code == "A9", s.Code == "OO", r.Milestone == order.Labelled, s.Kind == "info", s.Kind == "void":
	case s.Code == "SD", s.Code == "BC":
		if reason.Milestone != "" || reason.Bucket != "" {
			return reason.Reading
		}
	case r.Milestone == order.Delivered || r.Milestone == order.Returned:
		// Why it came late no longer matters; what is wrong with it does.
		if lacking(reason.Bucket) {
			r.Bucket = reason.Bucket
		}
	case reason.Bucket != "":
		r.Bucket = reason.Bucket
	}
	return r
}

// lacking says that the freight is not as it was sent.
func lacking(bucket string) bool {
	return bucket == "shortage" || bucket == "damage" || bucket == "refused"
}

// condition is what a Q7 adds to the status it follows. Freight of which nothing
// came, or that was all refused, is not delivered, whatever the status says.
func condition(r carriers.Reading, lading carriers.Row) carriers.Reading {
	if r.Unmapped || lading.Bucket == "" {
		return r
	}
	if r.Milestone == order.Delivered && (lading.Code == "A" || lading.Code == "E") {
		r.Milestone = ""
	}
	if r.Bucket == "" || lacking(lading.Bucket) {
		r.Bucket = lading.Bucket
	}
	return r
}
