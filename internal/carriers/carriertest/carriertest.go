// Package carriertest is the suite that every carrier's adapter passes.
package carriertest

import (
	"bytes"
	"cmp"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/order"
)

// Suite is what the tests need to know of an adapter.
type Suite struct {
	Adapter carriers.Adapter
	// Pushes and Tracks are good bodies by name: fixtures of the documented shape.
	Pushes, Tracks map[string][]byte
	// Sign makes the push that the carrier would send for a body, now. Nil for
	// adapters that cannot verify.
	Sign func(body, secret []byte, now time.Time) carriers.Push
	// Signed says that the body is covered: one flipped bit is noticed. False
	// for carriers that only send a credential back.
	Signed bool
}

// Run runs the suite.
func Run(t *testing.T, s Suite) {
	a := s.Adapter
	if a.Name() == "" || strings.ToLower(a.Name()) != a.Name() {
		t.Errorf("name %q must be lower case", a.Name())
	}
	t.Run("what it cannot do it says", func(t *testing.T) {
		for c, f := range map[carriers.Capability]func() error{
			carriers.CanParsePush:  func() error { _, err := a.ParsePush([]byte("{}")); return err },
			carriers.CanParseTrack: func() error { _, err := a.ParseTrack([]byte("{}")); return err },
			carriers.CanVerifyPush: func() error { return a.Verify(carriers.Push{}, [][]byte{[]byte("secret")}) },
		} {
			if err := f(); carriers.Can(a, c) == errors.Is(err, carriers.ErrCannot) {
				t.Errorf("%s: capable %v, but %v", c, carriers.Can(a, c), err)
			}
		}
	})
	t.Run("asking", func(t *testing.T) { asking(t, a) })
	for name, parse := range map[string]func([]byte) ([]carriers.Event, error){"push": a.ParsePush, "track": a.ParseTrack} {
		bodies, capable := s.Pushes, carriers.Can(a, carriers.CanParsePush)
		if name == "track" {
			bodies, capable = s.Tracks, carriers.Can(a, carriers.CanParseTrack)
		}
		if !capable {
			continue
		}
		if len(bodies) == 0 {
			t.Errorf("no fixtures for %s", name)
		}
		t.Run(name, func(t *testing.T) { parsing(t, parse, bodies) })
	}
	files, ok := a.(carriers.FileReader)
	if ok != carriers.Can(a, carriers.CanParseFile) {
		t.Errorf("reads files: %v; says so: %v", ok, !ok)
	}
	if ok {
		t.Run("file", func(t *testing.T) { s.files(t, files) })
	}
	if carriers.Can(a, carriers.CanVerifyPush) {
		t.Run("authenticity", func(t *testing.T) { s.authenticity(t) })
	}
}

func parsing(t *testing.T, parse func([]byte) ([]carriers.Event, error), bodies map[string][]byte) {
	for name, body := range bodies {
		events, err := parse(body)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(events) == 0 {
			t.Errorf("%s: no events", name)
		}
		for i, e := range events {
			if err := CheckEvent(e); err != nil {
				t.Errorf("%s, event %d: %v: %+v", name, i, err, e)
			}
		}
		// Truncated anywhere: an error or fewer events, never a panic.
		for cut := 0; cut < len(body); cut += max(1, len(body)/97) {
			if events, err := parse(body[:cut]); err == nil && len(bytes.TrimSpace(body[:cut])) == 0 && len(events) > 0 {
				t.Errorf("%s cut at %d: %d events of nothing", name, cut, len(events))
			}
		}
		// Hostile text must come out clean.
		for _, quote := range []string{`"`, `<`} {
			_, _ = parse(bytes.ReplaceAll(body, []byte(quote), []byte(quote+"\u202e\x00")))
		}
	}
	for name, bad := range map[string]string{
		"empty": "", "blank": "  ", "null": "null", "text": "hello", "number": "17", "list": "[]", "object": "{}", "html": "<html><body>502 Bad Gateway</body></html>",
		"other": `{"something":"else","events":7}`, "deep": strings.Repeat(`{"a":`, 20_000) + "1" + strings.Repeat("}", 20_000), "deep list": strings.Repeat("[", 50_000),
		"not utf-8": "\xff\xfe{\"a\":1}", "bomb": `<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "x"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><a>&c;</a>`,
	} {
		events, err := parse([]byte(bad))
		if err == nil && len(events) > 0 {
			t.Errorf("%s: %d events", name, len(events))
		}
		if err != nil && !errors.Is(err, carriers.ErrMalformed) {
			t.Errorf("%s: %v is not ErrMalformed", name, err)
		}
	}
}

