package intake_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/carriers/all"
	"github.com/waybillhq/waybill/internal/intake"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/internal/store/storetest"
	"github.com/waybillhq/waybill/order"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var (
	placed = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	now    = placed.Add(48 * time.Hour)
)

// bench is an intake on a real database, with one order whose parcel 1 is UPS's.
type bench struct {
	*testing.T
	*intake.Intake
	store *store.Store
	db    *pgx.Conn
	ups   carriers.Adapter
	n     int
}

func newBench(t *testing.T) *bench {
	t.Helper()
	url := storetest.URL(t)
	s, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	db, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close(context.Background()) })
	ups, err := all.Adapters().Find("ups")
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256([]byte("1"))
	spec := order.Spec{ID: "acme:1", Store: "acme", Number: "1", Class: order.Routine, PlacedAt: placed, CustomerRef: "acme:1", Lines: []order.Line{{SKU: "sofa", Quantity: 1}},
		Parcels: []order.PlannedParcel{{ID: "1", Carrier: "ups", Tracking: "1Z001", Lines: []order.Allocation{{SKU: "sofa", Quantity: 1}}}}, Policy: order.DefaultPolicy()}
	if _, err := s.CreateOrder(t.Context(), store.NewOrder{Spec: spec, TokenHash: hash[:], RequestHash: hash[:]}); err != nil {
		t.Fatal(err)
	}
	if err := s.MarkStarted(t.Context(), []string{"acme:1"}); err != nil {
		t.Fatal(err)
	}
	return &bench{T: t, Intake: &intake.Intake{Store: s}, store: s, db: db, ups: ups}
}

// event of the code, hours after the order was placed; unknown to our tables
// unless a milestone is given.
func event(id, table, code string, hours int, m ...order.Milestone) carriers.Event {
	e := carriers.Event{ID: id, Tracking: "1Z001", Table: table, Code: code, Description: "said " + code, Reading: carriers.Reading{Unmapped: len(m) == 0},
		Moment: carriers.Moment{UTC: placed.Add(time.Duration(hours) * time.Hour), Basis: carriers.ByOffset}}
	if len(m) > 0 {
		e.Reading = carriers.Reading{Milestone: m[0], Physical: true}
	}
	return e
}

