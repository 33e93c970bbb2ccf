package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/waybillhq/waybill/internal/carriers/all"
)

func TestRawBodiesAreKeptForSomeDays(t *testing.T) {
	t.Setenv("WAYBILL_DATABASE_URL", "postgres://localhost/x")
	t.Setenv("WAYBILL_SECRET", strings.Repeat("x", 32))
	for text, want := range map[string]int{"": rawDays, "7": 7, "0": 0, "-1": 0, "a month": 0} {
		t.Setenv("WAYBILL_RAW_DAYS", text)
		c, err := FromEnv()
		if (err == nil) != (want > 0) || want > 0 && c.RawDays != want {
			t.Errorf("%q: %d days, %v", text, c.RawDays, err)
		}
	}
}

func TestWebhookSecretsAreNamedAndNeverEmpty(t *testing.T) {
	got, err := webhookSecrets("ups=first-secret,fedex=new-secret|old-secret", all.Adapters())
	if err != nil || len(got["ups"]) != 1 || len(got["fedex"]) != 2 || string(got["fedex"][1]) != "old-secret" {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := webhookSecrets("", nil); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"ups", "ups=", "pigeon=long-enough", "ups=long-enough|", "ups=short", ",", "=x", "edi214=long-enough"} {
		if _, err := webhookSecrets(bad, all.Adapters()); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

func TestMappingsBecomeCarriersOrRefuseToStart(t *testing.T) {
	good, err := os.ReadFile("../carriers/generic/testdata/fleet.yaml")
	if err != nil {
		t.Fatal(err)
	}
	built := len(all.Adapters())
	for name, c := range map[string]struct {
		files map[string]string
		more  int
		want  []string // in the error
	}{
		"none":                  {nil, 0, nil},
		"one":                   {map[string]string{"fleet.yaml": string(good), "README.md": "x", ".hidden.yaml": "x"}, 1, nil},
		"a wrong milestone":     {map[string]string{"fleet.yaml": strings.Replace(string(good), "milestone: ofd", "milestone: out", 1)}, 0, []string{"fleet.yaml: line ", "codes.ON_VAN"}},
		"a name that is taken":  {map[string]string{"ups.yml": strings.Replace(string(good), "city-couriers", "ups", 1)}, 0, []string{"ups.yml: carrier: there is a ups already"}},
		"two of one name":       {map[string]string{"a.yaml": string(good), "b.yaml": string(good)}, 1, []string{"b.yaml: carrier: there is a city-couriers already"}},
		"all that is wrong":     {map[string]string{"a.yaml": "", "b.yaml": "x: y"}, 0, []string{"a.yaml: nothing in it", "b.yaml: line 1: field x not found"}},
		"one good, one missing": {map[string]string{"a.yaml": "", "b.yaml": string(good)}, 1, []string{"a.yaml"}},
	} {
		dir := t.TempDir()
		for f, text := range c.files {
			if err := os.WriteFile(filepath.Join(dir, f), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		known, err := registry(dir)
		if len(known) != built+c.more || (err == nil) != (len(c.want) == 0) {
			t.Errorf("%s: %d carriers, %v", name, len(known)-built, err)
		}
		for _, w := range c.want {
			if err != nil && !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %v does not say %q", name, err, w)
			}
		}
	}
	if _, err := registry(filepath.Join(t.TempDir(), "not there")); err == nil || !strings.Contains(err.Error(), "WAYBILL_CARRIER_MAPPINGS") {
		t.Error(err)
	}
}

func TestCarriersCommandKnowsMappings(t *testing.T) {
	t.Setenv("WAYBILL_CARRIER_MAPPINGS", "../carriers/generic/testdata")
	for want, args := range map[string][]string{
		"city-couriers  8      parse_push, parse_file, verify_push":                 {"list"},
		"city-couriers  status  ON_VAN  out_for_delivery":                           {"explain", "on_van"},
		"edi214   1651   AF    - (exception)":                                       {"explain", "edi214", "AF"},
		"a file of city-couriers, 6 events":                                         {"test-webhook", "city-couriers", "../carriers/generic/testdata/fleet.json"},
		"a file of edi214, 11 events":                                               {"test-webhook", "edi214", "../carriers/edi214/testdata/delivery.edi"},
		`segment 1: not an interchange: it begins with "{ \"data\":", not with ISA`: {"test-webhook", "edi214", "../carriers/generic/testdata/fleet.json"},
	} {
		var out strings.Builder
		if err := Carriers(args, &out); err != nil || !strings.Contains(out.String(), want) {
			t.Errorf("%v: %v, want %q in\n%s", args, err, want, out.String())
		}
	}
}
