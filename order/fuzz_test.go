package order

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"testing"
	"time"
)

// bytesToEvents reads an event from every six bytes: anything is a life.
func bytesToEvents(data []byte, pending func() []Command) func() (Event, bool) {
	now := t0
	pick := func(b byte, n int) int { return int(b) % n }
	when := func(b byte) time.Time {
		switch b {
		case 0:
			return time.Time{}
		case 1:
			return t0.AddDate(-100, 0, 0)
		case 2:
			return t0.AddDate(1000, 0, 0)
		}
		return at(float64(b) - 10)
	}
	return func() (Event, bool) {
		if len(data) < 6 {
			return nil, false
		}
		b := data[:6]
		data = data[6:]
		now = now.Add(time.Duration(binary.BigEndian.Uint16(b[4:])) * time.Minute / 8)
		m := Meta{ID: fmt.Sprint(b[0]), By: sources[pick(b[1]>>2, len(sources))], Occurred: when(b[2]), Received: now, Applied: now, Reason: "because"}
		if b[1]&1 == 1 {
			m.N = int64(b[2]) + 1
		}
		parcel := []string{"A", "B", "1", "R1"}[pick(b[3]>>6, 4)]
		milestone := Milestone("teleported")
		if i := pick(b[3]&63, len(Definitions)+1); i < len(Definitions) {
			milestone = Definitions[i].Milestone
		}
		id := []string{"R1", "R2"}[b[1]>>7]
		switch pick(b[0], 20) {
		case 0, 1:
			m.By = Warehouse
			return Scan{Meta: m, Parcel: parcel, Kind: ScanKinds[pick(b[3], len(ScanKinds))], Tracking: []string{"", "T-300"}[b[1]>>7], Carrier: "ups"}, true
		case 2, 3, 4, 5, 6:
			m.By = CarrierSays
			return CarrierEvent{Meta: m, Parcel: parcel, Milestone: milestone, Physical: b[1]&2 == 0, Correction: b[1]>>5 == 7, ETA: when(b[5]), Location: parcel}, true
		case 7:
			return PutParcel{Meta: m, Parcel: parcel, Lines: []Allocation{{"mug", pick(b[3], 3)}, {"tea", 1}}, Carrier: "ups", Tracking: "T-300"}, true
		case 8:
			return Cancel{Meta: m, Parcels: []string{parcel}[:b[1]>>7]}, true
		case 9:
			return Hold{m, when(b[3])}, true
		case 10:
			return Release{m}, true
		case 11:
			return ChangePromise{m, when(b[3])}, true
		case 12:
			return CorrectMilestone{m, parcel, milestone}, true
		case 13:
			if p := pending(); len(p) > 0 {
				return Answered{Meta: m, Command: p[pick(b[3], len(p))].ID, LastMovement: when(b[2])}, true
			}
			return CorrectAddress{m, int(b[3])}, true
		case 14:
			return Unreadable{m, "torn"}, true
		case 16:
			m.By = ReturnsDesk
			return RequestReturn{Meta: m, Parcel: []string{"", "", parcel}[pick(b[5], 3)], Lines: []ReturnLine{{SKU: "tea", Quantity: pick(b[3], 4), Reason: ReturnReasons[pick(b[5], len(ReturnReasons))], Wanted: RefundRemedy}}}, true
		case 17:
			m.By = ReturnsDesk
			return InspectReturn{m, id, []Finding{{SKU: "tea", Quantity: pick(b[3], 4), Grade: Grades[pick(b[5], len(Grades))]}}}, true
		case 18:
			m.By = ReturnsDesk
			return DisposeReturn{m, id, []Disposal{{"tea", Grades[pick(b[5], len(Grades))], Scrap, b[3] > 99}}}, true
		case 19:
			m.By = Support
			switch b[3] >> 6 {
			case 0:
				return DecideReturn{m, id, b[5] > 99}, true
			case 1:
				return ShipReturn{Meta: m, Return: id, Carrier: "ups", Tracking: "T-300"}, true
			case 2:
				return SendReturnBack{Meta: m, Return: id}, true
			}
			return CancelReturn{m, id}, true
		}
		return Tick{m}, true
	}
}

func FuzzApply(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0, 0, 20, 1, 1, 0, 2, 8, 30, 6, 1, 0, 3, 8, 60, 12, 1, 0, 15, 0, 0, 0, 255, 255, 15, 0, 0, 0, 255, 255, 12, 20, 70, 6, 0, 1})
	f.Add([]byte{7, 16, 9, 5, 1, 1, 8, 144, 9, 0, 1, 1, 9, 16, 0, 200, 9, 9, 15, 0, 0, 0, 255, 255, 10, 16, 0, 0, 1, 1, 2, 8, 90, 70, 4, 4})
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 600 {
			return
		}
		spec := twoParcels()
		if len(data)%2 == 1 {
			spec.Parcels = nil
		}
		if len(data)%4 > 1 {
			spec = today(spec)
		}
		w := watching(spec)
		next := bytesToEvents(data, func() []Command { return w.s.Pending })
		for e, ok := next(); ok; e, ok = next() {
			if err := w.apply(e); err != nil {
				t.Fatal(err)
			}
		}
		back := reload(&w.s)
		if text(&back) != text(&w.s) {
			t.Fatalf("JSON loses something:\n%s\n%s", text(&w.s), text(&back))
		}
	})
}

// Any JSON that decodes into a State may be wrong, but never a panic: a
// workflow that panics stands still.
func FuzzState(f *testing.F) {
	for _, s := range rules1() {
		f.Add([]byte(text(s)), []byte{2, 8, 30, 6, 1, 0, 15, 0, 0, 0, 255, 255, 12, 20, 70, 6, 0, 1})
	}
	w := watching(today(twoParcels()))
	for _, e := range []Event{moves(1, Delivered), moves(1, Delivered).of("B"), RequestReturn{Meta: byShop(2), Lines: []ReturnLine{{SKU: "tea", Quantity: 2, Reason: Defective, Wanted: ReplacementRemedy}}}, scan(3, ScanReturned).of("R1")} {
		if err := w.apply(e); err != nil {
			f.Fatal(err)
		}
	}
	f.Add([]byte(text(&w.s)), []byte{17, 0, 9, 2, 1, 3, 18, 0, 9, 200, 1, 3, 19, 0, 9, 130, 1, 1, 15, 0, 0, 0, 255, 255})
	f.Add([]byte(`{"cases":[{"kind":"lost","level":-9}],"parcels":[{"id":"A","said":[{"m":"lost"}],"check":"x"}],"hold":{},"seen":[3,1]}`), []byte{15, 0, 0, 0, 255, 255, 12, 20, 70, 6, 0, 1})
	f.Fuzz(func(t *testing.T, state, events []byte) {
		var s State
		if len(state) > 20_000 || len(events) > 60 || json.Unmarshal(state, &s) != nil || len(s.Parcels)+len(s.Cases)+len(s.Returns) > 20 {
			return
		}
		next := bytesToEvents(events, func() []Command { return s.Pending })
		for e, ok := next(); ok; e, ok = next() {
			_ = Check(&s, e)
			Apply(&s, e)
			Apply(&s, Tick{Meta{Applied: s.Now}})
			s.DropTold(s.Seq)
			ViewOf(&s)
			s.Clone()
			RidesAlong(e)
		}
	})
}