// files: a file says the same as the push of the same bytes, and beside that what
// of it could not be read.
func (s Suite) files(t *testing.T, a carriers.FileReader) {
	for name, body := range s.Pushes {
		whole := a.ParseFile(body)
		if pushed, err := a.ParsePush(body); err != nil || !reflect.DeepEqual(pushed, whole.Events) {
			t.Errorf("%s: as a file %d events, as a push %d, %v", name, len(whole.Events), len(pushed), err)
		}
		for cut := 0; cut < len(body); cut += max(1, len(body)/97) {
			f := a.ParseFile(body[:cut])
			if len(f.Events) > len(whole.Events) {
				t.Errorf("%s cut at %d: %d events of %d", name, cut, len(f.Events), len(whole.Events))
			}
			for _, x := range f.Faults {
				if x.Where == "" || x.What == "" || len(x.What) > 200 || strings.ContainsAny(x.What, "\n\r\x00") {
					t.Errorf("%s cut at %d: fault %+v", name, cut, x)
				}
			}
		}
	}
	for _, bad := range []string{"", "hello", "\x00\xff"} {
		if f := a.ParseFile([]byte(bad)); len(f.Events) > 0 || len(f.Faults) == 0 {
			t.Errorf("%q: %d events, %d faults", bad, len(f.Events), len(f.Faults))
		}
	}
}

// CheckEvent says what no event of any carrier may be.
func CheckEvent(e carriers.Event) error {
	switch {
	case e.Unread != "":
		if e != (carriers.Event{Unread: e.Unread}) {
			return errors.New("what could not be read says something")
		}
		return nil
	case e.Tracking == "" || len(e.Tracking) > 80:
		return errors.New("no tracking number")
	case e.Code == "" || len(e.Code) > 80 || e.Table == "":
		return errors.New("no code, or no table")
	case strings.ContainsAny(e.Table, " /") || len(e.Table) > 40:
		return errors.New("a table's name that cannot stand before a code")
	case e.Milestone != "" && !e.Milestone.Known():
		return errors.New("unknown milestone")
	case e.Milestone.Stage() > order.Preparing && !e.Physical && e.Milestone != order.Lost && e.Milestone != order.Destroyed:
		return errors.New("possession claimed by paper")
	case e.Milestone == order.Labelled && e.Physical:
		return errors.New("a label is not physical")
	case e.Unmapped && e.Milestone != "":
		return errors.New("an unmapped code moves nothing")
	case e.Proof.Held != "" && e.Milestone != order.Delivered && e.Milestone != order.Returned:
		return errors.New("a proof of no delivery")
	case e.UTC.IsZero() || e.UTC.Location() != time.UTC || e.Basis == "":
		return errors.New("no time, or not how it was found")
	case len(e.Description) > 500 || len(e.Location) > 120 || len(e.ID) > 200:
		return errors.New("text too long")
	case e.DeliveredTo != "" && !slices.Contains(carriers.DeliveryKinds, e.DeliveredTo):
		return errors.New("delivered to a kind that is none of ours")
	case e.DeliveredTo == carriers.InPart && e.Milestone == order.Delivered:
		return errors.New("delivered in part is not delivered")
	case len(e.Piece) > 80:
		return errors.New("a piece's number too long")
	case e.Pieces < 0 || e.Pieces > carriers.MaxPieces || e.Whole && e.Piece != "":
		return errors.New("one piece that is all of them, or a count that none is")
	case e.Unique != "" && (len(e.Unique) > 120 || e.Unique != carriers.Clean(e.Unique, 120)):
		return errors.New("a unique ID that is not clean")
	case e.Appointment != nil && (e.Appointment.Earliest.IsZero() && e.Appointment.Latest.IsZero() || e.Physical):
		return errors.New("an appointment without a time, or one that moved the parcel")
	case !e.PickupBy.IsZero() && e.Milestone != order.ReadyForPickup:
		return errors.New("a time to collect what does not wait for it")
	case !utf8.ValidString(e.Description+e.Location+e.Proof.SignedBy+e.Proof.Photo) || strings.ContainsAny(e.Description+e.Location, "\x00\n\r\u202e"):
		return errors.New("text not clean")
	}
	return nil
}

