package app

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"text/tabwriter"
	"time"

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
	case "test-webhook":
		return testWebhook(known, args[1:], out)
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

// testWebhook says whether a body would be let in as the carrier's, and shows what
// it becomes; of a file or a tracking answer only the latter. What would be refused
// is shown all the same, and is the error.
func testWebhook(known carriers.Registry, args []string, out io.Writer) error {
	var headers []string
	fs := flag.NewFlagSet("test-webhook", flag.ContinueOnError)
	fs.SetOutput(io.Discard) // its words may show a secret
	fs.Func("header", "", func(s string) error { headers = append(headers, s); return nil })
	secret := fs.String("secret", "", "")
	var names []string
	for rest := args; ; rest = fs.Args()[1:] { // flags may stand behind the names
		if err := fs.Parse(rest); err != nil {
			return flag.ErrHelp
		}
		if fs.NArg() == 0 {
			break
		}
		names = append(names, fs.Arg(0))
	}
	if len(names) != 2 {
		return errors.New("name a carrier and a file")
	}
	a, err := known.Find(names[0])
	if err != nil {
		return err
	}
	push := carriers.Push{ReceivedAt: time.Now()}
	if push.Header, err = readHeaders(headers); err != nil {
		return err
	}
	secrets, err := secretsOf(a, *secret, known)
	if err != nil {
		return err
	}
	if push.Body, err = readBody(names[1]); err != nil {
		return err
	}
	refused := authenticity(a, push, secrets, out)
	if err := showEvents(a, push.Body, out); err != nil {
		return errors.Join(refused, err)
	}
	return refused
}

var (
	variable     = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)
	variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// readHeaders reads "Name: value". ${NAME} in a value comes from the environment:
// for carriers that sign nothing the header is the secret.
func readHeaders(lines []string) (http.Header, error) {
	h := http.Header{}
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		if name = strings.TrimSpace(name); !ok || name == "" {
			return nil, errors.New("--header is written 'Name: value'")
		}
		var missing error
		value = variable.ReplaceAllStringFunc(value, func(v string) string {
			v = v[2 : len(v)-1]
			if os.Getenv(v) == "" {
				missing = fmt.Errorf("--header %s: the environment has no %s", name, v)
			}
			return os.Getenv(v)
		})
		if missing != nil {
			return nil, missing
		}
		h.Add(name, strings.TrimSpace(value))
	}
	return h, nil
}

// secretsOf are the secrets to verify with: those that the variable holds, else
// the carrier's of WAYBILL_WEBHOOK_SECRETS. What is no variable is not shown: it
// may be the secret.
func secretsOf(a carriers.Adapter, variable string, known carriers.Registry) ([][]byte, error) {
	if variable == "" {
		all, err := webhookSecrets(os.Getenv("WAYBILL_WEBHOOK_SECRETS"), known)
		return all[a.Name()], err
	}
	if !variableName.MatchString(variable) || os.Getenv(variable) == "" {
		return nil, errors.New("--secret must name a variable of the environment, which holds the secret")
	}
	return [][]byte{[]byte(os.Getenv(variable))}, nil
}

func readBody(name string) ([]byte, error) {
	in := io.Reader(os.Stdin)
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	return io.ReadAll(io.LimitReader(in, carriers.MaxBody+1))
}

// authenticity says whether the push is the carrier's, or that nothing was
// checked. The error is that it would be refused.
func authenticity(a carriers.Adapter, push carriers.Push, secrets [][]byte, out io.Writer) error {
	why := ""
	switch {
	case !carriers.Can(a, carriers.CanVerifyPush):
		why = a.Name() + " has no webhook"
	case len(push.Header) == 0:
		why = "no --header"
	case len(secrets) == 0:
		why = "no secret of " + a.Name() + " in WAYBILL_WEBHOOK_SECRETS, and no --secret"
	}
	if why != "" {
		fmt.Fprintf(out, "authenticity not checked: %s\n", why)
		return nil
	}
	if err := a.Verify(push, secrets); err != nil {
		fmt.Fprintf(out, "REFUSED: %v\n", err)
		return fmt.Errorf("this push would be refused: %w", err)
	}
	fmt.Fprintln(out, "authentic")
	return nil
}

func showEvents(a carriers.Adapter, body []byte, out io.Writer) error {
	what, events, err := read(a, body, out)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s of %s, %d events\n", what, a.Name(), len(events))
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TRACKING\tPIECE\tHAPPENED (UTC)\tBY\tTABLE\tCODE\tMILESTONE\tPHYSICAL\tBUCKET\tPLACE\tTEXT")
	for _, e := range events {
		if e.Unread != "" {
			fmt.Fprintf(w, "REJECTED\t\t\t\t\t\t\t\t\t\t%s\n", e.Unread)
			continue
		}
		m := string(e.Milestone)
		if e.Unmapped {
			m = "? unmapped"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%v\t%s\t%s\t%s\n", e.Tracking, e.Piece, e.UTC.Format("2006-01-02 15:04:05"), e.Basis, e.Table, e.Code, cmp.Or(m, "-"), e.Physical, e.Bucket, e.Location, e.Description)
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
