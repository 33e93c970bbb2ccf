package order

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var rewrite = flag.Bool("rewrite", false, "write what the scripts in testdata really print; read the diff before committing")

// The scripts in testdata/*.txt tell the life of an order. A line that begins
// with a time is an event; what follows it, indented, is what the order made of
// it. Between two lines the clock ticks whenever a wait is over, as in the
// workflow; nobody answers a carrier check unless the script does.
//
//	03-02 09:00 order mug:2 tea:1 promise=03-06T18:00 [A=mug:2,tea:1 carrier=dhl tracking=T1]
//	03-02 10:00 scan A picked [at=03-02T09:30] [tracking=T2 carrier=ups]
//	03-03 10:00 carrier A in_transit [paper] [correction] [place=Leipzig] [eta=03-05T12:00] [at=...]
//	03-03 11:00 plan|cancel|hold|release|promise|correct|answer ...
//	03-03 11:00 show
//
// "today" on the first line means today's rules and policy, and lines at 10.00 EUR
// a piece; then also:
//
//	03-03 11:00 carrier A in_transit bucket=weather
//	03-03 11:00 resolve stalled A wait [until=03-05T12:00] [amount=500] [by=warehouse]
//	03-03 11:00 assign|note|reopen stalled A [who or text]
//	03-03 11:00 extend|fire movement A [case=stalled] [until=...]
//	03-03 11:00 missing A
//	03-03 11:00 agree|decline|end REMEDY, or what the last one's ID begins with [confirmed] [actor=u2]
//	03-03 11:00 storefront REMEDY [reference=R1] [declined=why] [failed=why]
//	03-03 11:00 instructed A [reference=C1] [declined=why] [failed=why]
//	03-03 11:00 told A done|failed [reference=C1]
//	03-03 11:00 proved A [took=neighbour] [held=photo] [reference=P1] [failed=why]
//	03-03 11:00 address 2
//	03-03 11:00 return mug:2:defective:refund tea:1:does_not_fit:exchange:cup [by=support]
//	03-03 11:00 take-in A
//	03-03 11:00 authorize|reject|call-off R1 [by=support]
//	03-03 11:00 ship R1 [carrier=dhl tracking=T-R00] [pickup=03-05T12:00]
//	03-03 11:00 inspect R1 mug:1:a_new[:ok][:scrap] [photo=ref]
//	03-03 11:00 dispose R1 mug:c_damaged:scrap:accept tea:missing
//	03-03 11:00 send-back R1 carrier=dhl tracking=T-B00
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			was := mustRead(t, file)
			got, err := runScript(string(was))
			if err != nil {
				t.Fatal(err)
			}
			if *rewrite {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if !bytes.Equal(was, []byte(got)) {
				t.Errorf("%s is stale; if this is right, run: go test ./order -run Scripts -rewrite\n%s", file, firstDifference(string(was), got))
			}
		})
	}
}

func firstDifference(a, b string) string {
	la, lb := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range la {
		if i >= len(lb) || la[i] != lb[i] {
			return fmt.Sprintf("line %d\nwant: %s\ngot:  %s", i+1, la[i], strings.Join(lb[min(i, len(lb)):min(i+1, len(lb))], ""))
		}
	}
	return fmt.Sprintf("more lines: %s", strings.Join(lb[len(la):], "\n"))
}

type script struct {
	state State
	begun bool
	n     int64
	out   strings.Builder
}

func runScript(src string) (string, error) {
	var r script
	for i, line := range strings.Split(strings.TrimRight(src, "\n"), "\n") {
		if strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t") {
			continue // output of the last run
		}
		r.out.WriteString(line + "\n")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := r.line(line); err != nil {
			return "", fmt.Errorf("line %d: %q: %w", i+1, line, err)
		}
	}
	return r.out.String(), nil
}

func scriptTime(s string) (time.Time, error) {
	return time.Parse("2006-01-02T15:04", "2026-"+s)
}

