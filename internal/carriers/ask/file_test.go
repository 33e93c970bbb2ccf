package ask

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/carriers/all"
)

func env(name string) (string, bool) {
	v, ok := map[string]string{"UPS_ID": "id-from-env", "UPS_SECRET": "secret-from-env", "EMPTY": ""}[name]
	return v, ok
}

func TestFile(t *testing.T) {
	got, err := Parse([]byte(`
credentials:
  - name: ups-main
    carrier: ups
    key: ${UPS_ID}
    secret: "${UPS_SECRET}"
    account: "123456"
  - {name: express, carrier: dhl, api: express, key: k, secret: s, base_url: "https://express.api.dhl.com/mydhlapi/test/", budget: [2/s, 100/d]}
  - name: fallback
    carrier: easypost
    key: k
    for: [ontrac, gls]
    budget: 3/s
`), env)
	if err != nil || len(got) != 3 {
		t.Fatal(err)
	}
	ups, express, fallback := got[0], got[1], got[2]
	if ups.Key != "id-from-env" || ups.Secret != "secret-from-env" || ups.Number != "123456" || ups.BaseURL != "https://onlinetools.ups.com" || ups.Batch != 1 || !ups.Subscribes || ups.Backfills || ups.SubscribeBatch != 100 {
		t.Errorf("%+v", ups)
	}
	if express.API != "express" || express.BaseURL != "https://express.api.dhl.com/mydhlapi/test" || !slices.Equal(express.Windows, []carriers.Window{{Calls: 2, Per: time.Second}, {Calls: 100, Per: 24 * time.Hour}}) {
		t.Errorf("%+v", express)
	}
	if !slices.Equal(fallback.Of, []string{"ontrac", "gls"}) || len(fallback.Windows) != 1 {
		t.Errorf("%+v", fallback)
	}
	if got, err := Parse([]byte(`{"credentials": [{"name": "u", "carrier": "usps", "key": "k", "secret": "s"}]}`), env); err != nil || len(got) != 1 || got[0].Windows[1] != (carriers.Window{Calls: 60, Per: time.Hour}) {
		t.Errorf("JSON: %+v, %v", got, err)
	}
}