func (b *bench) take(es ...carriers.Event) intake.Counts {
	b.Helper()
	n, err := b.Answer(b.Context(), b.ups, []byte("{}"), es, nil, now)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

func (b *bench) mapCode(table, code, kind, bucket string) (store.Mapping, store.Reread) {
	b.Helper()
	b.n++
	m, did, err := b.Map(b.Context(), b.ups, store.Mapping{Table: table, Code: code, Kind: kind, Bucket: bucket, Reason: "their notice", Actor: "key:ops"}, b.audit())
	if err != nil {
		b.Fatal(err)
	}
	return m, did
}

func (b *bench) audit() store.Audit {
	b.n++
	return store.Audit{ID: fmt.Sprint("aud_", b.n), Action: "map_code", Actor: "key:ops", Role: "ops", Reason: "their notice", Request: json.RawMessage(`{}`)}
}

// tell lets the order know what waits, as the relay does, and returns how many
// facts it was told.
func (b *bench) tell(st *order.State) int {
	b.Helper()
	if _, err := b.store.Wake(b.Context(), "acme:1", "1"); err != nil { // what rides along goes now
		b.Fatal(err)
	}
	ds, err := b.store.DueFacts(b.Context(), 100, []string{})
	if err != nil {
		b.Fatal(err)
	}
	var ns []int64
	for _, d := range ds {
		for _, f := range d.Facts {
			e := f.Event(f.Parcel).(order.CarrierEvent)
			e.N, e.Received, e.Applied = f.N, f.ReceivedAt, now
			order.Apply(st, e)
			ns = append(ns, f.N)
		}
	}
	if err := b.store.MarkSent(b.Context(), ns, ""); err != nil {
		b.Fatal(err)
	}
	return len(ns)
}

func (b *bench) state() *order.State {
	b.Helper()
	o, err := b.store.Order(b.Context(), "acme:1")
	if err != nil {
		b.Fatal(err)
	}
	return o.Current()
}

func (b *bench) faults(open bool) []store.Fault {
	b.Helper()
	if err := b.Look(b.Context()); err != nil {
		b.Fatal(err)
	}
	fs, err := b.store.Faults(b.Context(), open, store.FaultCursor{}, 100)
	if err != nil {
		b.Fatal(err)
	}
	return fs
}

func (b *bench) count(query string, args ...any) (n int) {
	b.Helper()
	if err := b.db.QueryRow(b.Context(), query, args...).Scan(&n); err != nil {
		b.Fatal(err)
	}
	return n
}

func TestAnUnknownCodeWaitsUntilSomebodyMapsIt(t *testing.T) {
	b := newBench(t)
	st := b.state()
	if n := b.take(event("e1", "EXC", "A/9 X", 5), event("e2", "EXC", "A/9 X", 6), event("e3", "ULD", "A/9 X", 7)); n.Accepted != 3 || n.Unmapped != 3 {
		t.Fatalf("%+v", n)
	}
	b.take(event("e1", "EXC", "A/9 X", 5)) // told again: counted once
	if b.tell(st) != 3 || st.Parcels[0].Milestone != order.Expected {
		t.Fatalf("an unknown code moved the parcel to %s", st.Parcels[0].Milestone)
	}
	fs := b.faults(true)
	if len(fs) != 2 {
		t.Fatalf("%d faults: %+v", len(fs), fs)
	}
	for _, f := range fs {
		want := map[string]int64{"ups/EXC/A/9 X": 2, "ups/ULD/A/9 X": 1}[f.Key]
		if f.Count != want || f.Sample != "said A/9 X" || f.Kind != store.UnmappedCode {
			t.Errorf("%+v, want %d times", f, want)
		}
		if c, table, code := intake.SplitKey(f.Key); c != "ups" || code != "A/9 X" || table != "EXC" && table != "ULD" {
			t.Errorf("%q %q %q", c, table, code)
		}
	}

	m, did := b.mapCode("EXC", "A/9 X", "ofd", "")
	if m.Version != 1 || m.Milestone != string(order.OutForDelivery) || !m.Physical || did != (store.Reread{Facts: 2}) {
		t.Errorf("%+v %+v", m, did)
	}
	if b.tell(st) != 2 || st.Parcels[0].Milestone != order.OutForDelivery || !st.Parcels[0].Since.Equal(placed.Add(6*time.Hour)) {
		t.Errorf("%s since %s", st.Parcels[0].Milestone, st.Parcels[0].Since)
	}
	entries, err := b.store.Timeline(t.Context(), "acme:1", 100)
	if err != nil || len(entries) != 3 {
		t.Errorf("%d entries, want each event once: %v", len(entries), err)
	}
	if fs := b.faults(true); len(fs) != 1 || fs[0].Key != "ups/ULD/A/9 X" {
		t.Errorf("open: %+v", fs)
	}
	if fs := b.faults(false); len(fs) != 2 || fs[0].ClosedAt == nil && fs[1].ClosedAt == nil || !strings.Contains(fs[0].Resolution+fs[1].Resolution, "mapped as ofd by key:ops") {
		t.Errorf("all: %+v", fs)
	}
	// The same again is the same: no version, no audit row, nothing told.
	if again, did := b.mapCode("EXC", "A/9 X", "ofd", ""); again.Version != 1 || did.Facts != 0 {
		t.Errorf("again: %+v %+v", again, did)
	}
	if n := b.count(`select count(*) from audit where order_id = '' and outcome = 'done' and action = 'map_code'`); n != 1 {
		t.Errorf("%d audit rows", n)
	}
	// From now on it is known.
	if n := b.take(event("e4", "EXC", "A/9 X", 8)); n.Unmapped != 0 {
		t.Errorf("%+v", n)
	}
	if b.tell(st); !st.Parcels[0].LastMovement.Equal(placed.Add(8 * time.Hour)) {
		t.Errorf("last moved %s", st.Parcels[0].LastMovement)
	}
}

func TestAWrongMappingIsTakenBackWhereTheRightOneNamesAMilestone(t *testing.T) {
	b := newBench(t)
	st := b.state()
	b.take(event("e0", "ULD", "OR", 2, order.Accepted), event("e1", "EXC", "N1", 5))
	b.mapCode("EXC", "N1", "delivered", "")
	b.tell(st)
	if st.Parcels[0].Milestone != order.Delivered {
		t.Fatal(st.Parcels[0].Milestone)
	}
	if m, did := b.mapCode("EXC", "N1", "transit", ""); m.Version != 2 || did != (store.Reread{Facts: 1}) {
		t.Errorf("%+v %+v", m, did)
	}
	b.tell(st)
	if p := st.Parcels[0]; p.Milestone != order.InTransit || !p.PossessionAt.Equal(placed.Add(2*time.Hour)) {
		t.Errorf("%s, possession %s", p.Milestone, p.PossessionAt)
	}
	// Nothing that moves nothing can take a milestone back: it says so.
	if _, did := b.mapCode("EXC", "N1", "info", ""); did != (store.Reread{Facts: 1, Standing: 1}) {
		t.Errorf("%+v", did)
	}
	if b.tell(st); st.Parcels[0].Milestone != order.InTransit {
		t.Error(st.Parcels[0].Milestone)
	}
	// Withdrawn, the code is unknown again, and ops hear of it.
	if m, did := b.mapCode("EXC", "N1", store.Withdrawn, ""); m.Version != 4 || !m.Unmapped || did.Facts != 1 {
		t.Errorf("%+v %+v", m, did)
	}
	if fs := b.faults(true); len(fs) != 1 || fs[0].Key != "ups/EXC/N1" {
		t.Errorf("%+v", fs)
	}
	if n := b.take(event("e9", "EXC", "N1", 9)); n.Unmapped != 1 {
		t.Errorf("%+v", n)
	}
	if h, err := b.store.MappingHistory(t.Context(), "ups", 10); err != nil || len(h) != 4 || h[0].Kind != store.Withdrawn || h[3].Kind != "delivered" || h[3].Actor != "key:ops" {
		t.Errorf("%v %+v", err, h)
	}
}

func TestAMappingGoesOverOurOwnReadingUntilItIsWithdrawn(t *testing.T) {
	b := newBench(t)
	row := b.ups.Codes().Rows()[0]
	own := event("e1", row.Table, row.Code, 3)
	own.Reading = row.Reading
	b.take(own)
	b.mapCode(row.Table, row.Code, "returning", "")
	over := event("e2", row.Table, row.Code, 4)
	over.Reading = row.Reading
	b.take(over)
	if n := b.count(`select count(*) from inbox where milestone = 'returning'`); n != 1 {
		t.Errorf("%d read as mapped, want those from then on", n)
	}
	if _, did := b.mapCode(row.Table, row.Code, store.Withdrawn, ""); did.Facts != 1 {
		t.Errorf("%+v", did)
	}
	if n := b.count(`select count(*) from inbox where milestone = $1`, string(row.Milestone)); n != 2 {
		t.Errorf("%d have our own reading", n)
	}
	over.ID = "e3"
	if n := b.take(over); n.Unmapped != 0 || len(b.faults(true)) != 0 {
		t.Errorf("%+v", n)
	}
}

func TestMappingsThatNobodyCanMeanAreRefused(t *testing.T) {
	b := newBench(t)
	for name, c := range map[string]struct{ table, code, kind, bucket, field string }{
		"no table":            {"", "X", "transit", "", "table"},
		"table with a space":  {"E X", "X", "transit", "", "table"},
		"table with a slash":  {"E/X", "X", "transit", "", "table"},
		"no code":             {"EXC", " ", "transit", "", "code"},
		"code with a NUL":     {"EXC", "a\x00b", "transit", "", "code"},
		"code too long":       {"EXC", strings.Repeat("x", 200), "transit", "", "code"},
		"unknown kind":        {"EXC", "X", "teleported", "", "kind"},
		"kind unknown":        {"EXC", "X", "unknown", "", "kind"},
		"bucket of a movment": {"EXC", "X", "transit", "weather", "bucket"},
		"no bucket":           {"EXC", "X", "exception", "", "bucket"},
		"strange bucket":      {"EXC", "X", "exception", "<b>", "bucket"},
		"bucket withdrawn":    {"EXC", "X", "withdrawn", "weather", "bucket"},
	} {
		_, _, err := b.Map(t.Context(), b.ups, store.Mapping{Table: c.table, Code: c.code, Kind: c.kind, Bucket: c.bucket}, b.audit())
		var bad *intake.MappingError
		if !errors.As(err, &bad) || bad.Field != c.field {
			t.Errorf("%s: %v, want a fault of %s", name, err, c.field)
		}
	}
	if _, _, err := b.Map(t.Context(), b.ups, store.Mapping{Table: "EXC", Code: "X", Kind: store.Withdrawn}, b.audit()); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("nothing to withdraw: %v", err)
	}
	if n := b.count(`select count(*) from code_mappings`) + b.count(`select count(*) from audit`); n != 0 {
		t.Errorf("%d rows written", n)
	}
}

