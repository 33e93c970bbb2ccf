package folder

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/carriers/all"
	"github.com/waybillhq/waybill/internal/carriers/generic"
	"github.com/waybillhq/waybill/internal/intake"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/internal/store/storetest"
	"github.com/waybillhq/waybill/order"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var now = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

// bench is a folder on a real disk before a real database.
type bench struct {
	*testing.T
	*Folder
	store *store.Store
}

// flaky is the store, which may be away.
type flaky struct {
	*store.Store
	err error
}

func (f *flaky) AcceptBody(ctx context.Context, raw store.RawBody, facts []store.Fact) ([]store.Result, error) {
	if f.err != nil {
		return nil, f.err
	}
	return f.Store.AcceptBody(ctx, raw, facts)
}

func newBench(t *testing.T) (*bench, *flaky) {
	t.Helper()
	raw, err := os.ReadFile("../carriers/generic/testdata/portal.yaml")
	if err != nil {
		t.Fatal(err)
	}
	portal, err := generic.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	s := storetest.New(t)
	f := &flaky{Store: s}
	b := &bench{t, &Folder{
		Path: t.TempDir(), Intake: &intake.Intake{Store: f}, Faults: s, Carriers: append(all.Adapters(), portal),
		Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return now },
	}, s}
	return b, f
}

func (b *bench) put(name string, body []byte) {
	b.Helper()
	name = filepath.Join(b.Path, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(name, body, 0o600); err != nil {
		b.Fatal(err)
	}
}

func (b *bench) fixture(name string) []byte {
	b.Helper()
	body, err := os.ReadFile("../carriers/" + name)
	if err != nil {
		b.Fatal(err)
	}
	return body
}

// look looks once and says what stands in the folder.
func (b *bench) look(want ...string) {
	b.Helper()
	if err := b.Look(b.Context()); err != nil {
		b.Error(err)
	}
	b.holds(want...)
}

func (b *bench) holds(want ...string) {
	b.Helper()
	var have []string
	if err := filepath.WalkDir(b.Path, func(p string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			p, err = filepath.Rel(b.Path, p)
			have = append(have, p)
		}
		return err
	}); err != nil {
		b.Fatal(err)
	}
	slices.Sort(want)
	if !slices.Equal(have, want) {
		b.Errorf("the folder holds %v, want %v", have, want)
	}
}

// orphans counts the events of the inbox: no parcel of theirs is known.
func (b *bench) orphans(want int64) {
	b.Helper()
	st, err := b.store.Inbox(b.Context())
	if err != nil || st.Orphans != want {
		b.Errorf("%d events in the inbox, want %d; %v", st.Orphans, want, err)
	}
}

func TestAFileIsTakenOnceItRests(t *testing.T) {
	b, _ := newBench(t)
	whole := b.fixture("edi214/testdata/delivery.edi")
	b.put("a.edi", whole[:200])
	b.look("a.edi")
	b.put("a.edi", whole) // grew since the last look
	b.look("a.edi")
	b.orphans(0)
	b.look("done/a.edi", "out/a.edi.997")
	b.orphans(11)
	if got, err := os.ReadFile(filepath.Join(b.Path, "done/a.edi")); err != nil || string(got) != string(whole) {
		t.Error("the file changed", err)
	}
}

func TestTheSameNameAgainAndTheSameEventsAgain(t *testing.T) {
	b, _ := newBench(t)
	whole := b.fixture("edi214/testdata/delivery.edi")
	for range 3 {
		b.put("a.edi", whole)
		_, _ = b.Look(b.Context()), b.Look(b.Context())
	}
	b.holds("done/a.edi", "done/a.edi.1", "done/a.edi.2", "out/a.edi.997", "out/a.edi.1.997", "out/a.edi.2.997")
	b.orphans(11)
}

func (b *bench) read(name string) string {
	b.Helper()
	got, err := os.ReadFile(filepath.Join(b.Path, name))
	if err != nil {
		b.Error(err)
	}
	return string(got)
}

func TestAnEDIFileIsAcknowledged(t *testing.T) {
	b, _ := newBench(t)
	for _, name := range []string{"multi.edi", "refused.edi"} {
		b.put(name, b.fixture("edi214/testdata/"+name))
	}
	b.put("nord-3pl/export.csv", b.fixture("generic/testdata/portal.csv"))
	b.put("edi214/named.edi", b.fixture("edi214/testdata/delivery.edi"))
	b.put("wrong.edi", []byte(strings.Replace(string(b.fixture("edi214/testdata/multi.edi")), "SE*6*0002", "SE*7*0002", 1)))
	b.put("garbage.edi", []byte("hello"))
	_, _ = b.Look(b.Context()), b.Look(b.Context())
	b.holds("done/multi.edi", "done/refused.edi", "out/multi.edi.997", "out/refused.edi.997", "nord-3pl/done/export.csv", "edi214/done/named.edi", "edi214/out/named.edi.997",
		"failed/wrong.edi", "failed/wrong.edi.reason.txt", "out/wrong.edi.997", "failed/garbage.edi", "failed/garbage.edi.reason.txt")
	if got := b.read("out/multi.edi.997"); strings.Count(got, "ISA") != 2 || !strings.Contains(got, "AK9*A*2*2*2~") || !strings.Contains(got, "AK9|A|1|1|1'") {
		t.Error(got)
	}
	if got := b.read("out/wrong.edi.997"); !strings.Contains(got, "AK2*214*0002~AK5*R*4~AK9*P*2*2*1~") {
		t.Error(got)
	}
	if b.read("out/multi.edi.997")[:120] == b.read("out/wrong.edi.997")[:120] {
		t.Error("two answers under one control number")
	}
}