// The example in the documentation is a good file.
func TestDocumentedFile(t *testing.T) {
	doc, err := os.ReadFile("../../../docs/carriers.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(doc), "```yaml\n")
	example, _, ok := strings.Cut(example, "```")
	got, err := Parse([]byte(example), func(name string) (string, bool) { return "value of " + name, true })
	if !ok || err != nil || len(got) != 4 {
		t.Errorf("%d credentials, %v", len(got), err)
	}
}

// What stands in the documentation's table of budgets is what is kept.
func TestDocumentedBudgets(t *testing.T) {
	doc, err := os.ReadFile("../../../docs/carriers.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all.Adapters() {
		asker, ok := a.(carriers.Asker)
		if !ok {
			continue
		}
		apis := asker.APIs()
		for _, api := range apis {
			name := a.Name()
			if len(apis) > 1 {
				name += " " + api.Name
			}
			var windows []string
			for _, w := range api.Budget {
				windows = append(windows, w.String())
			}
			row := strings.ReplaceAll(string(doc), "1,400/", "1400/")
			row = strings.NewReplacer("100,000/", "100000/", "10,000/", "10000/").Replace(row)
			if want := "| " + name + " | " + strings.Join(windows, ", ") + " |"; !strings.Contains(row, want) {
				t.Errorf("docs/carriers.md has no row %q", want)
			}
		}
	}
}

func TestBadFilesNameLineAndField(t *testing.T) {
	const secret = "sup3r-hidden"
	for name, c := range map[string]struct{ file, want string }{
		"empty":              {"", "line 1: credentials: missing"},
		"not YAML":           {"credentials: [" + secret, "line 1: not readable"},
		"quoted secret":      {"credentials:\n  - name: a\n    secret: \"" + secret + "\\z\"", "not readable"},
		"a text":             {secret, "line 1: here: fields are expected"},
		"unknown top":        {"credentials: []\nother: 1", "line 2: other: no such field"},
		"not a list":         {"credentials: " + secret, "line 1: credentials: must be a list"},
		"item no mapping":    {"credentials:\n  - " + secret, "line 2: here: fields are expected"},
		"misspelt field":     {"credentials:\n  - name: a\n    carier: ups", "line 3: carier: no such field"},
		"twice":              {"credentials:\n  - name: a\n    name: b", "line 3: name: stands twice"},
		"no key":             {"credentials:\n  - name: a\n    carrier: usps\n    secret: " + secret, "line 2: key: missing"},
		"no secret":          {"credentials:\n  - name: a\n    carrier: ups\n    key: k", "line 2: secret: missing"},
		"bad name":           {"credentials:\n  - name: A B\n    carrier: ups\n    key: k\n    secret: s", "line 2: name: must be"},
		"unknown carrier":    {"credentials:\n  - name: a\n    carrier: pigeon\n    key: k", "line 3: carrier: no carrier"},
		"unknown api":        {"credentials:\n  - name: a\n    carrier: dhl\n    key: k\n    api: soap", "line 5: api: dhl has only unified, express"},
		"no such variable":   {"credentials:\n  - name: a\n    carrier: ups\n    key: ${NOPE}\n    secret: s", "line 4: key: the environment has no NOPE"},
		"empty variable":     {"credentials:\n  - name: a\n    carrier: ups\n    key: ${EMPTY}\n    secret: s", "line 4: key: the environment has no EMPTY"},
		"list for a text":    {"credentials:\n  - name: a\n    carrier: ups\n    key: [" + secret + "]", "line 4: key: must be a text"},
		"null":               {"credentials:\n  - name: a\n    carrier: ups\n    key:", "line 4: key: must be a text"},
		"two lines":          {"credentials:\n  - name: a\n    carrier: ups\n    key: \"a\\nb\"\n    secret: s", "line 4: key: too long, or more than one line"},
		"bad budget":         {"credentials:\n  - name: a\n    carrier: ups\n    key: k\n    secret: s\n    budget: [60/h, many]", "line 6: budget: \"many\" is no budget"},
		"no budget":          {"credentials:\n  - name: a\n    carrier: ups\n    key: k\n    secret: s\n    budget: []", "line 6: budget: one to eight"},
		"plain http":         {"credentials:\n  - name: a\n    carrier: ups\n    key: k\n    secret: s\n    base_url: http://ups.example", "line 6: base_url: must begin with https"},
		"user in the URL":    {"credentials:\n  - name: a\n    carrier: ups\n    key: k\n    secret: s\n    base_url: https://u:" + secret + "@ups.example", "line 6: base_url: must be"},
		"carrier for others": {"credentials:\n  - name: a\n    carrier: ups\n    key: k\n    secret: s\n    for: [fedex]", "line 6: for: ups speaks for itself"},
		"two of a name":      {"credentials:\n  - {name: a, carrier: usps, key: k, secret: s}\n  - {name: a, carrier: ups, key: k, secret: s}", "line 3: name: there are two"},
		"an alias bomb":      {"a: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\ncredentials: *b", "line 1: a: no such field"},
	} {
		_, err := Parse([]byte(c.file), env)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error shows a secret: %v", name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("credentials:\n  - name: a\n    carrier: ups\n    key: ${UPS_ID}\n    secret: s\n    budget: 60/h"))
	f.Add([]byte(`{"credentials":[{"name":"a","carrier":"dhl","api":"express","key":"k","for":["x"]}]}`))
	f.Add([]byte("a: &a [*a]\ncredentials: *a"))
	f.Fuzz(func(t *testing.T, file []byte) {
		list, err := Parse(file, env)
		if err != nil {
			return
		}
		for _, c := range list {
			if c.Key == "" || c.Name == "" || len(c.Windows) == 0 || c.Batch < 1 || c.adapter == nil || !strings.HasPrefix(c.BaseURL, "http") {
				t.Errorf("%+v", c)
			}
		}
	})
}
