package order

import (
	"fmt"
	"strings"
)

//go:generate go test . -run TestDiagram -update

// ReturnDiagram writes docs/returns.md from [ReturnDefinitions] and
// [DispositionRules].
func ReturnDiagram() string {
	var b strings.Builder
	b.WriteString("# A return\n\nGenerated from `order.ReturnDefinitions` and `order.DispositionRules` by `go generate ./order`; a test fails when it is stale.\n\n")
	b.WriteString("No other step is taken. *in_transit* and *received* follow from the return's parcel: a carrier holds it, the dock has scanned it; the steps back in the table are taken when that is corrected. A parcel that came back by itself begins at *received*. *refund_released* and *replacement_released* are told when the storefront has confirmed, never before.\n\n")
	b.WriteString("*label_sent* and *pickup_scheduled* are recorded by people, or follow from what a carrier made. The desk, support or the storefront ask it for a label or a pickup (`POST .../label`, `.../pickup`), or the policy does for each return that is authorized: `return_labels: automatic`, of `return_carrier`. It takes the store's `returns_address` and a weight: of the box, or of all lines. A carrier is asked once. What it declines, cannot be asked for, or may have made without our hearing of it, is a person's within `by_hand`, then a *return_overdue* case; a label that may exist is voided in the carrier's system if it is not used. What is known to be made, and the return does not come by, the desk or support have the carrier void (`POST .../bookings/{booking}/void`). See [carriers.md](carriers.md#return-labels-and-pickups) and [ADR 17](adr/0017-a-label-is-asked-for-once-and-then-looked-for.md).\n\n")
	b.WriteString("```mermaid\nstateDiagram-v2\n    [*] --> requested\n")
	for _, d := range ReturnDefinitions {
		for _, n := range d.Next {
			fmt.Fprintf(&b, "    %s --> %s\n", d.State, n)
		}
		if !d.State.Open() {
			fmt.Fprintf(&b, "    %s --> [*]\n", d.State)
		}
	}
	b.WriteString("```\n\n| state | back to, by a correction | the buyer reads |\n|---|---|---|\n")
	for _, d := range ReturnDefinitions {
		back := make([]string, len(d.Back))
		for i, s := range d.Back {
			back[i] = string(s)
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", d.State, strings.Join(back, ", "), d.Title)
	}
	b.WriteString("\n## Where inspected goods go\n\nThe first row that fits counts. A serial number that is not the one sent out makes any grade a wrong item. What is accepted is refunded, replaced or exchanged as the buyer wanted, above the refund limit after a second person's word; what is not waits for the returns desk or support, who decide with a reason.\n\n| grade | reason | goes to | accepted |\n|---|---|---|---|\n")
	for _, r := range DispositionRules {
		why := make([]string, len(r.Reasons))
		for i, x := range r.Reasons {
			why[i] = string(x)
		}
		if len(why) == 0 {
			why = []string{"any"}
		}
		accepted := "a person decides"
		if r.Accept {
			accepted = "yes"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", r.Grade, strings.Join(why, ", "), r.To, accepted)
	}
	return b.String()
}

// Diagram writes docs/milestones.md from [Definitions]: the picture and the
// source-of-truth table cannot say anything else than the code does.
func Diagram() string {
	var b strings.Builder
	b.WriteString("# Milestones of a parcel\n\nGenerated from `order.Definitions` by `go generate ./order`; a test fails when it is stale.\n\n")
	b.WriteString("The arrows are the usual way. Scans get missed, so a parcel may also jump to any later stage; within *moving* and *arrived* the latest event decides, elsewhere the higher rank. Nothing leads back without a correction: the carrier's takes back what the carrier said, support's what anybody said.\n\n")
	b.WriteString("```mermaid\nstateDiagram-v2\n    direction LR\n    [*] --> expected\n")
	for st := Preparing; st <= Ended; st++ {
		fmt.Fprintf(&b, "    state \"%s\" as stage_%s {\n", st, st)
		for _, d := range Definitions {
			if d.Stage == st {
				fmt.Fprintf(&b, "        %s\n", d.Milestone)
			}
		}
		b.WriteString("    }\n")
	}
	for _, d := range Definitions {
		for _, n := range d.Usual {
			fmt.Fprintf(&b, "    %s --> %s\n", d.Milestone, n)
		}
		if d.Settled {
			fmt.Fprintf(&b, "    %s --> [*]\n", d.Milestone)
		}
	}
	b.WriteString("```\n\n## Who may say so\n\n| milestone | stage | set by | settled | the buyer reads |\n|---|---|---|---|---|\n")
	for _, d := range Definitions {
		settled := ""
		if d.Settled {
			settled = "yes"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", d.Milestone, d.Stage, list(d.SetBy), settled, d.Title)
	}
	b.WriteString("\nSupport may correct any milestone, with a reason. What anybody else says is kept, shown, and changes nothing.\n")
	return b.String()
}

// CaseTable writes docs/cases.md from [CaseDefinitions] and the buckets.
func CaseTable() string {
	var b strings.Builder
	b.WriteString("# Cases\n\nGenerated from `order.CaseDefinitions` by `go generate ./order`; a test fails when it is stale.\n\n")
	b.WriteString("A case is an exception with an owner and a due time. It closes by itself when its cause is gone. When it is not closed by its due time, it is escalated to the next team of its ladder; the last one stays, and each time it has twice as long. The buyer is told if it is still open after its notice; without a notice, only of what was decided. A policy may say otherwise for owner, severity, due, notice and ladder.\n\n")
	b.WriteString("| kind | severity | owner | then | due | notice | resolutions | a carrier's bucket |\n|---|---|---|---|---|---|---|---|\n")
	for _, d := range CaseDefinitions {
		notice := "–"
		if d.Notice > 0 {
			notice = d.Notice.String()
		}
		words := "–"
		for _, k := range buckets {
			if k.kind == d.Kind {
				words = strings.Join(k.words, ", ")
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s | %s |\n", d.Kind, d.Severity, d.Owner, list(d.Ladder), d.Due, notice, list(d.Resolutions), words)
	}
	b.WriteString("\n`redeliver` (on a day), `hold_at_location`, `redirect` (to the corrected address) and `return_to_sender` are told to the carrier that has the parcel. What it declines, does not answer within `carrier_answer`, or does not take from us at all, a person tells it within `by_hand`, and records the answer; what could not be done brings the case back. With the policy's `return_at_limit` the carrier is told to bring a parcel back when its attempts reach `attempt_limit`. When a parcel is reported missing the carrier is asked for its proof of delivery. See [carriers.md](carriers.md) for what each carrier takes.\n")
	b.WriteString("\n`wait` and `arranged` need an end; the case comes back if nothing has changed by then. `cancel_parcel` of lines that are in no parcel gives up those lines only. `refund` and `replace` are asked of the storefront, see [storefront.md](storefront.md); above the policy's `refund_limit` a second person must agree first. `claim` is filed and answered by hand. Only support decides about money and milestones.\n\nWhich of them are legal now depends on the order: `GET /v1/orders/{id}` lists them with each case, and the console offers no others.\n")
	b.WriteString("\n## How long a claim may be filed\n\n`lost`, `damaged` and `not_received` say until when somebody must file the claim; afterwards it is refused. Somebody who knows better extends the wait in time. The first row that fits counts; for other carriers it is the policy's `claim_filing` after the first scan.\n\n| carrier | kinds | abroad only | within | from | source |\n|---|---|---|---|---|---|\n")
	for _, w := range ClaimWindows {
		abroad := ""
		if w.Abroad {
			abroad = "yes"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", w.Carrier, list(w.Kinds), abroad, w.Within, w.From, w.Source)
	}
	return b.String()
}

func list[T ~string](words []T) string {
	ss := make([]string, len(words))
	for i, w := range words {
		ss[i] = string(w)
	}
	return strings.Join(ss, ", ")
}
