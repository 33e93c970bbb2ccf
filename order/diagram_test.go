package order

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write docs/milestones.md and docs/returns.md")

func TestDiagramsInTheDocsAreWhatTheCodeDoes(t *testing.T) {
	for name, text := range map[string]string{"milestones.md": Diagram(), "returns.md": ReturnDiagram()} {
		file := filepath.Join("..", "docs", name)
		if *update {
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if string(mustRead(t, file)) != text {
			t.Errorf("%s is stale; run: go generate ./order", file)
		}
	}
}

func TestTheUsualWayIsLegal(t *testing.T) {
	for i, d := range Definitions {
		for _, n := range d.Usual {
			if !Legal(d.Milestone, n) {
				t.Errorf("%s to %s is usual, but not legal", d.Milestone, n)
			}
		}
		if i > 0 && d.Stage < Definitions[i-1].Stage {
			t.Errorf("%s is out of order: the table goes stage by stage", d.Milestone)
		}
		if len(d.SetBy) == 0 && d.Milestone != Expected {
			t.Errorf("nobody may set %s", d.Milestone)
		}
		for _, other := range Definitions[:i] {
			if other.Milestone == d.Milestone || other.Stage == d.Stage && other.rank == d.rank {
				t.Errorf("%s and %s cannot be told apart", d.Milestone, other.Milestone)
			}
		}
	}
}

// Every pair of milestones, every authority, earlier, at once and later: what
// the fold does without a correction is exactly what the table calls legal.
func TestLegalIsExactlyWhatTheFoldDoesWithoutACorrection(t *testing.T) {
	set := func(p *Parcel, s *State, m Milestone, h float64) {
		d, _ := Lookup(m)
		for _, by := range d.SetBy {
			s.say(p, m, at(h), metaAt(h, by))
		}
	}
	for _, from := range Definitions {
		for _, to := range Definitions {
			happens := false
			for _, h := range []float64{5, 10, 15} {
				s := begin(oneParcel())
				p := &s.Parcels[0]
				set(p, &s, from.Milestone, 10)
				if p.Milestone != from.Milestone {
					t.Fatalf("cannot reach %s: %s", from.Milestone, p.Milestone)
				}
				set(p, &s, to.Milestone, h)
				happens = happens || p.Milestone == to.Milestone && from.Milestone != to.Milestone
			}
			if happens != Legal(from.Milestone, to.Milestone) {
				t.Errorf("%s to %s: happens %v, legal %v", from.Milestone, to.Milestone, happens, !happens)
			}
		}
	}
	if Legal("teleported", Delivered) || Legal(Picked, "teleported") {
		t.Error("an unknown milestone is legal")
	}
}

func TestEveryAuthorityAndNoOther(t *testing.T) {
	for _, d := range Definitions {
		for _, by := range []Source{Warehouse, CarrierSays, ReturnsDesk, Storefront, Support, Engine} {
			want := false
			for _, s := range d.SetBy {
				want = want || s == by
			}
			equal(t, string(by)+" sets "+string(d.Milestone), MaySet(by, d.Milestone), want)
		}
	}
	for _, k := range ScanKinds {
		if m := k.Milestone(); m != "" && !MaySet(Warehouse, m) {
			t.Errorf("the warehouse may not say %s", m)
		}
	}
}
