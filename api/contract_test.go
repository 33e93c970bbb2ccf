package api

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/waybillhq/waybill/order"
)

func schemas(t *testing.T) openapi3.Schemas {
	t.Helper()
	doc, _, err := loadContract(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return doc.Components.Schemas
}

func TestWordsOfTheContractAreThoseOfTheCore(t *testing.T) {
	all := schemas(t)
	milestones := make([]order.Milestone, 0, len(order.Definitions))
	for _, d := range order.Definitions {
		milestones = append(milestones, d.Milestone)
	}
	for name, want := range map[string][]string{
		"Class": texts(order.Classes), "Status": texts(order.Statuses), "ScanKind": texts(order.ScanKinds), "Milestone": texts(milestones), "Scope": Scopes,
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

func texts[T ~string](list []T) []string {
	ss := make([]string, len(list))
	for i, v := range list {
		ss[i] = string(v)
	}
	return ss
}

// Everything that is sent to us is closed: unknown fields are refused by name.
func TestRequestsAreClosed(t *testing.T) {
	_, ops, err := loadContract(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, op := range ops {
		if !op.hasBody {
			continue
		}
		for media, content := range op.route.Operation.RequestBody.Value.Content {
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
			b, err := s.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			if s.Type != nil && len(*s.Type) > 1 {
				t.Errorf("%s has several types", name)
			}
			for _, word := range []string{`"const"`, `"if"`, `"prefixItems"`, `"contains"`, `"patternProperties"`, `"dependent`, `"unevaluated`, `"propertyNames"`, `"exclusiveM`, `"$defs"`, `"contentEncoding"`} {
				if strings.Contains(string(b), word) {
					t.Errorf("%s uses %s", name, word)
				}
			}
		})
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
	_, ops, _ := loadContract(context.Background())
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