func (r *script) line(line string) error {
	words := strings.Fields(line)
	if len(words) < 3 {
		return fmt.Errorf("want: time, what, details")
	}
	now, err := scriptTime(words[0] + "T" + words[1])
	if err != nil {
		return err
	}
	verb, args := words[2], words[3:]
	opts := map[string]string{}
	var plain []string
	for _, a := range args {
		if k, v, ok := strings.Cut(a, "="); ok {
			opts[k] = v
		} else {
			plain = append(plain, a)
		}
	}
	if verb == "order" {
		return r.order(now, plain, opts)
	}
	if !r.begun {
		return fmt.Errorf("there is no order yet")
	}
	r.tickUntil(now)
	if verb == "show" {
		r.show()
		return nil
	}
	m := Meta{ID: fmt.Sprint("e", r.n+1), Occurred: now, Received: now, Applied: now, Actor: "u1", Reason: "asked"}
	r.n++
	if v := opts["at"]; v != "" {
		if m.Occurred, err = scriptTime(v); err != nil {
			return err
		}
	}
	word := func(i int) string {
		if i < len(plain) {
			return plain[i]
		}
		return ""
	}
	var optTime = func(name string) time.Time {
		v, e := scriptTime(opts[name])
		if e != nil && opts[name] != "" {
			err = e
		}
		return v
	}
	var e Event
	m.By = Storefront
	switch verb {
	case "scan":
		m.By, m.Actor, m.Reason = Source(orElse(opts["by"], string(Warehouse))), "", ""
		e = Scan{Meta: m, Parcel: word(0), Kind: ScanKind(word(1)), Carrier: opts["carrier"], Tracking: opts["tracking"]}
	case "carrier":
		m.By, m.Actor, m.Reason = CarrierSays, "", ""
		ce := CarrierEvent{Meta: m, Parcel: word(0), Physical: true, Location: opts["place"], ETA: optTime("eta"), Bucket: opts["bucket"]}
		for _, w := range plain[1:] {
			switch w {
			case "paper":
				ce.Physical = false
			case "correction":
				ce.Correction = true
			default:
				ce.Milestone = Milestone(w)
			}
		}
		e = ce
	case "plan":
		ls, lerr := allocations(plain[1:])
		if lerr != nil {
			return lerr
		}
		e = PutParcel{Meta: m, Parcel: word(0), Lines: ls, Carrier: opts["carrier"], Tracking: opts["tracking"]}
	case "cancel":
		e = Cancel{Meta: m, Parcels: plain}
	case "hold":
		e = Hold{Meta: m, Until: optTime("until")}
	case "release":
		e = Release{m}
	case "promise":
		p, perr := scriptTime(word(0))
		if perr != nil {
			return perr
		}
		e = ChangePromise{m, p}
	case "correct":
		m.By = Support
		e = CorrectMilestone{m, word(0), Milestone(word(1))}
	case "answer":
		p := r.state.ParcelByID(word(0))
		if p == nil {
			return fmt.Errorf("no parcel %s", word(0))
		}
		e = Answered{Meta: Meta{By: Engine, Applied: now}, Command: p.Check, LastMovement: optTime("movement")}
	case "resolve":
		m.By = Source(orElse(opts["by"], string(Support)))
		amount, _ := strconv.ParseInt(opts["amount"], 10, 64)
		e = ResolveCase{Meta: m, Case: r.caseID(word(0), word(1)), Resolution: Resolution(word(2)), Until: optTime("until"), Amount: amount, Point: opts["point"]}
	case "address":
		version, _ := strconv.Atoi(word(0))
		e = CorrectAddress{m, version}
	case "instructed", "told":
		i := r.state.openInstruction(word(0))
		if i == nil {
			return fmt.Errorf("no instruction for parcel %s", word(0))
		}
		m.By = Support
		e = EndInstruction{Meta: m, Instruction: i.ID, Done: word(1) == "done", Reference: opts["reference"]}
		if verb == "instructed" {
			e = Answered{Meta: Meta{By: Engine, Applied: now}, Command: i.ID, Reference: opts["reference"], Declined: opts["declined"], Failed: opts["failed"]}
		}
	case "proved":
		p := r.state.ParcelByID(word(0))
		if p == nil {
			return fmt.Errorf("no parcel %s", word(0))
		}
		e = Answered{Meta: Meta{By: Engine, Applied: now}, Command: p.Proof.Command, DeliveredTo: opts["took"], Held: opts["held"], Reference: opts["reference"], Failed: opts["failed"]}
	case "assign":
		m.By = Support
		e = AssignCase{m, r.caseID(word(0), word(1)), word(2)}
	case "note":
		m.By = Support
		e = NoteCase{m, r.caseID(word(0), word(1)), strings.Join(plain[2:], " ")}
	case "reopen":
		m.By = Support
		e = ReopenCase{m, r.caseID(word(0), word(1))}
	case "extend":
		m.By = Support
		e = ExtendWait{m, WaitKind(word(0)), word(1), CaseKind(opts["case"]), optTime("until")}
	case "fire":
		m.By = Support
		e = FireWait{m, WaitKind(word(0)), word(1), CaseKind(opts["case"])}
	case "missing":
		e = ReportNotReceived{m, word(0)}
	case "agree", "decline":
		m.By, m.Actor = Support, orElse(opts["actor"], m.Actor)
		e = DecideRemedy{m, r.remedyID(word(0)), verb == "agree"}
	case "end":
		m.By = Support
		e = EndRemedy{Meta: m, Remedy: r.remedyID(word(0)), Confirmed: word(1) == "confirmed", Reference: opts["reference"]}
	case "return", "take-in":
		m.By = Source(orElse(opts["by"], string(m.By)))
		rr := RequestReturn{Meta: m}
		if verb == "take-in" {
			rr.By, rr.Parcel = ReturnsDesk, word(0)
		} else {
			for _, w := range plain {
				f := append(strings.Split(w, ":"), "", "", "", "")
				n, _ := strconv.Atoi(f[1])
				rr.Lines = append(rr.Lines, ReturnLine{SKU: f[0], Quantity: n, Reason: ReturnReason(f[2]), Wanted: RemedyKind(f[3]), Instead: f[4]})
			}
		}
		e = rr
	case "authorize", "reject":
		m.By = Source(orElse(opts["by"], string(ReturnsDesk)))
		e = DecideReturn{m, word(0), verb == "authorize"}
	case "call-off":
		m.By = Source(orElse(opts["by"], string(m.By)))
		e = CancelReturn{m, word(0)}
	case "ship":
		e = ShipReturn{m, word(0), opts["carrier"], opts["tracking"], optTime("pickup")}
	case "inspect":
		m.By, m.Actor = ReturnsDesk, "d1"
		in := InspectReturn{Meta: m, Return: word(0)}
		for _, w := range plain[1:] {
			f := append(strings.Split(w, ":"), "", "", "", "")
			n, _ := strconv.Atoi(f[1])
			p := Finding{SKU: f[0], Quantity: n, Grade: Grade(f[2]), Serial: SerialCheck(f[3]), To: Disposition(f[4])}
			if v := opts["photo"]; v != "" {
				p.Photos = []string{v}
			}
			in.Findings = append(in.Findings, p)
		}
		e = in
	case "dispose":
		m.By, m.Actor = ReturnsDesk, "d1"
		d := DisposeReturn{Meta: m, Return: word(0)}
		for _, w := range plain[1:] {
			f := append(strings.Split(w, ":"), "", "", "", "")
			d.Lines = append(d.Lines, Disposal{f[0], Grade(f[1]), Disposition(f[2]), f[3] == "accept"})
		}
		e = d
	case "send-back":
		m.By = ReturnsDesk
		e = SendReturnBack{m, word(0), opts["carrier"], opts["tracking"]}
	case "storefront":
		e = Answered{Meta: Meta{By: Engine, Applied: now}, Command: r.remedyID(word(0)), Reference: opts["reference"], Declined: opts["declined"], Failed: opts["failed"]}
	default:
		return fmt.Errorf("unknown word %q", verb)
	}
	if err != nil {
		return err
	}
	today := r.state
	today.Now = now // as the workflow asks
	if refusal := Check(&today, e); refusal != nil {
		fmt.Fprintf(&r.out, "    refused: %s\n", refusal)
		return nil
	}
	r.tell(Apply(&r.state, e))
	r.tickUntil(now)
	r.summary()
	return nil
}