// A process that does not know a mapping yet still takes the code as unknown.
func TestWhatCameInThroughAProcessThatDidNotKnowIsReadAgain(t *testing.T) {
	b := newBench(t)
	other := &intake.Intake{Store: b.store}
	if err := other.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.mapCode("EXC", "N1", "transit", "")
	n, err := other.Answer(t.Context(), b.ups, []byte("{}"), []carriers.Event{event("e1", "EXC", "N1", 5)}, nil, now)
	if err != nil || n.Unmapped != 1 {
		t.Fatalf("%+v, %v", n, err)
	}
	if did, err := b.store.Reread(t.Context()); err != nil || did.Facts != 1 {
		t.Errorf("%+v, %v", did, err)
	}
	if n := b.count(`select count(*) from inbox where milestone = 'in_transit' and mapping = 1`); n != 1 {
		t.Errorf("%d read", n)
	}
	// It learns of the mapping with the next look, before it would open a fault.
	if err := other.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	if fs := b.faults(true); len(fs) != 0 {
		t.Errorf("%+v", fs)
	}
	if n, _ := other.Answer(t.Context(), b.ups, []byte("{}"), []carriers.Event{event("e2", "EXC", "N1", 6)}, nil, now); n.Unmapped != 0 {
		t.Errorf("%+v", n)
	}
}

