package api

import (
	"os"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3filter"

	"github.com/waybillhq/waybill/internal/carriers/all"
	"github.com/waybillhq/waybill/internal/carriers/edi214"
	"github.com/waybillhq/waybill/internal/carriers/generic"
	"github.com/waybillhq/waybill/internal/intake"
)

func init() { openapi3filter.RegisterBodyDecoder(mediaEDI, openapi3filter.FileBodyDecoder) }

func fixture(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile("../internal/carriers/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func (b *bench) file(carrier, media, body string, headers ...string) answer {
	b.Helper()
	return b.call("POST", "/v1/carriers/"+carrier+"/files", b.keys[Carrier], body, append([]string{"Content-Type", media}, headers...)...)
}

// withMapping adds the example of a portal.
func withMapping(t *testing.T) *bench {
	t.Helper()
	b := newBench(t)
	portal, err := generic.Parse([]byte(fixture(t, "generic/testdata/portal.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	b.api.carriers = append(all.Adapters(), portal)
	return b
}

func TestACarriersFileIsReadAndKeptOnce(t *testing.T) {
	b := withMapping(t)
	for _, c := range []struct {
		carrier, media, fixture string
		events                  int
	}{
		{"edi214", "application/edi-x12", "edi214/testdata/refused.edi", 4},
		{"edi214", "application/octet-stream", "edi214/testdata/shortage.edi", 2},
		{"nord-3pl", "text/csv; charset=windows-1252", "generic/testdata/portal.csv", 4},
	} {
		body := fixture(t, c.fixture)
		first := read[fileAnswer](b.file(c.carrier, c.media, body).want(200))
		if first.Accepted != c.events || len(first.Faults) > 0 || first.Rejected > 0 {
			t.Errorf("%s: %+v", c.fixture, first)
		}
		again := read[fileAnswer](b.file(c.carrier, c.media, body).want(200))
		if again.Duplicate != c.events || again.Accepted > 0 {
			t.Errorf("%s again: %+v", c.fixture, again)
		}
	}
	for _, f := range b.facts {
		if f.Actor != "file" || f.Carrier != "" && f.Carrier != "nord-3pl" {
			t.Errorf("%+v", f)
		}
	}
}

func TestAFileIsReadAsFarAsItCanBe(t *testing.T) {
	b := withMapping(t)
	body := strings.Replace(fixture(t, "generic/testdata/portal.csv"), "04.03.2026;06:10", "soon;06:10", 1)
	got := read[fileAnswer](b.file("nord-3pl", "text/csv", body).want(200))
	if got.Accepted != 3 || len(got.Faults) != 1 || got.Faults[0].Where != "line 3" {
		t.Errorf("%+v", got)
	}
}

func TestACarrierOfAMappingHasAWebhook(t *testing.T) {
	b := newBench(t)
	fleet, err := generic.Parse([]byte(fixture(t, "generic/testdata/fleet.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	b.api.carriers = append(all.Adapters(), fleet)
	b.api.webhookSecrets["city-couriers"] = [][]byte{[]byte("new secret")}
	body := fixture(t, "generic/testdata/fleet.json")
	sum := "sha256=" + strings.TrimPrefix(signed("new secret", body), "hmac-sha256-hex=")
	got := read[intake.Counts](b.call("POST", "/webhooks/city-couriers", "", body, "X-City-Signature", sum).want(200))
	if got != (intake.Counts{Accepted: 6, Unmapped: 1}) {
		t.Errorf("%+v", got)
	}
	b.call("POST", "/webhooks/city-couriers", "", body+" ", "X-City-Signature", sum).refuses(401, "unauthenticated", "-")
	b.call("POST", "/webhooks/edi214", "", body, "X-City-Signature", sum).refuses(404, "not-found", "-")
}

func TestAnInterchangeIsAcknowledgedWhereThatIsAsked(t *testing.T) {
	b := newBench(t)
	broken := strings.Replace(fixture(t, "edi214/testdata/multi.edi"), "SE*6*0002", "SE*7*0002", 1)
	a := b.file("edi214", "application/edi-x12", broken, "Accept", "application/edi-x12, application/json;q=0.5").want(200)
	f := edi214.Read(a.Body.Bytes())
	if len(f.Faults) > 0 || len(f.Interchanges) != 2 || !strings.Contains(a.Body.String(), "AK5*R*4~AK9*P*2*2*1~") || a.Header().Get("Content-Type") != mediaEDI {
		t.Errorf("%s: %v\n%s", a.Header().Get("Content-Type"), f.Faults, a.Body)
	}
	if f.Interchanges[0].Control == f.Interchanges[1].Control {
		t.Error("two acknowledgements of one number")
	}
	if len(b.facts) != 3 {
		t.Errorf("%d events kept, want those of the sets that hold", len(b.facts))
	}
	b.file("edi214", "application/edi-x12", "hello", "Accept", "application/edi-x12").refuses(422, "invalid", "segment 1")
}

func TestAFileThatIsNoneChangesNothing(t *testing.T) {
	b := newBench(t, Limits{Batch: 4096})
	good := fixture(t, "edi214/testdata/refused.edi")
	for name, c := range map[string]struct {
		carrier, media, body string
		status               int
		kind, field          string
	}{
		"no such carrier":            {"pigeon", "text/csv", good, 404, "not-found", "-"},
		"a carrier without files":    {"ups", "application/json", "{}", 404, "not-found", "-"},
		"another media type":         {"edi214", "text/html", good, 415, "unsupported-media-type", "-"},
		"no media type":              {"edi214", "", good, 415, "unsupported-media-type", "-"},
		"not its format":             {"edi214", "application/edi-x12", "hello", 422, "invalid", "segment 1"},
		"not its format, and binary": {"edi214", "application/octet-stream", "\xff\x00\xfe", 422, "invalid", "segment 1"},
		"empty":                      {"edi214", "application/edi-x12", "", 400, "malformed", "-"},
		"larger than allowed":        {"edi214", "application/edi-x12", strings.Repeat(" ", 5000), 413, "too-large", "-"},
	} {
		t.Run(name, func(t *testing.T) {
			b.T = t
			b.file(c.carrier, c.media, c.body).refuses(c.status, c.kind, c.field)
		})
	}
	bound := b.key([]string{Carrier}, "acme")
	b.T = t
	b.call("POST", "/v1/carriers/edi214/files", bound, good, "Content-Type", "application/edi-x12").refuses(403, "forbidden", "-")
	b.call("POST", "/v1/carriers/edi214/files", b.keys[Warehouse], good, "Content-Type", "application/edi-x12").refuses(403, "forbidden", "-")
	b.call("POST", "/v1/carriers/edi214/files", "", good, "Content-Type", "application/edi-x12").refuses(401, "unauthenticated", "-")
	if n := len(b.facts); n > 0 {
		t.Errorf("%d facts kept", n)
	}
}
