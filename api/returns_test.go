package api

import (
	"testing"
	"time"

	"github.com/waybillhq/waybill/internal/store"
)

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
