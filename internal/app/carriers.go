package app

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/carriers/numbers"
)

// Carriers answers questions about carriers. It needs no configuration, but knows
// those of WAYBILL_CARRIER_MAPPINGS.
func Carriers(args []string, out io.Writer) error {
	if len(args) == 0 {
		args = []string{"help"}
	}
	known, err := registry(os.Getenv("WAYBILL_CARRIER_MAPPINGS"))
	if err != nil {
		return err
	}
	switch args[0] {
	case "list":
		return listCarriers(known, out)
	case "explain":
		return explainCode(known, args[1:], out)
	case "test":
		return testPayload(known, args[1:], out)
	case "detect":
		return detect(strings.Join(args[1:], " "), out)
	default:
		return flag.ErrHelp
	}
}

func listCarriers(known carriers.Registry, out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "CARRIER\tCODES\tCAN")
	for _, a := range known {
		can := make([]string, len(a.Capabilities()))
		for i, c := range a.Capabilities() {
			can[i] = string(c)
		}
		fmt.Fprintf(w, "%s\t%d\t%s\n", a.Name(), len(a.Codes().Rows()), strings.Join(can, ", "))
	}
	return w.Flush()
}

func explainCode(known carriers.Registry, args []string, out io.Writer) error {
	if len(args) == 2 {
		a, err := known.Find(args[0])
		if err != nil {
			return err
		}
		known, args = carriers.Registry{a}, args[1:]
	}
	if len(args) != 1 {
		return errors.New("name a code, and a carrier before it if you like")
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "CARRIER\tTABLE\tCODE\tMILESTONE\tPHYSICAL\tBUCKET\tMEANING")
	found := 0
	for _, a := range known {
		for _, r := range a.Codes().Lookup(args[0]) {
			found++
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%v\t%s\t%s\n", a.Name(), r.Table, r.Code, cmp.Or(string(r.Milestone), "- ("+r.Kind+")"), r.Physical, r.Bucket, r.Meaning)
		}
	}
	if found == 0 {
		return fmt.Errorf("no table has the code %q: it would leave the milestone as it is", args[0])
	}
	return w.Flush()
}

// detect lists whose number it can be. What has a wrong check digit comes last.
func detect(text string, out io.Writer) error {
	found := append(numbers.Detect(text), numbers.Mistyped(text)...)
	if len(found) == 0 {
		return fmt.Errorf("no form that is known fits %q", text)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "CARRIER\tFORM\tCHECK DIGIT\tTRACKED BY\tSERVICE\tSHIPPER\tZIP\tCOUNTRY\tSSCC\tSECOND NUMBER OF\tLAST MILE")
	for _, m := range found {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", m.Carrier, m.Form, m.Check, m.Number, m.Service, m.Shipper, m.ZIP, m.Country, m.SSCC, strings.Join(m.SecondOf, ", "), m.LastMile)
	}
	return w.Flush()
}

func testPayload(known carriers.Registry, args []string, out io.Writer) error {
	if len(args) != 2 {
		return errors.New("name a carrier and a file")
	}
	a, err := known.Find(args[0])
	if err != nil {
		return err
	}
	in := io.Reader(os.Stdin)
	if args[1] != "-" {
		f, err := os.Open(args[1])
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	body, err := io.ReadAll(io.LimitReader(in, carriers.MaxBody+1))
	if err != nil {
		return err
	}
	what, events, err := read(a, body, out)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s of %s, %d events\n", what, a.Name(), len(events))
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TRACKING\tHAPPENED (UTC)\tBY\tTABLE\tCODE\tMILESTONE\tPHYSICAL\tBUCKET\tPLACE\tTEXT")
	for _, e := range events {
		m := string(e.Milestone)
		if e.Unmapped {
			m = "? unmapped"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%v\t%s\t%s\t%s\n", e.Tracking, e.UTC.Format("2006-01-02 15:04:05"), e.Basis, e.Table, e.Code, cmp.Or(m, "-"), e.Physical, e.Bucket, e.Location, e.Description)
	}
	return w.Flush()
}

// read tells what a payload is, and what it says. Of a file it writes what could
// not be read.
func read(a carriers.Adapter, body []byte, out io.Writer) (what string, events []carriers.Event, err error) {
	if files, ok := a.(carriers.FileReader); ok {
		f := files.ParseFile(body)
		for _, x := range f.Faults {
			fmt.Fprintln(out, x)
		}
		return "a file", f.Events, nil
	}
	events, pushErr := a.ParsePush(body)
	if pushErr == nil {
		return "a webhook", events, nil
	}
	events, trackErr := a.ParseTrack(body)
	if trackErr != nil {
		return "", nil, fmt.Errorf("as a webhook: %w; as a tracking answer: %w", pushErr, trackErr)
	}
	return "a tracking answer", events, nil
}