// caseID finds the episode of a case, open or ended; "-" stands for no parcel.
func (r *script) caseID(kind, parcel string) string {
	parcel = strings.TrimSuffix(parcel, "-")
	if c := r.state.caseOf(CaseKind(kind), parcel); c != nil {
		return c.ID
	}
	for _, d := range slices.Backward(r.state.Decisions) {
		if d.Case.Kind == CaseKind(kind) && d.Case.Parcel == parcel {
			return d.Case.ID
		}
	}
	return kind + "?"
}

// remedyID finds the last remedy whose ID begins so.
func (r *script) remedyID(prefix string) string {
	for _, x := range slices.Backward(r.state.Remedies) {
		if strings.HasPrefix(x.ID, prefix) {
			return x.ID
		}
	}
	return prefix
}

func allocations(words []string) ([]Allocation, error) {
	var as []Allocation
	for _, w := range words {
		sku, n, _ := strings.Cut(w, ":")
		q, err := strconv.Atoi(n)
		if err != nil {
			return nil, fmt.Errorf("%q is not like mug:2", w)
		}
		as = append(as, Allocation{sku, q})
	}
	return as, nil
}

func (r *script) order(now time.Time, plain []string, opts map[string]string) error {
	spec := Spec{ID: "shop:1", Store: "shop", Number: "1", Class: Routine, PlacedAt: now, Policy: testPolicy()}
	as, err := allocations(plain)
	if err != nil {
		return err
	}
	for _, a := range as {
		spec.Lines = append(spec.Lines, Line{SKU: a.SKU, Quantity: a.Quantity})
	}
	if v := opts["promise"]; v != "" {
		if spec.PromisedAt, err = scriptTime(v); err != nil {
			return err
		}
	}
	for _, id := range []string{"A", "B", "C"} {
		if v := opts[id]; v != "" {
			as, err := allocations(strings.Split(v, ","))
			if err != nil {
				return err
			}
			spec.Parcels = append(spec.Parcels, PlannedParcel{ID: id, Lines: as, Carrier: "dhl", Tracking: "T-" + id + "00"})
		}
	}
	if err := CheckSpec(spec, now); err != nil {
		return err
	}
	if opts["today"] != "" {
		spec = today(spec)
		spec.Policy.ReturnAtLimit = opts["today"] == "return_at_limit"
	}
	r.state, r.begun = New(spec, rulesOf(spec), now), true
	r.tell(nil)
	r.summary()
	return nil
}

