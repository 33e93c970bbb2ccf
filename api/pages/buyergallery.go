package pages

import (
	"time"

	"github.com/waybillhq/waybill/internal/links"
	"github.com/waybillhq/waybill/internal/speech"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

// buyerState is a state of the page on which buyers act.
type buyerState struct {
	fixture
	form string
	// change is what was sent, or what else the page knows; may be nil.
	change func(*buyer, *buyerPage)
}

// buyerStates are all of them, by the real rules.
func buyerStates(now time.Time) (list []buyerState) {
	m := func(ago time.Duration) order.Meta {
		return order.Meta{ID: "aud", By: order.Buyer, Actor: "buyer", Reason: "chosen by the buyer", Applied: now.Add(-ago)}
	}
	by := func(who order.Source, ago time.Duration) order.Meta {
		x := m(ago)
		x.By, x.Actor, x.Reason = who, "key:7d2nq4", "agreed with the depot"
		return x
	}
	add := func(name, form string, b *story, change func(*buyer, *buyerPage)) {
		list = append(list, buyerState{b.end("buyer-" + name), form, change})
	}
	dear := func(s *order.Spec) { s.Lines[0].UnitAmount, s.Lines[1].UnitAmount = 64_900, 900 }
	way := func(change func(*order.Spec)) *story {
		return begin(now, 6*days, change).shipped("1", 90*hour, "ups", "1Z999AA10123456784")
	}
	here := func() *story {
		return way(dear).carrier("1", order.Delivered, 30*hour, "Frankfurt am Main, DE", "Left at the door")
	}
	failed := func() *story {
		return way(nil).carrier("1", order.AttemptFailed, 3*hour, "Frankfurt am Main, DE", "Receiver not home")
	}
	lost := func(class order.Class) *story {
		b := way(func(s *order.Spec) { s.Class = class })
		at := b.back(9 * hour)
		e := order.CarrierEvent{Meta: b.meta(at, order.CarrierSays), Parcel: "1", Milestone: order.InTransit, Physical: true, Bucket: "address"}
		return b.request(e)
	}
	choose := func(b *story, how order.Resolution, ago time.Duration) *story {
		for _, k := range b.st.Cases {
			if k.Kind == order.FailedAttempt {
				e := order.ResolveCase{Meta: m(ago), Case: k.ID, Resolution: how}
				if how == order.Redeliver {
					e.Until = order.DeliveryDays(&b.st, k.Parcel, now)[2]
				}
				return b.request(e)
			}
		}
		return b
	}
	answer := func(b *story, a order.Answered) *story {
		a.Meta, a.Command = by(order.Engine, hour), b.st.Instructions[0].ID
		return b.request(a)
	}
	reported := func() *story { return here().request(order.ReportNotReceived{Meta: m(3 * hour), Parcel: "1"}) }
	known := func(b *buyer, _ *buyerPage) {
		b.address = store.Address{City: "Frankfurt am Main", PostalCode: "60311", Country: "DE"}
	}
	said := func(key string) func(*buyer, *buyerPage) {
		return func(b *buyer, p *buyerPage) {
			known(b, p)
			if p != nil {
				p.Error = b.l.say(key, b.loose)
			}
		}
	}
	two := func(s *order.Spec) {
		inParcels(2)(s)
	}
	both := func() *story {
		b := begin(now, 6*days, two)
		for _, id := range []string{"1", "2"} {
			b.shipped(id, 90*hour, "dhl", "0034043416109404255"+id).carrier(id, order.Delivered, 20*hour, "Frankfurt am Main, DE", "")
		}
		return b
	}

	add("front", "", here(), nil)
	add("front-attempt-failed", "", failed(), nil)
	add("front-nothing", "", way(nil), nil)
	add("front-return", "", here().request(order.RequestReturn{Meta: m(hour), Lines: []order.ReturnLine{{SKU: "TENT-2P", Quantity: 1, Reason: order.DoesNotFit, Wanted: order.RefundRemedy}}}), nil)
	add("missing", links.Missing, here(), nil)
	add("missing-which", links.Missing, both(), nil)
	add("missing-one-of-two", links.Missing, both().request(order.ReportNotReceived{Meta: m(2 * hour), Parcel: "1"}), nil)
	add("missing-sought", links.Missing, reported(), func(_ *buyer, p *buyerPage) {
		if p != nil {
			p.Thanks = true
		}
	})
	add("missing-stale", links.Missing, reported(), said("buyer.stale"))
	add("missing-undelivered", links.Missing, way(nil), nil)
	add("missing-decided", links.Missing, reported().request(order.FoundParcel{Meta: m(hour), Parcel: "1"}), nil)
	add("missing-too-late", links.Missing, begin(now, 60*days, promise(now.Add(-50*days))).shipped("1", 58*days, "ups", "1Z999AA10123456784").carrier("1", order.Delivered, 55*days, "", ""), nil)
	add("found", links.Found, reported(), nil)
	add("found-done", links.Found, reported().request(order.FoundParcel{Meta: m(hour), Parcel: "1"}), nil)
	add("found-decided", links.Found, reported().person(hour, "key:7d2nq4", order.NotReceived, func(x order.Meta, id string) order.Event {
		return order.ResolveCase{Meta: x, Case: id, Resolution: order.Replace}
	}), nil)
	add("found-nothing", links.Found, here(), nil)
	add("another-day", links.AnotherDay, failed(), nil)
	add("another-day-unchosen", links.AnotherDay, failed(), func(b *buyer, p *buyerPage) {
		if p != nil {
			p.Forms[0].ChoiceError, p.Error = b.l.say("buyer.choose", nil), b.l.say("buyer.check", nil)
		}
	})
	add("another-day-unclear", links.AnotherDay, failed(), said("buyer.unclear"))
	add("another-day-told", links.AnotherDay, choose(failed(), order.Redeliver, 2*hour), nil)
	add("another-day-by-hand", links.AnotherDay, answer(choose(failed(), order.HoldAtLocation, 2*hour), order.Answered{Failed: "dhl cannot be told that from here"}), nil)
	add("another-day-agreed", links.AnotherDay, answer(choose(failed(), order.Redeliver, 2*hour), order.Answered{Reference: "C-1"}), nil)
	add("another-day-pickup-agreed", links.AnotherDay, answer(choose(failed(), order.HoldAtLocation, 2*hour), order.Answered{Reference: "C-1"}), nil)
	add("another-day-settled", links.AnotherDay, here(), nil)
	add("address", links.Address, lost(order.Routine), known)
	add("address-refused", links.Address, lost(order.Routine), func(b *buyer, p *buyerPage) {
		if known(b, p); p != nil {
			f := &p.Forms[0]
			f.Fields[1].Value, f.Fields[3].Error, p.Error = "Hauptstraße 5, Hinterhaus", b.l.say("buyer.needed", nil), b.l.say("buyer.check", nil)
			f.Fields[2].Value, f.Fields[2].Error = "60311 Frankfurt am Main", b.l.say("buyer.long", speech.Words{"n": "20"})
		}
	})
	add("address-done", links.Address, lost(order.Routine).request(order.CorrectAddress{Meta: m(hour), AddressVersion: 1}), known)
	add("address-valuable", links.Address, lost(order.HighValue), known)
	valuable := lost(order.HighValue)
	add("address-told", links.Address, valuable.request(order.NoteCase{Meta: m(hour), Case: valuable.st.Cases[0].ID, Text: order.WrongAddress}), known)
	add("address-settled", links.Address, way(nil), nil)
	add("return", links.Return, here(), nil)
	add("return-refused", links.Return, here(), func(b *buyer, p *buyerPage) {
		if p != nil {
			f := &p.Forms[0]
			f.Rows[1].Quantity, f.Rows[1].Error, p.Error = "7", b.l.say("return.number", speech.Words{"n": "2"}), b.l.say("buyer.check", nil)
		}
	})
	asked := here().request(order.RequestReturn{Meta: m(hour), Lines: []order.ReturnLine{{SKU: "TENT-2P", Quantity: 1, Reason: order.Defective, Wanted: order.ReplacementRemedy}}})
	add("return-asked", links.Return, asked, func(_ *buyer, p *buyerPage) {
		if p != nil {
			p.Thanks = true
		}
	})
	desk := func(ago time.Duration) order.Meta {
		return order.Meta{By: order.ReturnsDesk, Actor: "key:desk", Reason: "as agreed", Applied: now.Add(-ago)}
	}
	add("return-label", links.Return, here().request(order.RequestReturn{Meta: m(3 * hour), Lines: []order.ReturnLine{{SKU: "TENT-2P", Quantity: 1, Reason: order.Defective, Wanted: order.RefundRemedy}}}).
		request(order.DecideReturn{Meta: desk(150 * time.Minute), Return: "R1", Agree: true}).
		request(order.AskLabel{Meta: desk(2 * hour), Return: "R1", Carrier: "dhl", Package: order.Package{WeightG: 2400, LengthMM: 600, WidthMM: 200, HeightMM: 200}}).
		answered(hour, order.Answered{Tracking: "JD014600003828", Reference: "JD014600003828", Held: "application/pdf"}), nil)
	add("return-undelivered", links.Return, way(nil), nil)
	add("return-too-late", links.Return, begin(now, 80*days, promise(now.Add(-70*days))).shipped("1", 75*days, "ups", "1Z999AA10123456784").carrier("1", order.Delivered, 70*days, "", ""), nil)
	add("proof", links.Proof, here(), nil)
	shown := here().request(order.ReportNotReceived{Meta: m(3 * hour), Parcel: "1"})
	proof := shown.st.ParcelByID("1").Proof.Command
	add("proof-photo", links.Proof, shown.request(order.Answered{Meta: by(order.Engine, 2*hour), Command: proof, DeliveredTo: "porch", Held: "name, photo", Reference: proof}), func(b *buyer, p *buyerPage) {
		if b.photos = []string{proof}; p != nil {
			p.Cards[0].PhotoHref = "/assets/pages/icon.svg"
		}
	})
	add("proof-undelivered", links.Proof, way(nil), nil)
	return list
}

// page is the state as a buyer sees it.
func (x buyerState) page(t *speech.Tongue, brand brand, now time.Time) buyerPage {
	b := newBuyer(t, x.Order, x.Entries, brand, now)
	b.href, b.track = "/b/"+x.Order.Spec.ID+"/token", "/t/token"
	if x.change != nil {
		x.change(b, nil)
	}
	p, _ := b.page(x.form)
	if x.change != nil {
		x.change(b, &p)
	}
	return p
}
