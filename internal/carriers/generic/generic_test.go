package generic

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/carriers/carriertest"
)

func load(t testing.TB, raw string) *Adapter {
	t.Helper()
	a, err := Parse([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func fleet(t testing.TB) *Adapter  { return load(t, string(carriertest.File(t, "fleet.yaml"))) }
func portal(t testing.TB) *Adapter { return load(t, string(carriertest.File(t, "portal.yaml"))) }

func sum(secret, body []byte) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write(body)
	return h.Sum(nil)
}

func TestSuite(t *testing.T) {
	t.Run("fleet", func(t *testing.T) {
		carriertest.Run(t, carriertest.Suite{Adapter: fleet(t), Pushes: map[string][]byte{"fleet": carriertest.File(t, "fleet.json")}, Signed: true,
			Sign: func(body, secret []byte, _ time.Time) carriers.Push {
				return carriers.Push{Body: body, Header: http.Header{"X-City-Signature": {"sha256=" + hex.EncodeToString(sum(secret, body))}}}
			}})
	})
	t.Run("portal", func(t *testing.T) {
		carriertest.Run(t, carriertest.Suite{Adapter: portal(t), Pushes: map[string][]byte{"portal": carriertest.File(t, "portal.csv")}})
	})
	t.Run("bearer", func(t *testing.T) {
		carriertest.Run(t, carriertest.Suite{Adapter: load(t, small+"auth: { kind: bearer }\n"), Pushes: map[string][]byte{"one": []byte(`{"n":"ABC123","s":"OK","t":"2026-03-04T10:00:00Z"}`)},
			Sign: func(body, secret []byte, _ time.Time) carriers.Push {
				return carriers.Push{Body: body, Header: http.Header{"Authorization": {"Bearer " + string(secret)}}}
			}})
	})
	t.Run("base64", func(t *testing.T) {
		carriertest.Run(t, carriertest.Suite{Adapter: load(t, small+"auth: { kind: hmac-sha256, header: X-Sum, encoding: base64 }\n"), Signed: true,
			Pushes: map[string][]byte{"one": []byte(`[{"n":"ABC123","s":"OK","t":"2026-03-04T10:00:00Z"}]`)},
			Sign: func(body, secret []byte, _ time.Time) carriers.Push {
				return carriers.Push{Body: body, Header: http.Header{"X-Sum": {base64.StdEncoding.EncodeToString(sum(secret, body))}}}
			}})
	})
}

const small = `carrier: small
format: json
times: [rfc3339, "2006-01-02 15:04:05", "2006-01-02", unix, unix_ms]
fields: { tracking: n, code: s, time: t, offset: z, eta: e, id: i }
codes: { OK: { milestone: transit } }
`

const smallCSV = `carrier: small
format: csv
times: ["2006-01-02 15:04"]
fields: { tracking: number, code: status, time: at }
codes: { OK: { milestone: transit } }
`

// told is an event as a table shows it.
func told(e carriers.Event) string {
	m := string(e.Milestone)
	if e.Unmapped {
		m = "?"
	}
	s := fmt.Sprintf("%s %s %s [%s %s] %s %s %s", e.ID, e.Tracking, e.Code, m, e.Bucket, e.UTC.Format("0102T150405"), e.Offset, e.Basis)
	for _, x := range []string{e.Location, e.Description, string(e.DeliveredTo), e.Proof.SignedBy, e.Proof.Photo} {
		if x != "" {
			s += " | " + x
		}
	}
	if !e.ETA.IsZero() {
		s += " eta " + e.ETA.Format("0102T1504")
	}
	return strings.TrimSpace(s)
}

func TestExamples(t *testing.T) {
	for name, c := range map[string]struct {
		a    *Adapter
		body string
		want string
	}{
		"fleet": {fleet(t), "fleet.json", `
e-1 CC10012002 BOOKED [labelled ] 0304T070000 +00:00 offset
e-2 CC10012002 COLLECTED [accepted ] 0304T141500 -05:00 account | Newark, NJ, US
e-3 CC10012002 ON_VAN [out_for_delivery ] 0304T180500 -05:00 offset eta 0304T2300
e-4 CC10012002 NOBODY [attempt_failed recipient_unavailable] 0304T204010 -05:00 offset | Rang twice no answer
e-5 CC10012002 DONE [delivered ] 0304T222000 -06:00 zone | person | A. Receiver | p-771.jpg
e-6 CC10012002 SELFIE [? ] 0304T212100 -05:00 account`},
		"portal": {portal(t), "portal.csv", `
N3-5501 20 [accepted ] 0303T164000 +01:00 account | Köln, DE
N3-5501 30 [in_transit ] 0304T051000 +01:00 account | Düsseldorf, DE | Palette; gekippt eta 0305T1200
N3-5502 70 [ damage] 0304T120000  date | Münster, DE | Ecke gedrückt
N3-5501 50 [delivered ] 0305T090200 +01:00 account | Düsseldorf, DE`},
	} {
		f := c.a.ParseFile(carriertest.File(t, c.body))
		got := ""
		for _, e := range f.Events {
			got += "\n" + told(e)
		}
		if len(f.Faults) > 0 || got != c.want {
			t.Errorf("%s: %v\n got %s\nwant %s", name, f.Faults, got, c.want)
		}
	}
}

func TestItems(t *testing.T) {
	for name, c := range map[string]struct {
		mapping, body string
		events        int
		faults        string
	}{
		"one object":              {small, `{"n":"A123","s":"OK","t":"2026-03-04T10:00:00Z"}`, 1, ""},
		"a list":                  {small, `[{"n":"A123","s":"OK","t":"2026-03-04"},{"n":"A124","s":"ok","t":1772618400},{"n":"A125","s":"OK","t":"1772618400000"}]`, 3, ""},
		"an empty list":           {small, `[]`, 0, ""},
		"one bad of three":        {small, `[{"n":"A123","s":"OK","t":"2026-03-04"},{"n":"A124","s":"OK","t":"soon"},7]`, 1, `event 2: no time that can be read: "soon" | event 3: is no object`},
		"no number":               {small, `{"s":"OK","t":"2026-03-04"}`, 0, "event 1: no tracking number"},
		"no code":                 {small, `{"n":"A123","t":"2026-03-04"}`, 0, "event 1: no code"},
		"a long code":             {small, `{"n":"A123","s":"` + strings.Repeat("x", 61) + `","t":"2026-03-04"}`, 0, "event 1: a code of more than 60 bytes"},
		"a long ID":               {small, `{"n":"A123","s":"OK","t":"2026-03-04","i":"` + strings.Repeat("x", 201) + `"}`, 0, "event 1: an event ID of more than 200 bytes"},
		"an offset of nonsense":   {small, `{"n":"A123","s":"OK","t":"2026-03-04 10:00:00","z":"../../etc/passwd"}`, 0, `event 1: no time that can be read: "2026-03-04 10:00:00"`},
		"an ETA of nonsense":      {small, `{"n":"A123","s":"OK","t":"2026-03-04 10:00:00","e":"later"}`, 0, `event 1: no ETA that can be read: "later"`},
		"two documents":           {small, `{} {}`, 0, "file: something stands behind the JSON"},
		"events are not there":    {small + "events: data.list\n", `{"data":{}}`, 0, "element 1: no data.list"},
		"events in each of many":  {strings.Replace(small, "tracking: n", "tracking: $.n", 1) + "events: e\n", `[{"n":"A123","e":[{"s":"OK","t":"2026-03-04"}]},{"n":"A124","e":[{"s":"OK","t":"2026-03-04"}]}]`, 2, ""},
		"rows":                    {smallCSV, "Number,STATUS,at\nA123,ok,2026-03-04 10:00\n\nA124,ok,2026-03-04 11:00\n", 2, ""},
		"byte order mark":         {smallCSV, "\xef\xbb\xbfnumber,status,at\nA123,ok,2026-03-04 10:00\n", 1, ""},
		"a column is missing":     {smallCSV, "number,at\nA123,2026-03-04 10:00\n", 0, `line 1: no column "status"`},
		"a column twice":          {smallCSV, "number,status,at,At\n", 0, `line 1: column "at" stands twice`},
		"a short row":             {smallCSV, "number,status,at\nA123,ok\nA124,ok,2026-03-04 11:00\n", 1, `line 2: no time that can be read: ""`},
		"a stray quote":           {smallCSV, "number,status,at\nA1\"23,ok,2026-03-04 10:00\nA124,ok,2026-03-04 11:00\n", 1, `line 2: bare " in non-quoted-field`},
		"the line after a record": {smallCSV, "number,status,at\n\"A\n123\",ok,2026-03-04 10:00\nA124,ok,never\n", 1, `line 4: no time that can be read: "never"`},
		"no rows":                 {smallCSV, "number,status,at\n", 0, ""},
	} {
		f := load(t, c.mapping).ParseFile([]byte(c.body))
		var faults []string
		for _, x := range f.Faults {
			faults = append(faults, x.String())
		}
		if got := strings.Join(faults, " | "); got != c.faults || len(f.Events) != c.events {
			t.Errorf("%s: %d events, %q; want %d, %q", name, len(f.Events), got, c.events, c.faults)
		}
	}
}

// Clocks that are changed are read as everywhere: of an hour that they show twice
// the first, and one that they skip as if they had not.
func TestChangesOfClocks(t *testing.T) {
	berlin := load(t, strings.Replace(small, "format: json\n", "format: json\ntimezone: Europe/Berlin\n", 1))
	for body, want := range map[string]string{
		`{"n":"A123","s":"OK","t":"2026-10-25 02:30:00"}`:                        "1025T003000 +02:00 account",
		`{"n":"A123","s":"OK","t":"2026-10-25 03:00:00"}`:                        "1025T020000 +01:00 account",
		`{"n":"A123","s":"OK","t":"2026-03-29 02:30:00"}`:                        "0329T013000 +02:00 account",
		`{"n":"A123","s":"OK","t":"2026-11-01 01:30:00","z":"America/New_York"}`: "1101T053000 -04:00 zone",
		`{"n":"A123","s":"OK","t":"2026-11-01 01:30:00","z":"-05:00"}`:           "1101T063000 -05:00 offset",
	} {
		f := berlin.ParseFile([]byte(body))
		if len(f.Events) != 1 || !strings.HasSuffix(told(f.Events[0]), want) {
			t.Errorf("%s: %v %v, want %s", body, f.Events, f.Faults, want)
		}
	}
}

func TestBounds(t *testing.T) {
	row := "A123,ok,2026-03-04 10:00\n"
	for name, body := range map[string]string{
		"too many":  "number,status,at\n" + strings.Repeat(row, carriers.MaxEvents+1),
		"too large": strings.Repeat("x", carriers.MaxBody+1),
	} {
		if f := load(t, smallCSV).ParseFile([]byte(body)); len(f.Events) > 0 || len(f.Faults) != 1 {
			t.Errorf("%s: %d events, %v", name, len(f.Events), f.Faults)
		}
	}
	if f := load(t, smallCSV).ParseFile([]byte("number,status,at\n" + strings.Repeat("A123\n", 500))); len(f.Faults) != maxFaults+1 || f.Faults[maxFaults].What != "and 400 more" {
		t.Errorf("%d faults", len(f.Faults))
	}
}

func TestMappingErrorsNameLineAndField(t *testing.T) {
	good := string(carriertest.File(t, "fleet.yaml"))
	for name, c := range map[string]struct{ from, to, want string }{
		"unknown key":       {"timezone:", "timezoen:", "field timezoen not found"},
		"unknown field":     {"  tracking:", "  traking:", "field traking not found"},
		"bad name":          {"carrier: city-couriers", "carrier: City Couriers", "line 3: carrier:"},
		"bad format":        {"format: json", "format: xml", "line 4: format:"},
		"bad zone":          {"America/New_York", "America/Newark", "line 16: timezone:"},
		"layout of no day":  {`"2006-01-02 15:04"`, `"15:04"`, "line 12: times:"},
		"layout of no hour": {`"2006-01-02 15:04"`, `"2006-01-02 03:04"`, "line 12: times:"},
		"layout of names":   {`"2006-01-02 15:04"`, `"2006-01-02 15:04 MST"`, "line 12: times:"},
		"no tracking":       {"  tracking: $.data.consignment.number\n", "", "fields.tracking: is needed"},
		"a path with holes": {"stop.city", "stop..city", "line 27: fields.city:"},
		"bad milestone":     {"HUB: { milestone: transit", "HUB: { milestone: transport", "codes.HUB: milestone \"transport\" is none of"},
		"bad bucket":        {"carrier_delay", "Carrier delay", "codes.TRAFFIC: bucket"},
		"code twice":        {"  HUB:", "  collected:", "codes: COLLECTED stands twice"},
		"code twice alike":  {"  HUB:", "  COLLECTED:", "already defined"},
		"bad auth":          {"kind: hmac-sha256", "kind: hmac-md5", "auth.kind:"},
		"bad encoding":      {"encoding: hex ", "encoding: octal ", "auth.encoding:"},
		"no header":         {"  header: X-City-Signature\n", "", "auth.header:"},
		"bearer and header": {"kind: hmac-sha256", "kind: bearer", "is of hmac-sha256 only"},
		"delimiter of json": {"format: json", "format: json\ndelimiter: ';'", "line 5: delimiter:"},
		"no YAML":           {"carrier:", "carrier: [", "line"},
		"a list of a list":  {"code: status", "code: [[status]]", "must be one value"},
		"a map":             {"code: status", "code: { a: b }", "must be one value"},
		"two documents":     {"carrier:", "carrier: x\n---\ncarrier:", ""},
	} {
		raw := strings.Replace(good, c.from, c.to, 1)
		if raw == good {
			t.Fatalf("%s: nothing changed", name)
		}
		_, err := Parse([]byte(raw))
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "generic.") {
			t.Errorf("%s: %v, want %q", name, err, c.want)
			continue
		}
		if !strings.Contains(err.Error(), "line ") && !strings.Contains(err.Error(), "is needed") && !strings.Contains(err.Error(), "document") {
			t.Errorf("%s: %v names no line", name, err)
		}
	}
	for name, raw := range map[string]string{"nothing": "", "a comment": "# x", "a list": "- a", "too much": strings.Repeat("#", MaxMapping+1)} {
		if _, err := Parse([]byte(raw)); err == nil {
			t.Errorf("%s is a mapping", name)
		}
	}
}

// What is written as CSV by the rules is read back, whatever stands in it.
func TestCSVReadsWhatWasMeant(t *testing.T) {
	a := load(t, strings.Replace(smallCSV, "time: at", "time: at, description: note", 1)+"delimiter: \"\\t\"\n")
	rapid.Check(t, func(t *rapid.T) {
		note := rapid.StringMatching(`[ -~\t]{0,40}`).Draw(t, "note")
		n := rapid.IntRange(1, 5).Draw(t, "n")
		body := "note\tat\tstatus\tnumber\n" + strings.Repeat("\""+strings.ReplaceAll(note, `"`, `""`)+"\"\t2026-03-04 10:00\tOK\tA123\n", n)
		f := a.ParseFile([]byte(body))
		if len(f.Events) != n || f.Events[0].Description != carriers.Clean(note, 500) {
			t.Fatalf("%q: %v %v", body, f.Events, f.Faults)
		}
	})
}

func FuzzJSON(f *testing.F) {
	a, b := fleet(f), load(f, small)
	f.Add(carriertest.File(f, "fleet.json"))
	f.Add([]byte(`[{"n":"A123","s":"OK","t":1772618400,"z":"+01:00","e":"2026-03-04"}]`))
	f.Fuzz(func(t *testing.T, body []byte) { fuzz(t, a, body); fuzz(t, b, body) })
}

func FuzzCSV(f *testing.F) {
	a, b := portal(f), load(f, smallCSV)
	f.Add(carriertest.File(f, "portal.csv"))
	f.Add([]byte("number,status,at\nA123,ok,2026-03-04 10:00\n"))
	f.Fuzz(func(t *testing.T, body []byte) { fuzz(t, a, body); fuzz(t, b, body) })
}

func FuzzMapping(f *testing.F) {
	f.Add(carriertest.File(f, "fleet.yaml"), carriertest.File(f, "fleet.json"))
	f.Add(carriertest.File(f, "portal.yaml"), carriertest.File(f, "portal.csv"))
	f.Add([]byte(small), []byte(`{"n":"ABC123","s":"OK","t":"2026-03-04T10:00:00Z"}`))
	f.Fuzz(func(t *testing.T, raw, body []byte) {
		if a, err := Parse(raw); err == nil {
			fuzz(t, a, body)
			_ = a.Verify(carriers.Push{Header: http.Header{}, Body: body}, [][]byte{[]byte("secret")})
		}
	})
}

func fuzz(t *testing.T, a *Adapter, body []byte) {
	f := a.ParseFile(body)
	for _, e := range f.Events {
		if err := carriertest.CheckEvent(e); err != nil {
			t.Fatalf("%v: %+v", err, e)
		}
	}
	if len(f.Events) > carriers.MaxEvents || len(f.Faults) > maxFaults+1 {
		t.Fatal("too many")
	}
	if events, err := a.ParsePush(body); err != nil && (len(events) > 0 || !errors.Is(err, carriers.ErrMalformed)) {
		t.Fatalf("%d events, %v", len(events), err)
	}
}