// Orphans, closed orders and thousands of facts: all are read, in bounded steps,
// and a stop between two of them loses nothing.
func TestManyWaitingFactsAreReadInSteps(t *testing.T) {
	b := newBench(t)
	const many = 2500
	var es []carriers.Event
	for i := range many {
		e := event(fmt.Sprint("e", i), "EXC", "N1", 5)
		if i%2 == 0 {
			e.Tracking = fmt.Sprintf("1ZNOBODY%d", i)
		}
		es = append(es, e)
	}
	b.take(es...)
	if _, did := b.mapCode("EXC", "N1", "transit", ""); did.Facts != many || did.More {
		t.Fatalf("%+v", did)
	}
	// Left over by a crash: as if half had not been read.
	if _, err := b.db.Exec(t.Context(), `update inbox set mapping = 0, milestone = '' where n in (select n from inbox limit 1800)`); err != nil {
		t.Fatal(err)
	}
	for _, want := range []store.Reread{{Facts: 1000, More: true}, {Facts: 800}, {}} {
		if did, err := b.store.Reread(t.Context()); err != nil || did != want {
			t.Errorf("%+v, %v, want %+v", did, err, want)
		}
	}
	if n := b.count(`select count(*) from inbox where milestone = 'in_transit' and mapping = 1`); n != many {
		t.Errorf("%d of %d read", n, many)
	}
}

