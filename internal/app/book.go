package app

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/waybillhq/waybill/activities"
	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/carriers/ask"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

// bookings has carriers make labels and pickups for returns. The row in PostgreSQL
// decides whether the request is sent: it is, once. client is nil without
// credentials.
type bookings struct {
	client *ask.Client
	store  *store.Store
	now    func() time.Time
}

// What is sent is looked for this often, a little later each time, before a person
// has to. Carriers need moments until they find what they have just made.
const (
	mostLooks = 5
	firstLook = 5 * time.Second
)

var errSentBefore = errors.New("it was sent before")

// Book goes on from what the row says, whoever wrote it.
func (b bookings) Book(ctx context.Context, r activities.BookingRequest) (a activities.BookingAnswer, err error) {
	row, err := b.store.Booking(ctx, r.OrderID, r.Booking.ID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		row = store.Booking{OrderID: r.OrderID, ID: r.Booking.ID, Return: r.Return, Kind: string(r.Booking.Kind), Carrier: r.Booking.Carrier, State: store.BookingReady}
	case err != nil:
		return a, err
	case row.State != store.BookingReady && row.State != store.BookingSending:
		return answerOf(row), nil
	}
	c, why := b.credential(r, row)
	var job carriers.Job
	if why == "" {
		if job, why, err = b.job(ctx, r); err != nil {
			return a, err
		}
	}
	switch {
	case row.State == store.BookingSending && why != "":
		return b.unclear(ctx, row)
	case row.State == store.BookingSending:
		return b.look(ctx, r, row, job)
	case why != "":
		return unable(why), nil
	case b.left(r) <= 0:
		return unable("the carrier could not be asked in time"), nil
	}
	st, err := b.store.State(ctx, r.OrderID)
	switch {
	case err != nil:
		return a, err
	case st != nil && !st.Needs(r.Booking.ID):
		return unable("nobody needs it any more"), nil
	}
	row.Credential = c
	sent := false
	made, err := b.client.Book(ctx, c, job, func(handle string) error {
		row.Handle = handle
		first, err := b.store.SendBooking(ctx, row)
		if err == nil && !first {
			err = errSentBefore
		}
		sent = err == nil
		return err
	})
	if err == nil {
		return b.end(ctx, row, made)
	}
	return b.failed(ctx, r, row, sent, err)
}

// credential is the one that the request was sent under, else that of the carrier
// that is to make it.
func (b bookings) credential(r activities.BookingRequest, row store.Booking) (name, why string) {
	switch {
	case b.client == nil:
		return "", "no carrier can be asked for anything from here"
	case row.State == store.BookingSending:
		return row.Credential, ""
	}
	c, ok := b.client.ForBooking(r.Booking.Carrier, r.Booking.Kind)
	if !ok {
		return "", strings.TrimSpace(r.Booking.Carrier + " cannot be asked for a " + string(r.Booking.Kind) + " from here")
	}
	return c.Name, ""
}

// left is for how long something may still be sent: a little less than the order
// waits, so that nothing is made when a person has begun to.
func (b bookings) left(r activities.BookingRequest) time.Duration {
	since, until := r.Booking.AskedAt, r.Booking.Until
	if r.Booking.VoidAt.After(since) {
		since = r.Booking.VoidAt // it is taken back
	}
	return until.Add(-min(30*time.Second, until.Sub(since)/4)).Sub(b.now())
}

// failed judges why nothing came. What the carrier has certainly not done may be
// tried again, or is a person's; what it may have done is looked for.
func (b bookings) failed(ctx context.Context, r activities.BookingRequest, row store.Booking, sent bool, err error) (a activities.BookingAnswer, _ error) {
	var problem *carriers.AskError
	asked := errors.As(err, &problem)
	switch {
	case errors.Is(err, errSentBefore), asked && problem.Open && sent:
		return a, again(err, firstLook)
	case sent && asked && (problem.Reason == carriers.BadRequest || problem.Reason == carriers.NotFound):
		row.State, row.Reason = store.BookingDeclined, problem.Error()
		return answerOf(row), b.record(ctx, row, nil)
	case sent:
		if err := b.unsend(ctx, row); err != nil {
			return a, err
		}
	}
	if !asked {
		return a, err // the database
	}
	rest := max(firstLook, problem.Until.Sub(b.now()))
	if problem.Reason != carriers.Limited && problem.Reason != carriers.Unavailable || rest >= b.left(r) {
		return unable(problem.Error()), nil
	}
	return a, again(err, rest)
}

// look finds out what came of a request that was sent.
func (b bookings) look(ctx context.Context, r activities.BookingRequest, row store.Booking, job carriers.Job) (a activities.BookingAnswer, err error) {
	made, cannot, err := b.client.Find(ctx, row.Credential, job, row.Handle)
	switch {
	case err == nil && made.Found():
		return b.end(ctx, row, made)
	case cannot:
		return b.unclear(ctx, row)
	}
	looks, counting := b.store.LookedForBooking(ctx, r.OrderID, r.Booking.ID)
	if counting != nil {
		return a, counting
	}
	wait := firstLook << min(looks, mostLooks)
	if looks >= mostLooks || wait >= b.left(r) {
		return b.unclear(ctx, row)
	}
	return a, again(cmp.Or(err, errors.New("the carrier does not find it yet")), wait)
}