// Events compares events with what is wanted, a line each: number, table, code,
// milestone, bucket, UTC, local time, offset, basis; "-" is nothing, and "unread"
// what could not be read.
func Events(t *testing.T, got []carriers.Event, want string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(want), "\n")
	if len(got) != len(lines) {
		t.Fatalf("%d events, want %d", len(got), len(lines))
	}
	for i, e := range got {
		have := []string{cmp.Or(e.Piece, e.Tracking), e.Table, e.Code, string(e.Milestone), e.Bucket, e.UTC.Format(time.RFC3339), e.Local, e.Offset, string(e.Basis)}
		for j := range have {
			have[j] = cmp.Or(have[j], "-")
		}
		if e.Unread != "" {
			have = []string{"unread"}
		}
		if !slices.Equal(have, strings.Fields(lines[i])) {
			t.Errorf("event %d:\n got %s\nwant %s", i, strings.Join(have, " "), strings.TrimSpace(lines[i]))
		}
	}
}

// File is a fixture in testdata.
func File(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Fuzz holds a parser to its promises, from these fixtures on: events that
// CheckEvent allows, or else ErrMalformed, and never both.
func Fuzz(f *testing.F, parse func([]byte) ([]carriers.Event, error), fixtures ...string) {
	for _, name := range fixtures {
		f.Add(File(f, name))
	}
	Seed(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		events, err := parse(body)
		if err != nil && (len(events) > 0 || !errors.Is(err, carriers.ErrMalformed)) {
			t.Fatalf("%d events, %v", len(events), err)
		}
		for _, e := range events {
			if err := CheckEvent(e); err != nil {
				t.Fatalf("%v: %+v", err, e)
			}
		}
	})
}