// People, the relay and other relays may read the same facts at once, while the
// relay marks them as sent: each is read once in the end, and nobody deadlocks.
func TestReadingAgainAtOnceEndsAlike(t *testing.T) {
	b := newBench(t)
	const many = 3000
	var es []carriers.Event
	for i := range many {
		es = append(es, event(fmt.Sprint("e", i), "EXC", "N1", 5))
	}
	b.take(es...)
	b.mapCode("EXC", "N1", "transit", "")
	if _, err := b.db.Exec(t.Context(), `update inbox set mapping = 0, milestone = ''`); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 10 {
				if _, err := b.store.Reread(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			for range 10 {
				ds, err := b.store.DueFacts(t.Context(), 10, []string{})
				var ns []int64
				for _, d := range ds {
					for _, f := range d.Facts {
						ns = append(ns, f.N)
					}
				}
				if err = errors.Join(err, b.store.MarkSent(t.Context(), ns, "")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for {
		did, err := b.store.Reread(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if did.Facts == 0 {
			break
		}
	}
	if n := b.count(`select count(*) from inbox where milestone = 'in_transit' and mapping = 1`); n != many {
		t.Errorf("%d of %d read", n, many)
	}
}

func TestAFaultThatDiedWithItsProcessComesBack(t *testing.T) {
	b := newBench(t)
	b.take(event("e1", "EXC", "N1", 5), event("e2", "EXC", "N1", 6), event("e3", "MI", "Z Z/9", 7)) // never told: no Look
	if n, err := b.store.ReportWaiting(t.Context()); err != nil || n != 2 {
		t.Fatalf("%d, %v", n, err)
	}
	fs, err := b.store.Faults(t.Context(), true, store.FaultCursor{}, 10)
	if err != nil || len(fs) != 2 {
		t.Fatalf("%+v, %v", fs, err)
	}
	counts := map[string]int64{fs[0].Key: fs[0].Count, fs[1].Key: fs[1].Count}
	if counts["ups/EXC/N1"] != 2 || counts["ups/MI/Z Z/9"] != 1 {
		t.Errorf("%v", counts)
	}
	// Open or closed by hand since: heard of, and not opened again.
	f, err := b.store.CloseFaultByHand(t.Context(), fs[0].ID, store.Audit{ID: "aud_c", Action: "close_fault", Actor: "key:ops", Role: "ops", Reason: "a test code", Request: json.RawMessage(`{}`)}, time.Now())
	if err != nil || f.ClosedAt == nil || f.Resolution != "a test code" {
		t.Errorf("%+v, %v", f, err)
	}
	if n, err := b.store.ReportWaiting(t.Context()); err != nil || n != 0 {
		t.Errorf("%d, %v", n, err)
	}
	// Mapped codes are no fault.
	b.mapCode("EXC", "N1", "transit", "")
	b.mapCode("MI", "Z Z/9", "info", "")
	if n, err := b.store.ReportWaiting(t.Context()); err != nil || n != 0 {
		t.Errorf("%d, %v", n, err)
	}
}

// What a process counted it still tells when it is stopped.
func TestUnknownCodesAreToldOfAtShutdown(t *testing.T) {
	b := newBench(t)
	ctx, stop := context.WithCancel(t.Context())
	stop() // before the first tick: only the last look can tell
	b.take(event("e1", "EXC", "N1", 5))
	b.Intake.Run(ctx, slog.New(slog.DiscardHandler))
	if fs, err := b.store.Faults(t.Context(), true, store.FaultCursor{}, 10); err != nil || len(fs) != 1 || fs[0].Count != 1 {
		t.Errorf("%+v, %v", fs, err)
	}
}

// A database that is away costs no count.
func TestFaultsWaitForTheDatabase(t *testing.T) {
	b := newBench(t)
	away := &refusing{Store: b.store, away: true}
	in := &intake.Intake{Store: away}
	for i := range 3 {
		if _, err := in.Answer(t.Context(), b.ups, []byte("{}"), []carriers.Event{event(fmt.Sprint("e", i), "EXC", "N1", 5)}, nil, now); err != nil {
			t.Fatal(err)
		}
		away.away = i < 2
		if err := in.Look(t.Context()); (err != nil) != away.away {
			t.Errorf("look %d: %v", i, err)
		}
	}
	if fs, err := b.store.Faults(t.Context(), true, store.FaultCursor{}, 10); err != nil || len(fs) != 1 || fs[0].Count != 3 {
		t.Errorf("%+v, %v", fs, err)
	}
}

type refusing struct {
	intake.Store
	away bool
}

func (r *refusing) ReportFaults(ctx context.Context, fs []store.Fault, at time.Time) error {
	if r.away {
		return errors.New("away")
	}
	return r.Store.ReportFaults(ctx, fs, at)
}

func TestHistoryIsNotEdited(t *testing.T) {
	b := newBench(t)
	b.mapCode("EXC", "N1", "transit", "")
	for _, act := range []string{`update audit set reason = 'other'`, `delete from audit`, `update code_mappings set kind = 'info'`, `delete from code_mappings`, `truncate audit`, `truncate code_mappings`} {
		if _, err := b.db.Exec(t.Context(), act); err == nil || !strings.Contains(err.Error(), "history") {
			t.Errorf("%s: %v", act, err)
		}
	}
}

func TestWhatAVerifiedSourceSentIsKeptAndReadAgain(t *testing.T) {
	b := newBench(t)
	easypost, err := all.Adapters().Find("easypost")
	if err != nil {
		t.Fatal(err)
	}
	take := func(body string) (intake.Counts, error) {
		return b.Take(t.Context(), easypost, intake.Delivery{Via: intake.Webhook, ContentType: "application/json", Body: []byte(body)}, now)
	}
	good := `{"object":"Event","description":"tracker.updated","result":{"object":"Tracker","tracking_code":"1Z001","tracking_details":[
		{"status":"in_transit","status_detail":"status_update","message":"Departed","datetime":"2026-11-21T08:00:00Z","tracking_location":{}},
		{"status":"teleported","message":"Beamed up","datetime":"2026-11-21T09:00:00Z","tracking_location":{}}]}}`
	if n, err := take(good); err != nil || n != (intake.Counts{Accepted: 2, Unmapped: 1}) {
		t.Fatalf("%+v, %v", n, err)
	}
	if n, err := take(good); err != nil || n.Duplicate != 2 {
		t.Errorf("%+v, %v", n, err)
	}
	bad := "not EasyPost's \xff\x00 at all"
	for range 2 {
		if _, err := take(bad); !errors.Is(err, carriers.ErrMalformed) {
			t.Errorf("%v", err)
		}
	}
	list, err := b.store.RawBodies(t.Context(), store.RawFilter{Limit: 10})
	if err != nil || len(list) != 2 {
		t.Fatalf("%d kept: %v", len(list), err)
	}
	if r := list[1]; r.Source != "carrier:easypost" || r.Events != 2 || r.Unmapped != 1 || r.Error != "" || r.Size != len(good) || r.Via != "webhook" {
		t.Errorf("%+v", r)
	}
	failed, err := b.store.RawBodies(t.Context(), store.RawFilter{Limit: 10, Failed: true, Source: "carrier:easypost", Since: placed})
	if err != nil || len(failed) != 1 || failed[0].Error == "" || failed[0].Body != nil {
		t.Fatalf("%+v, %v", failed, err)
	}
	raw, err := b.store.RawBody(t.Context(), failed[0].ID, b.audit())
	if err != nil || string(raw.Body) != bad {
		t.Errorf("%q, %v", raw.Body, err)
	}
	// The parser was mended, or in truth: another one now reads what was kept.
	mended := carriers.Adapter(reads{easypost, []carriers.Event{event("late", "status", "in_transit", 20, order.InTransit)}})
	if n, err := b.Replay(t.Context(), mended, raw, now); err != nil || n.Accepted != 1 {
		t.Errorf("%+v, %v", n, err)
	}
	if n, err := b.Replay(t.Context(), mended, raw, now); err != nil || n.Duplicate != 1 {
		t.Errorf("twice: %+v, %v", n, err)
	}
	if failed, err := b.store.RawBodies(t.Context(), store.RawFilter{Limit: 10, Failed: true}); err != nil || len(failed) != 0 {
		t.Errorf("%+v, %v", failed, err)
	}
	if n, err := b.store.PurgeRawBodies(t.Context(), time.Now().Add(-time.Hour), 10); err != nil || n != 0 {
		t.Errorf("too early: %d, %v", n, err)
	}
	for _, want := range []int{1, 1, 0} {
		if n, err := b.store.PurgeRawBodies(t.Context(), time.Now().Add(time.Hour), 1); err != nil || n != want {
			t.Errorf("%d, %v, want %d", n, err, want)
		}
	}
}

// reads whatever it is given as the same events.
type reads struct {
	carriers.Adapter
	events []carriers.Event
}

func (r reads) ParsePush([]byte) ([]carriers.Event, error) { return r.events, nil }

func TestABodyIsKeptTogetherWithItsFactsOrNotAtAll(t *testing.T) {
	b := newBench(t)
	raw := store.RawBody{Source: "carrier:ups", Via: "webhook", Hash: []byte{1}, Body: []byte("x"), Events: 1}
	bad := store.Fact{Source: "carrier:ups", EventID: "bad", Kind: store.KindCarrierEvent, Location: "a\x00b", OccurredAt: placed}
	if _, err := b.store.AcceptBody(t.Context(), raw, []store.Fact{bad}); err == nil {
		t.Fatal("PostgreSQL took a NUL")
	}
	bad.Location, raw.ContentType = "", "a\x00b"
	if _, err := b.store.AcceptBody(t.Context(), raw, []store.Fact{bad}); err == nil {
		t.Fatal("PostgreSQL took a NUL")
	}
	if n := b.count(`select count(*) from raw_bodies`) + b.count(`select count(*) from inbox`); n != 0 {
		t.Errorf("%d rows", n)
	}
}

func FuzzKey(f *testing.F) {
	f.Add("EXC", "9/Z 4")
	f.Add("type", "Q OR")
	f.Fuzz(func(t *testing.T, table, code string) {
		if strings.ContainsAny(table, " /") {
			return
		}
		m := store.Mapping{Carrier: "ups", Table: table, Code: code}
		if c, tab, k := intake.SplitKey(m.Key()); c != "ups" || tab != table || k != code {
			t.Errorf("%q comes apart as %q %q %q", m.Key(), c, tab, k)
		}
	})
}
