package carriertest

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/order"
)

// Payloads is what a test declares of the payloads that nobody here wrote: what
// becomes of each, and where we read one otherwise than the outside opinion
// that lies beside it. What is not declared, and what is declared and not so,
// fails.
type Payloads struct {
	Adapter carriers.Adapter
	// Folders of the shared data's carriers/, and in them, as folder/file, the
	// payloads that bring events: how many of each milestone, as summary writes
	// it. Empty: well formed, but nothing happened. All others are refused.
	Folders []string
	Events  map[string]string
	// Unmapped are the codes in them that are in no published list.
	Unmapped []string
	// Alone is our reading of codes, by the opinion's, of which the opinion has none.
	Alone map[string]order.Milestone
	// Differ are the disagreements, "field: theirs, ours" (of texts and places the
	// field alone), and why we keep ours.
	Differ map[string]string
	// Open takes off what the collector wrapped around a payload.
	Open func(body []byte) []byte
}

// opinion is a case of index.json: payloads, and what another open-source
// library says comes out of them.
type opinion struct {
	Carrier  string
	Payloads []struct{ File string }
	Expected struct {
		Shipments []opined
		Messages  []struct{ Code carriers.Text }
	}
}

type opined struct {
	Number    string `json:"tracking_number"`
	Delivered bool
	Estimated string `json:"estimated_delivery"`
	Events    []opinedEvent
}

type opinedEvent struct{ Code, Status, Timestamp, Description, Location string }

// theirs is the opinion's word for a milestone.
var theirs = map[order.Milestone]string{
	order.Accepted: "picked_up", order.InTransit: "in_transit", order.OutForDelivery: "out_for_delivery", order.Delivered: "delivered", order.ReadyForPickup: "ready_for_pickup",
	order.Returning: "return_to_sender", order.InCustoms: "customs",
}

// payloads is the folder of payloads that nobody here wrote, seen from the folder
// of a carrier.
func payloads() string {
	return filepath.Join(cmp.Or(os.Getenv("WAYBILL_DATA"), "../../../../shared/data"), "carriers")
}

// Seed gives a fuzz target every payload that nobody here wrote, of whichever
// carrier, up to a size that a fuzzer can work with. Without them there are none.
func Seed(f *testing.F) {
	files, _ := filepath.Glob(filepath.Join(payloads(), "[a-z]*", "*"))
	for _, name := range files {
		if body, err := os.ReadFile(name); err == nil && len(body) <= 32<<10 {
			f.Add(body)
		}
	}
}