// A crash between accepting and moving leaves the file where it was.
func TestAfterACrashTheAnswerIsTheSame(t *testing.T) {
	b, _ := newBench(t)
	crash := func() {
		b.Helper()
		if err := os.Rename(filepath.Join(b.Path, "done/a.edi"), filepath.Join(b.Path, "a.edi")); err != nil {
			b.Fatal(err)
		}
		_, _ = b.Look(b.Context()), b.Look(b.Context())
	}
	b.put("a.edi", b.fixture("edi214/testdata/delivery.edi"))
	_, _ = b.Look(b.Context()), b.Look(b.Context())
	first := b.read("out/a.edi.997")
	crash()
	b.holds("done/a.edi", "out/a.edi.997")
	if err := os.Remove(filepath.Join(b.Path, "out/a.edi.997")); err != nil { // the partner has fetched it
		t.Fatal(err)
	}
	crash()
	b.holds("done/a.edi", "out/a.edi.997")
	if again := b.read("out/a.edi.997"); again != first {
		t.Errorf("\n%s\n%s", first, again)
	}
	// Another file of that name, whose answer stands there still.
	b.put("out/a.edi.997", []byte("of yesterday"))
	crash()
	b.holds("done/a.edi", "out/a.edi.997", "out/a.edi.1.997")
	if b.read("out/a.edi.997") != "of yesterday" || b.read("out/a.edi.1.997") != first {
		t.Error("an answer was overwritten")
	}
}

// A file whose answer cannot be written is not moved.
func TestWithoutAnAnswerAFileStays(t *testing.T) {
	b, _ := newBench(t)
	b.put("out", []byte("not a folder"))
	b.put("a.edi", b.fixture("edi214/testdata/delivery.edi"))
	_ = b.Look(b.Context())
	if err := b.Look(b.Context()); err == nil {
		t.Error("no error")
	}
	if b.read("a.edi") == "" {
		t.Error("it went")
	}
}

func TestWhatWaitsAndWhatWasTakenIsKnown(t *testing.T) {
	b, f := newBench(t)
	taken := map[string]int{}
	b.Taken = func(carrier, to string) { taken[carrier+" "+to]++ }
	at := now
	b.Now = func() time.Time { return at }
	waits := func(want int, since time.Time) {
		b.Helper()
		if n, first := b.Waiting(); n != want || !first.Equal(since) {
			b.Errorf("%d wait since %s, want %d since %s", n, first, want, since)
		}
	}
	waits(0, time.Time{})
	f.err = errors.New("away")
	b.put("a.edi", b.fixture("edi214/testdata/delivery.edi"))
	b.put("garbage.edi", []byte("hello"))
	b.put("pigeon/a.json", []byte("{}"))
	b.put("pigeon/b.json", []byte("{}"))
	_ = b.Look(b.Context())
	at = at.Add(time.Minute)
	b.put("nord-3pl/export.csv", b.fixture("generic/testdata/portal.csv"))
	_ = b.Look(b.Context())
	waits(5, now)
	f.err = nil
	_ = b.Look(b.Context())
	waits(2, now) // the pigeon's
	if want := map[string]int{"edi214 done": 1, "edi214 failed": 1, "nord-3pl done": 1}; !maps.Equal(taken, want) {
		t.Errorf("%v", taken)
	}
}

func TestAFileFindsItsParcel(t *testing.T) {
	b, _ := newBench(t)
	spec := order.Spec{ID: "acme:1", Store: "acme", Number: "1", Class: order.Bulky, PlacedAt: now, CustomerRef: "acme:1",
		Lines: []order.Line{{SKU: "sofa", Quantity: 1}}, Policy: order.DefaultPolicy(),
		Parcels: []order.PlannedParcel{{ID: "1", Carrier: "odfl", Tracking: "12345678901", Lines: []order.Allocation{{SKU: "sofa", Quantity: 1}}}}}
	if _, err := b.store.CreateOrder(b.Context(), store.NewOrder{Spec: spec, TokenHash: make([]byte, 32), RequestHash: make([]byte, 32)}); err != nil {
		t.Fatal(err)
	}
	b.put("a.edi", b.fixture("edi214/testdata/delivery.edi"))
	b.look("a.edi")
	b.look("done/a.edi", "out/a.edi.997")
	b.orphans(0)
	entries, err := b.store.Timeline(b.Context(), "acme:1", 100)
	if err != nil || !slices.ContainsFunc(entries, func(e store.Entry) bool {
		return e.Milestone == "delivered" && e.Code == "1650 D1" && e.Location == "CHICAGO, IL, US"
	}) {
		t.Errorf("%v: %+v", err, entries)
	}
}

