package order

import (
	"fmt"
	"strings"
)

//go:generate go test . -run TestDiagram -update

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
