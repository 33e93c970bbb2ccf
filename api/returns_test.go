package api

import (
	"testing"
	"time"

	"github.com/waybillhq/waybill/internal/store"
)

// Any cursor that is taken says the same when it is written again.
func FuzzCursors(f *testing.F) {
	at := time.Date(2026, 11, 22, 3, 0, 0, 5, time.UTC)
	f.Add(formatCursor(store.Cursor{PlacedAt: at, ID: "acme:1001"}))
	f.Add(rowCursor(at, 7))
	f.Add(formatCaseCursor(store.CaseCursor{Due: at, OrderID: "acme:1001", Kind: "late", Parcel: "1"}))
	f.Add("W10")
	f.Add("\x00")
	f.Fuzz(func(t *testing.T, s string) {
		if k, ok := parseCursor(s); ok {
			if again, ok := parseCursor(formatCursor(k)); !ok || !again.PlacedAt.Equal(k.PlacedAt) || again.ID != k.ID {
				t.Errorf("%+v becomes %+v (%v)", k, again, ok)
			}
		}
		if k, ok := parseCaseCursor(s); ok {
			again, ok := parseCaseCursor(formatCaseCursor(k))
			same := again.Due.Equal(k.Due) && again.OrderID == k.OrderID && again.Kind == k.Kind && again.Parcel == k.Parcel
			if !ok || !same {
				t.Errorf("%+v becomes %+v (%v)", k, again, ok)
			}
		}
	})
}

func FuzzReturnCursor(f *testing.F) {
	f.Add(formatReturnCursor(store.ReturnCursor{At: time.Date(2026, 11, 22, 3, 0, 0, 5, time.UTC), OrderID: "acme:1001", ID: "R1"}))
	f.Add("AAAA")
	f.Add("WyIyMDI2LTExLTIyVDAzOjAwOjAwWiIsIlx1MDAwMCIsIlIxIl0")
	f.Fuzz(func(t *testing.T, s string) {
		k, ok := parseReturnCursor(s)
		if !ok {
			return
		}
		again, ok := parseReturnCursor(formatReturnCursor(k))
		if !ok || !again.At.Equal(k.At) || again.OrderID != k.OrderID || again.ID != k.ID {
			t.Errorf("%+v becomes %+v (%v)", k, again, ok)
		}
	})
}