// tickUntil lets every wait that ends by then run out, each at its time.
func (r *script) tickUntil(until time.Time) {
	for {
		w, ok := NextDeadline(&r.state)
		if !ok || w.Until.After(until) {
			return
		}
		at := latest(w.Until, r.state.Now)
		fmt.Fprintf(&r.out, "    -- %s: %s %s%s is over\n", stamp(at), w.Kind, w.Parcel, w.Case)
		r.tell(Apply(&r.state, Tick{Meta{By: Engine, Applied: at}}))
	}
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("01-02 15:04")
}

func (r *script) tell(cmds []Command) {
	for _, h := range r.state.Told {
		words := []string{h.Parcel, string(h.Milestone), string(h.Case)}
		if h.Type == MilestoneReached || h.Type == MilestoneUndone {
			words = append(words, "at "+stamp(h.At))
		}
		if h.Text != "" {
			words = append(words, "("+h.Text+")")
		}
		fmt.Fprintf(&r.out, "    * %s %s\n", h.Type, strings.Join(strings.Fields(strings.Join(words, " ")), " "))
	}
	r.state.Told = nil
	for _, c := range cmds {
		fmt.Fprintf(&r.out, "    > %s %s %s %s\n", c.Kind, c.Parcel, c.Carrier, c.Tracking)
	}
}

func (r *script) summary() {
	s := &r.state
	fmt.Fprintf(&r.out, "    %s: %s", s.Status, Summary(s))
	for _, p := range s.Parcels {
		fmt.Fprintf(&r.out, " | %s %s", p.ID, p.Milestone)
	}
	r.out.WriteString("\n")
	if w, ok := NextDeadline(s); ok {
		fmt.Fprintf(&r.out, "    waits for %s until %s (%s, %s)\n", strings.TrimSpace(w.What+" "+w.Parcel), stamp(w.Until), w.Owner, w.Rule)
	} else {
		r.out.WriteString("    waits for nothing: closed\n")
	}
}

// show prints all that support would see.
func (r *script) show() {
	v := ViewOf(&r.state)
	fmt.Fprintf(&r.out, "    %s: %s; late %v, hold %v, closed %v, %d anomalies\n", v.Status, v.Summary, v.Late, v.OnHold, v.Closed, v.Anomalies)
	for _, l := range v.Lines {
		fmt.Fprintf(&r.out, "    line %s: %d = %d unplanned, %d shipped, %d delivered, %d cancelled\n", l.SKU, l.Quantity, l.Unplanned, l.Shipped, l.Delivered, l.Cancelled)
	}
	for _, p := range v.Parcels {
		fmt.Fprintf(&r.out, "    parcel %s: %s since %s, in possession since %s, last movement %s %s, %d attempts\n",
			p.ID, p.Milestone, stamp(p.Since), stamp(p.PossessionAt), stamp(p.LastMovement), p.LastPlace, p.Attempts)
		var reached []string
		for _, x := range p.Reached {
			reached = append(reached, string(x.Milestone)+" "+stamp(x.At))
		}
		fmt.Fprintf(&r.out, "        %s\n", strings.Join(reached, ", "))
	}
	for _, x := range v.Returns {
		fmt.Fprintf(&r.out, "    return %s: %s since %s, %q, in parcel %s, which is %s\n", x.ID, x.State, stamp(x.Since), x.Title, x.Box.ID, x.Box.Milestone)
		for _, p := range x.Findings {
			fmt.Fprintf(&r.out, "        %d %s %s %s, to %s, accepted %v %v\n", p.Quantity, p.SKU, p.Grade, p.Serial, p.To, p.Accepted, p.Photos)
		}
	}
	for _, c := range v.Cases {
		fmt.Fprintf(&r.out, "    case %s %s: %s; %s, due %s, level %d\n", c.Kind, c.Parcel, c.Text, c.Owner, stamp(c.Due), c.Level)
	}
	for _, w := range v.Waiting {
		fmt.Fprintf(&r.out, "    wait %s: %s since %s until %s by %s (%s); then %s; or %s\n",
			strings.TrimSpace(strings.Join(slices.DeleteFunc([]string{string(w.Kind), w.Parcel}, func(s string) bool { return s == "" }), " ")),
			w.What, stamp(w.Since), stamp(w.Until), w.Owner, w.Rule, w.Then, w.CutShort)
	}
}
