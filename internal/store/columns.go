package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/waybillhq/waybill/order"
)

// column is an array parameter that is built as PostgreSQL reads it: one value for
// each fact of a batch, or a single one if all are alike, as in most columns they
// are. A slice costs pgx an allocation per value, and PostgreSQL an unnest of it.
type column struct {
	n      int    // values
	varies bool   // body holds all of them, not only the first
	first  int    // bytes of the first value
	body   []byte // each value: its length and its bytes
}

// reset empties it and keeps its memory, unless one batch was far above the usual.
func (c *column) reset(whole bool) {
	if cap(c.body) > 1<<20 {
		c.body = nil
	}
	*c = column{varies: whole, body: c.body[:0]}
}

func (c *column) text(s string) {
	at := len(c.body)
	c.body = append(binary.BigEndian.AppendUint32(c.body, uint32(len(s))), s...)
	c.added(at)
}

func (c *column) flag(b bool) {
	at := len(c.body)
	var v byte
	if b {
		v = 1
	}
	c.body = append(c.body, 0, 0, 0, 1, v)
	c.added(at)
}

func (c *column) number(n int) {
	at := len(c.body)
	c.body = binary.BigEndian.AppendUint32(append(c.body, 0, 0, 0, 4), uint32(int32(min(n, math.MaxInt32))))
	c.added(at)
}

// epoch of PostgreSQL's times, which count microseconds.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()

func (c *column) time(t time.Time) {
	at := len(c.body)
	c.body = binary.BigEndian.AppendUint64(append(c.body, 0, 0, 0, 8), uint64(t.UnixMicro()-epoch))
	c.added(at)
}

// never stands for no time: -infinity. A null would stand for the first value.
func (c *column) never() {
	at := len(c.body)
	c.body = append(c.body, 0, 0, 0, 8, 0x80, 0, 0, 0, 0, 0, 0, 0)
	c.added(at)
}

// added takes what was appended at that place as the next value.
func (c *column) added(at int) {
	c.n++
	switch {
	case c.n == 1:
		c.first = len(c.body)
	case c.varies:
	case bytes.Equal(c.body[at:], c.body[:c.first]):
		c.body = c.body[:at]
	default: // the first that differs
		c.varies = true
		next := slices.Clone(c.body[at:])
		c.body = c.body[:at]
		for range c.n - 2 {
			c.body = append(c.body, c.body[:c.first]...)
		}
		c.body = append(c.body, next...)
	}
}

// encode writes the column as an array of elements of that type.
func (c *column) encode(element uint32, buf []byte) ([]byte, error) {
	if c.n == 0 || c.n > math.MaxInt32 {
		return nil, errors.New("a column needs 1 to 2^31 values")
	}
	n := uint32(1)
	if c.varies {
		n = uint32(c.n)
	}
	for _, v := range [...]uint32{1 /* dimension */, 0 /* nulls */, element, n, 1 /* lower bound */} {
		buf = binary.BigEndian.AppendUint32(buf, v)
	}
	return append(buf, c.body...), nil
}

// columnCodec is pgx's codec of an array type, but for columns.
type columnCodec struct {
	pgtype.Codec
	element uint32
}

func (c columnCodec) PlanEncode(m *pgtype.Map, oid uint32, format int16, value any) pgtype.EncodePlan {
	if _, ok := value.(*column); ok && format == pgtype.BinaryFormatCode {
		return c
	}
	return c.Codec.PlanEncode(m, oid, format, value)
}

func (c columnCodec) Encode(value any, buf []byte) ([]byte, error) {
	return value.(*column).encode(c.element, buf)
}

func registerColumns(conn *pgx.Conn) {
	m := conn.TypeMap()
	for array, element := range map[uint32]uint32{pgtype.TextArrayOID: pgtype.TextOID, pgtype.BoolArrayOID: pgtype.BoolOID,
		pgtype.Int4ArrayOID: pgtype.Int4OID, pgtype.TimestamptzArrayOID: pgtype.TimestamptzOID} {
		if t, ok := m.TypeForOID(array); ok {
			m.RegisterType(&pgtype.Type{Name: t.Name, OID: t.OID, Codec: columnCodec{t.Codec, element}})
		}
	}
}

