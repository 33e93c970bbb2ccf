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
		by := make([]string, len(d.SetBy))
		for i, s := range d.SetBy {
			by[i] = string(s)
		}
		settled := ""
		if d.Settled {
			settled = "yes"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", d.Milestone, d.Stage, strings.Join(by, ", "), settled, d.Title)
	}
	b.WriteString("\nSupport may correct any milestone, with a reason. What anybody else says is kept, shown, and changes nothing.\n")
	return b.String()
}