func TestCarriersHaveFoldersOfTheirOwn(t *testing.T) {
	b, _ := newBench(t)
	b.put("nord-3pl/export.csv", b.fixture("generic/testdata/portal.csv"))
	b.put("a.edi", b.fixture("edi214/testdata/refused.edi"))
	b.look("a.edi", "nord-3pl/export.csv")
	b.look("done/a.edi", "out/a.edi.997", "nord-3pl/done/export.csv")
	b.orphans(8)
}

func TestWhatIsNotForUsIsLeftAlone(t *testing.T) {
	b, _ := newBench(t)
	names := []string{".hidden.edi", "a.edi.tmp", "b.edi.PART", "empty/.keep", "nord-3pl/x.part"}
	for _, n := range names {
		b.put(n, []byte("x"))
	}
	outside := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(outside, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(b.Path, "link.edi")); err != nil {
		t.Fatal(err)
	}
	b.look(append(names, "link.edi")...)
	b.look(append(names, "link.edi")...)
}

func TestFilesThatNobodyReadsAreComplainedOf(t *testing.T) {
	for _, carrier := range []string{"pigeon", "ups"} {
		b, _ := newBench(t)
		b.put(carrier+"/a.json", []byte("{}"))
		b.put("a.edi", b.fixture("edi214/testdata/refused.edi"))
		for range 2 {
			if err := b.Look(b.Context()); err == nil || !strings.Contains(err.Error(), carrier) {
				t.Errorf("%s: %v", carrier, err)
			}
		}
		b.holds("done/a.edi", "out/a.edi.997", carrier+"/a.json")
	}
}

func TestWhatCannotBeReadIsSetAsideWithItsReason(t *testing.T) {
	b, _ := newBench(t)
	good := string(b.fixture("edi214/testdata/multi.edi"))
	b.put("garbage.edi", []byte("hello"))
	b.put("huge.edi", make([]byte, carriers.MaxBody+1))
	b.put("partly.edi", []byte(strings.Replace(good, "SE*6*0002", "SE*7*0002", 1)))
	b.put("future.edi", []byte(strings.ReplaceAll(string(b.fixture("edi214/testdata/refused.edi")), "AT7*A3*NS***20260309", "AT7*A3*NS***20290309")))
	b.look("future.edi", "garbage.edi", "huge.edi", "partly.edi")
	b.look("failed/future.edi", "failed/future.edi.reason.txt", "failed/garbage.edi", "failed/garbage.edi.reason.txt", "failed/huge.edi", "failed/huge.edi.reason.txt",
		"failed/partly.edi", "failed/partly.edi.reason.txt", "out/partly.edi.997", "out/future.edi.997")
	b.orphans(6) // 3 of partly.edi, 3 of future.edi
	for name, want := range map[string]string{
		"garbage.edi": `segment 1: not an interchange: it begins with "hello", not with ISA`,
		"huge.edi":    "a file of 4194305 bytes; 4194304 are allowed",
		"partly.edi":  "3 events were taken in (0 new, 3 of parcels not known yet, 0 known before). This was not:\nsegment 14: SE says that set 0002 has 7 segments; it has 6\n",
		"future.edi":  "file: 1 events have a time or a number that cannot be true",
	} {
		got, err := os.ReadFile(filepath.Join(b.Path, "failed", name+".reason.txt"))
		if err != nil || !strings.Contains(string(got), want) {
			t.Errorf("%s: %v, %q", name, err, got)
		}
	}
	open, err := b.store.Faults(b.Context(), true, store.FaultCursor{}, 10)
	if err != nil || len(open) != 1 || open[0].Kind != store.UnreadableFile || open[0].Key != "edi214" || open[0].Count != 4 {
		t.Errorf("%v, %+v", err, open)
	}
}

func TestWhileTheDatabaseIsAwayFilesStay(t *testing.T) {
	b, f := newBench(t)
	f.err = errors.New("away")
	b.put("a.edi", b.fixture("edi214/testdata/delivery.edi"))
	b.look("a.edi")
	for range 2 {
		if err := b.Look(b.Context()); !errors.Is(err, f.err) {
			t.Error(err)
		}
		b.holds("a.edi")
	}
	f.err = nil
	b.look("done/a.edi", "out/a.edi.997")
	b.orphans(11)
}

func TestAFolderThatIsNotThereIsAnError(t *testing.T) {
	f := &Folder{Path: filepath.Join(t.TempDir(), "gone"), Log: slog.New(slog.DiscardHandler)}
	if err := f.Run(t.Context()); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}