// factParameters are what the intake sends of each fact, in the order of the
// statement's parameters.
var factParameters = []struct {
	name, typ string
	put       func(*column, *Fact)
}{
	{wholeColumn, "text", func(c *column, f *Fact) { c.text(f.EventID) }},
	{"source", "text", func(c *column, f *Fact) { c.text(f.Source) }},
	{"kind", "text", func(c *column, f *Fact) { c.text(string(f.Kind)) }},
	{"ref_order", "text", func(c *column, f *Fact) { c.text(f.RefOrder) }},
	{"ref_parcel", "text", func(c *column, f *Fact) { c.text(f.RefParcel) }},
	{"only_store", "text", func(c *column, f *Fact) { c.text(f.OnlyStore) }},
	{"carrier", "text", func(c *column, f *Fact) { c.text(f.Carrier) }},
	{"tracking", "text", func(c *column, f *Fact) { c.text(f.Tracking) }},
	{"milestone", "text", func(c *column, f *Fact) { c.text(f.Milestone) }},
	{"code", "text", func(c *column, f *Fact) { c.text(f.Code) }},
	{"bucket", "text", func(c *column, f *Fact) { c.text(f.Bucket) }},
	{"physical", "bool", func(c *column, f *Fact) { c.flag(f.Physical) }},
	{"correction", "bool", func(c *column, f *Fact) { c.flag(f.Correction) }},
	{"eta", "timestamptz", func(c *column, f *Fact) {
		if f.ETA == nil {
			c.never()
			return
		}
		c.time(*f.ETA)
	}},
	{"occurred_at", "timestamptz", func(c *column, f *Fact) { c.time(f.OccurredAt) }},
	{"local_time", "text", func(c *column, f *Fact) { c.text(f.LocalTime) }},
	{"utc_offset", "text", func(c *column, f *Fact) { c.text(f.UTCOffset) }},
	{"time_basis", "text", func(c *column, f *Fact) { c.text(f.TimeBasis) }},
	{"location", "text", func(c *column, f *Fact) { c.text(f.Location) }},
	{"description", "text", func(c *column, f *Fact) { c.text(f.Description) }},
	{"actor", "text", func(c *column, f *Fact) { c.text(f.Actor) }},
	{"piece", "text", func(c *column, f *Fact) { c.text(f.Piece) }},
	{"unique_id", "text", func(c *column, f *Fact) { c.text(f.UniqueID) }},
	{"delivered_to", "text", func(c *column, f *Fact) { c.text(f.DeliveredTo) }},
	{"pieces", "int", func(c *column, f *Fact) { c.number(f.Pieces) }},
	{"whole", "bool", func(c *column, f *Fact) { c.flag(f.Whole) }},
	{"mapping", "int", func(c *column, f *Fact) {
		if f.Mapping == 0 && !f.Unmapped {
			c.number(-1) // our own reading
			return
		}
		c.number(f.Mapping)
	}},
	{"ride", "text", func(c *column, f *Fact) { c.text(f.ride()) }},
}

// wholeColumn has a value for each fact, also when all are alike: the number of
// rows is its length.
const wholeColumn = "event_id"

// ride is the milestone of its parcel at which the fact may ride along: "*" at
// any, "" at none.
func (f *Fact) ride() string {
	var at order.Milestone
	var always bool
	switch f.Kind {
	case KindScan:
		at, always = order.RidesAlong(f.Event(""))
	case KindCarrierEvent:
		e := f.carrierEvent("")
		at, always = e.RidesAlong()
	}
	if always {
		return "*"
	}
	return string(at)
}

// factItems are the facts that were sent, numbered from 1 as k. The array of a
// column whose values are alike holds one: it stands in the first row, and for the
// others.
var factItems = func() string {
	var columns, arrays, names strings.Builder
	for i, p := range factParameters {
		if i > 0 {
			columns.WriteString(", ")
			arrays.WriteString(", ")
			names.WriteString(", ")
		}
		array := "$" + strconv.Itoa(i+1) + "::" + p.typ + "[]"
		arrays.WriteString(array)
		names.WriteString(p.name)
		if p.name == wholeColumn {
			columns.WriteString(p.name)
		} else {
			columns.WriteString("coalesce(" + p.name + ", (select (" + array + ")[1])) as " + p.name)
		}
	}
	return "select k, " + columns.String() + " from unnest(" + arrays.String() + ") with ordinality as t (" + names.String() + ", k)"
}()