// end records what the carrier made. Under a number that no parcel can have it is
// nothing that we understand.
func (b bookings) end(ctx context.Context, row store.Booking, m carriers.Made) (activities.BookingAnswer, error) {
	number := carriers.Number(m.Tracking)
	if row.Kind == string(order.BookLabel) && !order.IsTracking(number) {
		return b.unclear(ctx, row)
	}
	row.State, row.MovedBy, row.Tracking, row.Reference = store.BookingMade, m.Carrier, number, carriers.Clean(m.Reference, 100)
	row.Amount, row.Currency, row.MediaType = m.Amount, m.Currency, m.Label.Type
	return answerOf(row), b.record(ctx, row, m.Label.Body)
}

func (b bookings) unclear(ctx context.Context, row store.Booking) (activities.BookingAnswer, error) {
	row.State, row.Reason = store.BookingUnclear, "what the carrier answered got lost, and it does not say what it has"
	return answerOf(row), b.record(ctx, row, nil)
}

// record keeps what came of it, also when the caller has gone: nobody else knows.
func (b bookings) record(ctx context.Context, row store.Booking, label []byte) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return b.store.EndBooking(ctx, row, label)
}

func (b bookings) unsend(ctx context.Context, row store.Booking) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return b.store.UnsendBooking(ctx, row.OrderID, row.ID)
}

// job reads who sends it and where to. why says what is missing: then nobody can
// be asked.
func (b bookings) job(ctx context.Context, r activities.BookingRequest) (j carriers.Job, why string, err error) {
	from, err := b.store.Address(ctx, r.OrderID, r.AddressVersion)
	if errors.Is(err, store.ErrNotFound) {
		return j, "the buyer's address is not there any more", nil
	}
	if err != nil {
		return j, "", err
	}
	buyer, err := b.store.ContactOf(ctx, r.OrderID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return j, "", err
	}
	brand, err := b.store.GetStore(ctx, r.Store)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return j, "", err
	}
	if brand.ReturnsAddress == nil {
		return j, "the store has no returns_address", nil
	}
	place, known := clockAt(from)
	if !known && r.Booking.Kind == order.BookPickup {
		return j, "nobody knows what time it is at the buyer's", nil
	}
	sum := sha256.Sum256([]byte(r.OrderID + "\n" + r.Booking.ID))
	party := func(a store.Address, name, phone string) carriers.Party {
		return carriers.Party{Destination: carriers.Destination{Name: cmp.Or(a.Name, name), Street: a.Street, City: a.City, PostalCode: a.PostalCode, Region: a.Region, Country: a.Country}, Phone: phone}
	}
	return carriers.Job{
		Kind: r.Booking.Kind, Reference: "WB" + base32.StdEncoding.EncodeToString(sum[:])[:18],
		From: party(from, buyer.Name, buyer.Phone), To: party(brand.ReturnsAddress.Address, brand.Name, brand.ReturnsAddress.Phone),
		Weight: r.Package.WeightG, Length: r.Package.LengthMM, Width: r.Package.WidthMM, Height: r.Package.HeightMM,
		Now: b.now().In(place), Earliest: r.Booking.Earliest.In(place), Latest: r.Booking.Latest.In(place), Tracking: r.Command.Tracking, Label: r.LabelReference,
	}, "", nil
}

// clockAt is the clock of an address; UTC where it is not known.
func clockAt(a store.Address) (place *time.Location, known bool) {
	if clock := carriers.Zone(a.Country, a.Region, a.PostalCode); clock != nil && !clock.Guess {
		return clock.Zone, true
	}
	return time.UTC, false
}

// answerOf is what the order hears of a row.
func answerOf(row store.Booking) (a activities.BookingAnswer) {
	switch row.State {
	case store.BookingMade:
		a.Carrier, a.Tracking, a.Reference, a.Label, a.Amount, a.Currency = row.MovedBy, row.Tracking, row.Reference, row.MediaType, row.Amount, row.Currency
	case store.BookingDeclined:
		a.Declined = row.Reason
	case store.BookingReady, store.BookingSending, store.BookingUnclear:
		a.Unable, a.Unclear = row.Reason, true
	}
	return a
}

func unable(why string) (a activities.BookingAnswer) {
	a.Unable = why
	return a
}

// again has the activity tried once more after a while. The error has the carrier's
// codes in it, and nobody's address.
func again(err error, wait time.Duration) error {
	return temporal.NewApplicationErrorWithOptions(err.Error(), "carrier_booking", temporal.ApplicationErrorOptions{NextRetryDelay: wait})
}