func (s Suite) authenticity(t *testing.T) {
	now := time.Now().UTC()
	old, current := []byte("old-secret-0123456789"), []byte("new-secret-0123456789")
	var body []byte
	for _, b := range s.Pushes {
		body = b
		break
	}
	good := s.Sign(body, current, now)
	for name, c := range map[string]struct {
		push    carriers.Push
		secrets [][]byte
		want    error
	}{
		"good":               {good, [][]byte{current}, nil},
		"rotated":            {s.Sign(body, old, now), [][]byte{current, old}, nil},
		"retired secret":     {s.Sign(body, old, now), [][]byte{current}, carriers.ErrBadSignature},
		"no secret":          {good, nil, carriers.ErrNoSecret},
		"empty secret":       {s.Sign(body, []byte{}, now), [][]byte{{}}, carriers.ErrNoSecret},
		"one of two empty":   {good, [][]byte{current, {}}, carriers.ErrNoSecret},
		"without any header": {carriers.Push{Body: body, ReceivedAt: now}, [][]byte{current}, carriers.ErrNotSigned},
	} {
		if err := s.Adapter.Verify(c.push, c.secrets); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if !s.Signed {
		return
	}
	for i := 0; i < len(body); i += max(1, len(body)/50) {
		flipped := bytes.Clone(body)
		flipped[i] ^= 1
		p := good
		p.Body = flipped
		if err := s.Adapter.Verify(p, [][]byte{current}); !errors.Is(err, carriers.ErrBadSignature) {
			t.Fatalf("bit flipped at %d: %v", i, err)
		}
	}
}

// asking: what an adapter says it can ask is what its interfaces can.
func asking(t *testing.T, a carriers.Adapter) {
	asker, ok := a.(carriers.Asker)
	if !ok {
		for _, c := range []carriers.Capability{carriers.CanTrack, carriers.CanSubscribe, carriers.CanRenew, carriers.CanProve, carriers.CanInstruct, carriers.CanReturnLabel, carriers.CanPickup} {
			if carriers.Can(a, c) {
				t.Errorf("says %s, but cannot be asked", c)
			}
		}
		return
	}
	var track, subscribe, renew, prove, instruct, label, pickup bool
	names := map[string]bool{}
	for _, api := range asker.APIs() {
		if api.Name == "" || names[api.Name] {
			t.Errorf("interface %q: a name of its own is needed", api.Name)
		}
		names[api.Name] = true
		track, subscribe, renew = track || api.Track != nil, subscribe || api.Subscribe != nil, renew || api.Subscribe != nil && api.SubscribedFor > 0
		if !strings.HasPrefix(api.BaseURL, "https://") || strings.HasSuffix(api.BaseURL, "/") {
			t.Errorf("%s: base URL %q", api.Name, api.BaseURL)
		}
		if len(api.Budget) == 0 {
			t.Errorf("%s: no budget", api.Name)
		}
		if (api.Track != nil) != (api.Batch > 0) || (api.Subscribe != nil) != (api.SubscribeBatch > 0) {
			t.Errorf("%s: a batch size without requests, or the other way round", api.Name)
		}
		if _, ok := a.(carriers.Confirmer); ok != slices.ContainsFunc(asker.APIs(), func(x carriers.API) bool { return x.Activate != nil }) {
			t.Error("confirmations without an answer, or the other way round")
		}
		prove, instruct = prove || api.Prove != nil, instruct || api.Tell != nil
		if (api.Prove != nil) != (api.Evidence != nil) || (api.Tell != nil) != (api.Told != nil) || (api.Tell != nil) != (len(api.Takes) > 0) {
			t.Errorf("%s: a proof or an instruction without its answer, or the other way round", api.Name)
		}
		label, pickup = label || slices.Contains(api.Books, order.BookLabel), pickup || slices.Contains(api.Books, order.BookPickup)
		booking(t, a, api)
		voiding(t, a, api)
		asks := map[string]struct {
			build func(carriers.Question) (*http.Request, error)
			batch int
		}{"track": {api.Track, api.Batch}, "subscribe": {api.Subscribe, api.SubscribeBatch}, "prove": {api.Prove, 1}}
		for _, do := range order.Resolutions {
			task := carriers.Task{Do: do, Day: "2026-03-09", To: carriers.Destination{Name: "Ann", Street: "1 Main St", City: "Springfield", PostalCode: "62701", Region: "IL", Country: "US"}}
			build := func(q carriers.Question) (*http.Request, error) {
				task.Question = q
				return api.Tell(task)
			}
			switch {
			case slices.Contains(api.Takes, do):
				asks["tell "+string(do)] = struct {
					build func(carriers.Question) (*http.Request, error)
					batch int
				}{build, 1}
			case api.Tell != nil:
				if _, err := build(carriers.Question{Account: Account(a, api), ID: "0123456789ABCDEF", Numbers: []string{"1Z999AA10123456784"}}); err == nil {
					t.Errorf("%s: %s is built, though it is not taken", api.Name, do)
				}
			}
		}
		for what, f := range asks {
			if f.build == nil {
				continue
			}
			q := carriers.Question{Account: Account(a, api), ID: "0123456789ABCDEF", Token: "the-token", Of: "ups"}
			for name, numbers := range map[string][]string{"none": nil, "too many": slices.Repeat([]string{"1Z999AA10123456784"}, f.batch+1), "a path": {"../../admin"}, "empty": {""}, "spaces": {"1Z 99"}} {
				q.Numbers = numbers
				if r, err := f.build(q); err == nil {
					t.Errorf("%s %s, %s: %s is built", api.Name, what, name, r.URL)
				}
			}
			q.Numbers = slices.Repeat([]string{"1Z999AA10123456784"}, f.batch)
			r, err := f.build(q)
			if err != nil {
				t.Errorf("%s %s: %v", api.Name, what, err)
				continue
			}
			if !strings.HasPrefix(r.URL.String(), api.BaseURL+"/") {
				t.Errorf("%s %s goes to %s", api.Name, what, r.URL)
			}
			if u := r.URL.String(); strings.Contains(u, string(q.Key)) || strings.Contains(u, string(q.Secret)) || strings.Contains(u, string(q.Token)) {
				t.Errorf("%s %s: a secret in the address %s", api.Name, what, u)
			}
		}
	}
	if prove != carriers.Can(a, carriers.CanProve) || instruct != carriers.Can(a, carriers.CanInstruct) {
		t.Errorf("says %v, but prove %v, instruct %v", a.Capabilities(), prove, instruct)
	}
	if label != carriers.Can(a, carriers.CanReturnLabel) || pickup != carriers.Can(a, carriers.CanPickup) {
		t.Errorf("says %v, but label %v, pickup %v", a.Capabilities(), label, pickup)
	}
	if track != carriers.Can(a, carriers.CanTrack) || subscribe != carriers.Can(a, carriers.CanSubscribe) || renew != carriers.Can(a, carriers.CanRenew) {
		t.Errorf("says %v, but track %v, subscribe %v, renew %v", a.Capabilities(), track, subscribe, renew)
	}
}

// Account is a credential for tests of requests.
func Account(a carriers.Adapter, api carriers.API) carriers.Account {
	return carriers.Account{
		Name: "test", Carrier: a.Name(), API: api.Name, BaseURL: api.BaseURL, Key: "the-key", Secret: "the-secret",
		Service: map[string]string{"unified-push": "parcel-de"}[api.Name],
		Contact: carriers.Contact{Name: "Acme Support", Phone: "+14105550100", IP: "192.0.2.7"},
		Hook:    carriers.Hook{URL: "https://waybill.example/webhooks/" + a.Name(), Secret: "0123456789abcdef0123456789abcdef", Email: "ops@waybill.example"},
	}
}
