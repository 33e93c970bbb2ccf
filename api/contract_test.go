package api

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/waybillhq/waybill/internal/intake"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

func schemas(t *testing.T) openapi3.Schemas {
	t.Helper()
	ops, err := contract()
	if err != nil {
		t.Fatal(err)
	}
	return ops[0].route.Spec.Components.Schemas
}

func TestWordsOfTheContractAreThoseOfTheCore(t *testing.T) {
	all := schemas(t)
	milestones := make([]order.Milestone, 0, len(order.Definitions))
	for _, d := range order.Definitions {
		milestones = append(milestones, d.Milestone)
	}
	kinds := make([]order.CaseKind, 0, len(order.CaseDefinitions))
	for _, d := range order.CaseDefinitions {
		kinds = append(kinds, d.Kind)
	}
	for name, want := range map[string][]string{
		"Class": texts(order.Classes), "Status": texts(order.Statuses), "ScanKind": texts(order.ScanKinds), "Milestone": texts(milestones), "Scope": Scopes, "CodeKind": intake.MappingKinds(),
		"CaseKind": texts(kinds), "Severity": texts(order.Severities), "Team": texts(order.Teams), "Resolution": texts(order.Resolutions),
	} {
		var have []string
		for _, v := range all[name].Value.Enum {
			have = append(have, v.(string))
		}
		slices.Sort(have)
		want = slices.Sorted(slices.Values(want))
		if !slices.Equal(have, want) {
			t.Errorf("%s is %v in openapi.yaml and %v in Go", name, have, want)
		}
	}
	for field, want := range map[string]uint64{"lines": order.MaxLines, "parcels": order.MaxParcels} {
		if have := all["NewOrder"].Value.Properties[field].Value.MaxItems; have == nil || *have != want {
			t.Errorf("%s: at most %v in openapi.yaml and %d in Go", field, have, want)
		}
	}
	if have := all["Quantity"].Value.Max; *have != order.MaxQuantity {
		t.Errorf("quantity: %v", *have)
	}
	for name, want := range map[string]string{"OrderID": orderIDPattern.String(), "ParcelID": parcelPattern.String(), "Carrier": carrierPattern.String(), "Tracking": trackingPattern.String()} {
		if have := all[name].Value.Pattern; have != want {
			t.Errorf("%s: %s in openapi.yaml and %s in Go", name, have, want)
		}
	}
	// Every field of a policy can be set.
	policy := reflect.TypeFor[order.Policy]()
	for i := range policy.NumField() {
		name, _, _ := strings.Cut(policy.Field(i).Tag.Get("json"), ",")
		if all["PutPolicy"].Value.Properties[name] == nil {
			t.Errorf("policy field %s is not in openapi.yaml", name)
		}
	}
}

func TestExamplesFitTheirSchemas(t *testing.T) {
	doc, _, err := loadContract(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Error(err)
	}
}

func texts[T ~string](list []T) []string {
	ss := make([]string, len(list))
	for i, v := range list {
		ss[i] = string(v)
	}
	return ss
}

// Everything that is sent to us is closed: unknown fields are refused by name.
func TestRequestsAreClosed(t *testing.T) {
	ops, err := contract()
	if err != nil {
		t.Fatal(err)
	}
	for _, op := range ops {
		if !op.hasBody || op.id == "postWebhook" || op.id == "captureEPCIS" || op.raw { // their bodies are the carrier's and GS1's, not ours
			continue
		}
		for media, content := range op.route.Operation.RequestBody.Value.Content {
			if media == yamlMedia && op.id == "putPolicy" {
				continue // its parser is as strict
			}
			if media != "application/json" {
				t.Errorf("%s takes %s", op.id, media)
			}
			walk(content.Schema.Value, func(s *openapi3.Schema) {
				if s.Type.Is("object") && (s.AdditionalProperties.Has == nil || *s.AdditionalProperties.Has) {
					t.Errorf("%s: an object of its body is open: %v", op.id, s.Required)
				}
			})
			if len(content.Examples) == 0 && content.Example == nil {
				t.Errorf("%s has no example", op.id)
			}
		}
	}
}

func walk(s *openapi3.Schema, visit func(*openapi3.Schema)) {
	visit(s)
	for _, p := range s.Properties {
		walk(p.Value, visit)
	}
	if s.Items != nil {
		walk(s.Items.Value, visit)
	}
}

