package app

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/waybillhq/waybill/activities"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

// What a carrier made is taken back by whoever made it, or a person hears why not. Of
// what is void no label is left.
func TestWhatComesOfAVoiding(t *testing.T) {
	for name, c := range map[string]struct {
		trouble []string
		want    string // in what the order hears; empty: it is void
		tries   int
	}{
		"all is well":       {nil, "", 1},
		"too many requests": {[]string{"429"}, "", 2},
		"it is down":        {[]string{"503", "503"}, "", 3},
		"the answer is lost, and it says no then": {[]string{"lost", "400"}, "declined", 2},
		"a bad request":        {[]string{"400"}, "declined", 1},
		"it knows none":        {[]string{"404"}, "declined", 1},
		"a bad credential":     {[]string{"401"}, "unable", 1},
		"it refunds no labels": {[]string{"rejected"}, "declined", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMaker(t)
			b := newBookings(t, m)
			r := wanted("easypost", "label-R1-9")
			b.carriedOut(t, r)
			before := len(m.sent)
			m.trouble = c.trouble
			a := b.tried(t, r, b.Void)
			got := ""
			switch {
			case a.Declined != "":
				got = "declined"
			case a.Unable != "":
				got = "unable"
			}
			if got != c.want || len(m.sent)-before != c.tries || m.sent[len(m.sent)-1] != "POST /v2/shipments/shp_1/refund" {
				t.Errorf("%+v, want %q: %v", a, c.want, m.sent[before:])
			}
			if strings.Contains(fmt.Sprint(a), "Larchwood") {
				t.Errorf("the answer names somebody: %+v", a)
			}
			row, err := b.store.Booking(t.Context(), "acme:1", r.Booking.ID)
			if err != nil || row.State != store.BookingMade || (row.MediaType == "") != (c.want == "") {
				t.Errorf("%+v %v", row, err)
			}
		})
	}
}

func TestWhatIsNotVoided(t *testing.T) {
	m := newMaker(t)
	b := newBookings(t, m)
	label := wanted("dhl", "label-R1-9")
	b.carriedOut(t, label)
	late := label
	late.Booking.AskedAt, late.Booking.Until = time.Now().Add(-2*time.Hour), time.Now().Add(5*time.Second)
	pickup := wanted("dhl", "pickup-R1-11")
	pickup.Booking.Kind, pickup.Booking.Earliest = order.BookPickup, time.Date(2026, 12, 7, 9, 0, 0, 0, time.UTC)
	pickup.Booking.Latest = pickup.Booking.Earliest.Add(4 * time.Hour)
	b.carriedOut(t, pickup)
	before := len(m.sent)
	for want, c := range map[string]struct {
		b bookings
		r activities.BookingRequest
	}{
		"a label is not voided":  {b, label},
		"nobody knows what":      {b, wanted("dhl", "label-R1-10")},
		"no carrier":             {bookings{store: b.store, now: time.Now}, label},
		"could not be asked in ": {b, late},
	} {
		if a, err := c.b.Void(t.Context(), c.r); err != nil || !strings.Contains(a.Unable, want) {
			t.Errorf("%s: %+v %v", want, a, err)
		}
	}
	if len(m.sent) != before {
		t.Errorf("asked all the same: %v", m.sent[before:])
	}
	// It was made long ago. How long its taking back may be asked for counts from that.
	pickup.Booking.AskedAt, pickup.Booking.VoidAt, pickup.Booking.Until = time.Now().AddDate(0, 0, -10), time.Now(), time.Now().Add(20*time.Second)
	if a, err := b.Void(t.Context(), pickup); err != nil || a.Unable+a.Declined != "" || m.sent[len(m.sent)-1] != "DELETE /pickups/PRG1" {
		t.Errorf("%+v %v %v", a, err, m.sent)
	}
}