// Compare parses every payload, holds it against the opinion, and prints both.
func (p Payloads) Compare(t *testing.T) {
	dir := payloads()
	index, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if err != nil {
		t.Skipf("payloads that nobody here wrote are not here (%s); set WAYBILL_DATA to the folder that holds carriers/", dir)
	}
	var cases []opinion
	if err := json.Unmarshal(index, &cases); err != nil {
		t.Fatal(err)
	}
	c := comparison{Payloads: p, t: t, differ: map[string]int{}, unmapped: map[string]bool{}}
	parsed := c.parseAll(dir)
	if len(parsed) == 0 {
		t.Skipf("no payload of %s in %s: nothing to hold our reading against", p.Adapter.Name(), dir)
	}
	for _, o := range cases {
		if slices.Contains(p.Folders, o.Carrier) {
			c.opinion(o, parsed)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(p.Differ)) {
		if c.differ[key] == 0 {
			t.Errorf("no longer a disagreement: %s", key)
		}
		t.Logf("disagreement, %d times: %s: %s", c.differ[key], key, p.Differ[key])
	}
	if have := slices.Sorted(maps.Keys(c.unmapped)); !slices.Equal(have, slices.Sorted(slices.Values(p.Unmapped))) {
		t.Errorf("unmapped codes %v, declared %v", have, p.Unmapped)
	}
	t.Logf("%d payloads, all as declared; of %d events that both read %d mean the same; %d only we read; %d refusals named alike; %d kinds of disagreement",
		len(parsed), c.read, c.agreed, c.alone, c.refused, len(c.differ))
}

type comparison struct {
	Payloads
	t                            *testing.T
	differ                       map[string]int
	unmapped                     map[string]bool
	read, agreed, alone, refused int
}

type result struct {
	events []carriers.Event
	err    error
}

func (c *comparison) parseAll(dir string) map[string]result {
	parsed := map[string]result{}
	for _, folder := range c.Folders {
		files, _ := filepath.Glob(filepath.Join(dir, folder, "*"))
		for _, file := range files {
			body, err := os.ReadFile(file)
			if err != nil {
				c.t.Fatal(err)
			}
			name := folder + "/" + filepath.Base(file)
			r := c.parse(body)
			parsed[name] = r
			want, good := c.Events[name]
			if good != (r.err == nil) || summary(r.events) != want || r.err != nil && !errors.Is(r.err, carriers.ErrMalformed) {
				c.t.Errorf("%s: %q, %v; declared %q, good %v", name, summary(r.events), r.err, want, good)
			}
			for _, e := range r.events {
				if err := CheckEvent(e); err != nil {
					c.t.Errorf("%s: %v: %+v", name, err, e)
				}
				if e.Unmapped {
					c.unmapped[e.Code] = true
				}
			}
			c.t.Logf("%s: %s, %v", name, summary(r.events), r.err)
		}
	}
	for name := range c.Events {
		if _, ok := parsed[name]; !ok && len(parsed) > 0 {
			c.t.Errorf("%s is not there", name)
		}
	}
	return parsed
}

// summary counts milestones in their order, like "labelled 1, delivered 1"; what
// moves nothing is "none".
func summary(events []carriers.Event) string {
	var words []string
	for _, d := range append(slices.Clone(order.Definitions), order.Definition{}) {
		n := 0
		for _, e := range events {
			if e.Milestone == d.Milestone {
				n++
			}
		}
		if n > 0 {
			words = append(words, fmt.Sprintf("%s %d", cmp.Or(d.Milestone, "none"), n))
		}
	}
	return strings.Join(words, ", ")
}

// parse reads a body as whichever of both it is.
func (c *comparison) parse(body []byte) result {
	if c.Open != nil {
		body = c.Open(body)
	}
	events, err := c.Adapter.ParseTrack(body)
	if err != nil {
		if pushed, pushErr := c.Adapter.ParsePush(body); pushErr == nil {
			return result{pushed, nil}
		}
	}
	return result{events, err}
}

func (c *comparison) opinion(o opinion, parsed map[string]result) {
	e := o.Expected
	if len(e.Shipments) == 0 {
		r := parsed[o.Payloads[0].File]
		if r.err == nil || !strings.Contains(r.err.Error(), string(e.Messages[0].Code)) {
			c.t.Errorf("%s: %v does not name %s", o.Payloads[0].File, r.err, e.Messages[0].Code)
		}
		c.refused++
		return
	}
	// Either a payload for each shipment, or all shipments in the first.
	if len(o.Payloads) == len(e.Shipments) {
		for i, s := range e.Shipments {
			c.shipments(parsed[o.Payloads[i].File].events, s)
		}
		return
	}
	c.shipments(parsed[o.Payloads[0].File].events, e.Shipments...)
}

func (c *comparison) shipments(events []carriers.Event, shipments ...opined) {
	rest := slices.Clone(events)
	for _, s := range shipments {
		number := carriers.Number(s.Number)
		var own []carriers.Event
		for _, w := range s.Events {
			i := find(rest, number, w)
			if i < 0 {
				c.t.Errorf("%s: no event %s at %s", number, w.Code, w.Timestamp)
				continue
			}
			c.event(w, rest[i])
			own, rest = append(own, rest[i]), slices.Delete(rest, i, i+1)
		}
		if newest := carriers.Newest(own); newest >= 0 {
			c.same("delivered", yes(s.Delivered), yes(own[newest].Milestone == order.Delivered))
		}
		if i := slices.IndexFunc(own, func(e carriers.Event) bool { return !e.ETA.IsZero() }); s.Estimated != "" {
			ours := ""
			if i >= 0 {
				ours = own[i].ETA.Format(time.DateOnly)
			}
			c.same("estimated", s.Estimated, ours)
		}
	}
	for _, e := range rest {
		c.t.Errorf("only we have %+v", e)
	}
}

// find looks for an event by number and wall clock, and where several share a
// minute by code, then by text. The opinion sorts anew, drops seconds, and
// stamps every local time with a Z.
func find(events []carriers.Event, number string, w opinedEvent) int {
	best, points := -1, 0
	for i, e := range events {
		if cmp.Or(e.Piece, e.Tracking) != number || len(e.Local) < 16 || !strings.HasPrefix(w.Timestamp, e.Local[:16]) {
			continue
		}
		p := 1
		if e.Code == w.Code {
			p += 2
		}
		if folded(e.Description) == folded(w.Description) {
			p++
		}
		if p > points {
			best, points = i, p
		}
	}
	return best
}

func (c *comparison) event(w opinedEvent, e carriers.Event) {
	c.same("code", w.Code, e.Code)
	if w.Description != "" {
		c.alike("text of "+w.Code, folded(w.Description) == folded(e.Description))
	}
	if w.Location != "" {
		c.alike("place of "+w.Code, parts(w.Location) == parts(e.Location))
	}
	if w.Status == "" {
		c.alone++
		if m, ok := c.Alone[w.Code]; !ok || m != e.Milestone {
			c.t.Errorf("%s, of which the opinion says nothing: %q, declared %q %v", w.Code, e.Milestone, m, ok)
		}
		return
	}
	c.read++
	word, ok := theirs[e.Milestone]
	if !ok {
		word = string(e.Milestone)
	}
	if c.same("meaning of "+w.Code, w.Status, word) {
		c.agreed++
	}
}

// same compares; a difference must be declared.
func (c *comparison) same(field, theirs, ours string) bool {
	return c.alike(field+": "+theirs+", "+ours, theirs == ours)
}

func (c *comparison) alike(key string, same bool) bool {
	if same {
		return true
	}
	if c.Differ[key] == "" && c.differ[key] == 0 {
		c.t.Errorf("a new disagreement: %s", key)
	}
	c.differ[key]++
	return false
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// folded leaves out what only the layout of a text says.
func folded(s string) string { return strings.Join(strings.Fields(s), " ") }

// parts of a place, in any order: they write the ZIP before the state.
func parts(place string) string {
	list := strings.Split(folded(place), ",")
	for i := range list {
		list[i] = strings.TrimSpace(list[i])
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}