// Requests are checked with the faster validator for OpenAPI 3.0, see
// loadContract. That is only right while no schema says more than 3.0 can.
func TestSchemasSayNothingThatOnly31Knows(t *testing.T) {
	for name, ref := range schemas(t) {
		walk(ref.Value, func(s *openapi3.Schema) {
			if s.Type != nil && len(*s.Type) > 1 {
				t.Errorf("%s has several types", name)
			}
		})
		b, err := ref.Value.MarshalJSON() // other components are references in it
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{`"const"`, `"if"`, `"prefixItems"`, `"contains"`, `"patternProperties"`, `"dependent`, `"unevaluated`, `"propertyNames"`, `"exclusiveM`, `"$defs"`, `"contentEncoding"`} {
			if strings.Contains(string(b), word) {
				t.Errorf("%s uses %s", name, word)
			}
		}
	}
}

func TestContractIsServed(t *testing.T) {
	b := newBench(t)
	a := b.call("GET", "/openapi.yaml", "", "").want(200)
	if !strings.HasPrefix(a.Body.String(), "openapi: 3.1.0") || a.Header().Get("Content-Type") != "application/yaml" {
		t.Errorf("%s: %.40s", a.Header().Get("Content-Type"), a.Body)
	}
}

func TestEveryErrorStatusIsDocumented(t *testing.T) {
	ops, _ := contract()
	for _, op := range ops {
		if len(op.scopes) == 0 {
			continue
		}
		want := []int{401, 403, 422, 429, 500, 503}
		if op.hasBody {
			want = append(want, 400, 413, 415)
		}
		for _, status := range want {
			if op.route.Operation.Responses.Status(status) == nil {
				t.Errorf("%s does not document %d", op.id, status)
			}
		}
	}
}

// PostgreSQL takes no NUL, in text or in JSON, and people do not see what a
// control character does. So every text of every example is sent with one: it
// is refused or cleaned, and never kept.
func TestControlCharactersAreNeverKept(t *testing.T) {
	ops, err := contract()
	if err != nil {
		t.Fatal(err)
	}
	texts := 0
	for _, op := range ops {
		if !op.hasBody || op.id == "postWebhook" || op.raw { // its body is the carrier's, not ours
			continue
		}
		media := op.route.Operation.RequestBody.Value.Content["application/json"]
		example := media.Example
		if example == nil {
			example = media.Examples["split"].Value.Value
		}
		path := strings.NewReplacer(":id", "acme:1001", ":parcel", "1", ":store", "acme", ":name", "default", ":carrier", "ups", ":case", "stalled-1-7", ":remedy", "refund-lost-1-9", ":instruction", "redeliver-1-9", ":proof", "proof-1-9", ":n", "1").Replace(op.path)
		switch op.id {
		case "closeFault":
			path = "/v1/faults/1/close"
		case "putCodeMapping":
			path += "?carrier=ups&table=EXC&code=X"
		}
		for _, body := range poisoned(example) {
			texts++
			b := withOrder(t)
			b.faults = []store.Fault{{ID: 1}}
			a := b.call(op.method, path, b.keys[Admin], string(mustJSON(body)))
			if a.Code >= 500 {
				t.Errorf("%s answered %d to %s", op.id, a.Code, mustJSON(body))
			}
			kept := mustJSON([]any{b.orders, b.addresses, b.contacts, b.stores, b.policies, b.memory.keys, b.audits, b.facts, b.engine.asked, b.faults, b.mapped})
			if strings.Contains(string(kept), "\\u0000") {
				t.Errorf("%s keeps a NUL of %s:\n%s", op.id, mustJSON(body), kept)
			}
		}
	}
	if texts < 60 {
		t.Errorf("only %d texts were tried", texts)
	}
}

// poisoned returns the value once for each text in it, with a NUL in that text.
func poisoned(v any) []any {
	var out []any
	switch v := v.(type) {
	case string:
		if v == "" {
			return nil
		}
		out = append(out, v[:1]+"\x00"+v[1:])
	case []any:
		for i := range v {
			for _, p := range poisoned(v[i]) {
				other := slices.Clone(v)
				other[i] = p
				out = append(out, other)
			}
		}
	case map[string]any:
		for k := range v {
			for _, p := range poisoned(v[k]) {
				other := maps.Clone(v)
				other[k] = p
				out = append(out, other)
			}
		}
	}
	return out
}
