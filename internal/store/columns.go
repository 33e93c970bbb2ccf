package store

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// texts is a text[] parameter that is built as PostgreSQL reads it. The intake
// sends 17 of them with every batch, and a []string costs pgx an allocation per
// string.
type texts struct {
	n    int
	body []byte
}

func (t *texts) add(s string) {
	t.n++
	t.body = binary.BigEndian.AppendUint32(t.body, uint32(len(s)))
	t.body = append(t.body, s...)
}

// reset empties it and keeps its memory, unless one batch was far above the usual.
func (t *texts) reset() {
	if cap(t.body) > 1<<20 {
		t.body = nil
	}
	t.n, t.body = 0, t.body[:0]
}

// textsCodec is pgx's codec for text[], but for texts.
type textsCodec struct{ pgtype.Codec }

func (c textsCodec) PlanEncode(m *pgtype.Map, oid uint32, format int16, value any) pgtype.EncodePlan {
	if _, ok := value.(*texts); ok && format == pgtype.BinaryFormatCode {
		return encodeTexts{}
	}
	return c.Codec.PlanEncode(m, oid, format, value)
}

type encodeTexts struct{}

func (encodeTexts) Encode(value any, buf []byte) ([]byte, error) {
	t := value.(*texts)
	if t.n == 0 || t.n > math.MaxInt32 {
		return nil, errors.New("a column of texts needs 1 to 2^31 of them")
	}
	for _, v := range [...]uint32{1 /* dimension */, 0 /* nulls */, pgtype.TextOID, uint32(t.n), 1 /* lower bound */} {
		buf = binary.BigEndian.AppendUint32(buf, v)
	}
	return append(buf, t.body...), nil
}

func registerTexts(conn *pgx.Conn) {
	m := conn.TypeMap()
	if t, ok := m.TypeForOID(pgtype.TextArrayOID); ok {
		m.RegisterType(&pgtype.Type{Name: t.Name, OID: t.OID, Codec: textsCodec{t.Codec}})
	}
}
