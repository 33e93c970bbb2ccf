package carriers

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/waybillhq/waybill/order"
)

// Table is a carrier's codes and our reading of them, keyed by (table, code).
// It is data: tab-separated lines of table, code, milestone, bucket, meaning,
// after the carriers' published lists.
type Table struct {
	rows map[[2]string]Row
	list []Row
}

// Row is one code.
type Row struct {
	Table, Code string
	Reading
	// Kind is the milestone in the vocabulary of the published lists (label,
	// possession, transit, exception, info...), Meaning the carrier's words.
	Kind, Meaning string
}

// kinds reads the vocabulary of the lists into ours. Paper never is movement:
// label, void, info and exceptions that only say that something is known.
var kinds = map[string]struct {
	milestone order.Milestone
	physical  bool
}{
	"label":        {order.Labelled, false},
	"void":         {"", false},
	"possession":   {order.Accepted, true},
	"transit":      {order.InTransit, true},
	"customs":      {order.InCustoms, true},
	"ofd":          {order.OutForDelivery, true},
	"ready_pickup": {order.ReadyForPickup, true},
	"arrived_dest": {order.InTransit, true},
	"attempt":      {order.AttemptFailed, true},
	"partial":      {order.InTransit, true}, // some pieces are delivered: delivered is when all are
	"delivered":    {order.Delivered, true},
	"returning":    {order.Returning, true},
	"returned":     {order.Returned, true},
	"exception":    {"", false},
	"info":         {"", false},
	"custody":      {"", true}, // says who holds it, not how far it is
	"none":         {"", false},
	"closed":       {"", false},
	"unknown":      {"", false},
}

// Kinds lists the vocabulary, in order.
func Kinds() []string { return slices.Sorted(maps.Keys(kinds)) }

// endings are buckets of exceptions that end a parcel's way.
var endings = map[string]order.Milestone{"lost": order.Lost, "destroyed_seized": order.Destroyed}

// Bucketed says whether a kind has a bucket; of the others it is dropped.
func Bucketed(kind string) bool {
	return slices.Contains([]string{"exception", "attempt", "customs", "partial"}, kind)
}

// ReadingOf is what a kind means to an order. ok is false for an unknown one.
func ReadingOf(kind, bucket string) (r Reading, ok bool) {
	k, ok := kinds[kind]
	r = Reading{Milestone: k.milestone, Physical: k.physical}
	if Bucketed(kind) {
		r.Bucket = bucket
	}
	if m, ends := endings[bucket]; ends && kind == "exception" {
		r.Milestone = m
	}
	return r, ok
}

// MustTable reads a table that is part of the program.
func MustTable(tsv string) *Table {
	t, err := ParseTable(tsv)
	if err != nil {
		panic(err)
	}
	return t
}

// ParseTable reads a table; lines that start with # and empty ones are skipped.
func ParseTable(tsv string) (*Table, error) {
	t := &Table{rows: map[[2]string]Row{}}
	for i, line := range strings.Split(tsv, "\n") {
		line = strings.TrimRight(line, "\r")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(line, "\t")
		if len(f) != 5 {
			return nil, fmt.Errorf("line %d: %d fields, want table, code, milestone, bucket, meaning", i+1, len(f))
		}
		reading, ok := ReadingOf(f[2], f[3])
		if !ok {
			return nil, fmt.Errorf("line %d: unknown milestone %q", i+1, f[2])
		}
		r := Row{Table: f[0], Code: f[1], Kind: f[2], Meaning: f[4], Reading: reading}
		key := [2]string{r.Table, r.Code}
		if _, twice := t.rows[key]; twice {
			return nil, fmt.Errorf("line %d: %s %s stands twice", i+1, r.Table, r.Code)
		}
		t.rows[key] = r
		t.list = append(t.list, r)
	}
	return t, nil
}

// Read gives the reading of a code. An unknown one moves nothing and says so.
func (t *Table) Read(table, code string) Reading {
	if r, ok := t.Find(table, code); ok {
		return r.Reading
	}
	return Reading{Unmapped: true}
}

// Find gives the row of a code.
func (t *Table) Find(table, code string) (Row, bool) {
	r, ok := t.rows[[2]string{table, code}]
	return r, ok
}

// Lookup finds every row of a code, in all tables.
func (t *Table) Lookup(code string) []Row {
	var rows []Row
	for _, r := range t.list {
		if strings.EqualFold(r.Code, code) {
			rows = append(rows, r)
		}
	}
	return rows
}

// Rows lists the whole table.
func (t *Table) Rows() []Row { return t.list }
