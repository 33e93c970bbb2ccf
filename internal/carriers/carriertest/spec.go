package carriertest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"github.com/waybillhq/waybill/internal/carriers"
)

// Spec is a carrier's own OpenAPI document, which judges our requests.
type Spec struct {
	router routers.Router
}

// LoadSpec reads a document from the data that nobody here wrote, under specs. It
// skips the test, saying so, where that is absent. mend repairs what is wrong
// with the document itself.
func LoadSpec(t *testing.T, name string, mend func(*openapi3.T)) Spec {
	t.Helper()
	dir := os.Getenv("WAYBILL_DATA")
	if dir == "" {
		dir = "../../../../shared/data"
	}
	raw, err := os.ReadFile(filepath.Join(dir, "specs", name))
	if err != nil {
		t.Skipf("the carriers' own specifications are not here (%s); set WAYBILL_DATA to the folder that holds specs/", dir)
	}
	return ParseSpec(t, raw, mend)
}

// ParseSpec is LoadSpec for a document that is at hand.
func ParseSpec(t *testing.T, raw []byte, mend func(*openapi3.T)) Spec {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(raw)
	if err != nil {
		t.Fatal(err)
	}
	if mend != nil {
		mend(doc)
	}
	router, err := legacy.NewRouter(doc, openapi3.DisableExamplesValidation(), openapi3.DisableSchemaDefaultsValidation())
	if err != nil {
		t.Fatal(err)
	}
	return Spec{router}
}

// Validate says what the document has against a request.
func (s Spec) Validate(r *http.Request) error {
	route, params, err := s.router.FindRoute(r)
	if err != nil {
		return err
	}
	return openapi3filter.ValidateRequest(context.Background(), &openapi3filter.RequestValidationInput{
		Request: r, PathParams: params, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: authentication},
	})
}

// authentication looks whether the request carries what the scheme asks for.
func authentication(_ context.Context, in *openapi3filter.AuthenticationInput) error {
	r := in.RequestValidationInput.Request
	user, _, basic := r.BasicAuth()
	ok := false
	switch s := in.SecurityScheme; {
	case s.Type == "http" && s.Scheme == "basic":
		ok = basic && user != ""
	case s.Type == "oauth2", s.Type == "http" && s.Scheme == "bearer":
		ok = r.Header.Get("Authorization") == "Bearer the-token"
	}
	if !ok {
		return in.NewError(errors.New("nothing that proves who asks"))
	}
	return nil
}

// Request builds a question's request, or ends the test.
func Request(t *testing.T, build func(carriers.Question) (*http.Request, error), q carriers.Question) *http.Request {
	t.Helper()
	r, err := build(q)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Spoil changes what stands under a path of keys in a request's JSON, in the first
// member of each list on the way; nil takes it out.
func Spoil(t *testing.T, to any, path ...string) func(*http.Request) {
	return func(r *http.Request) {
		t.Helper()
		var body map[string]any
		raw, err := io.ReadAll(r.Body)
		if err == nil {
			err = json.Unmarshal(raw, &body)
		}
		if err != nil {
			t.Fatal(err)
		}
		in := body
		for _, k := range path[:len(path)-1] {
			next := in[k]
			if list, ok := next.([]any); ok {
				next = list[0]
			}
			if in, _ = next.(map[string]any); in == nil {
				t.Fatalf("nothing stands under %v", path)
			}
		}
		if in[path[len(path)-1]] = to; to == nil {
			delete(in, path[len(path)-1])
		}
		if raw, err = json.Marshal(body); err != nil {
			t.Fatal(err)
		}
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(raw)), nil }
		r.Body, _ = r.GetBody()
		r.ContentLength = int64(len(raw))
	}
}

// Wrong changes a good request and demands that the document refuses it: a
// judge that lets everything pass proves nothing.
func (s Spec) Wrong(t *testing.T, build func() *http.Request, spoil map[string]func(*http.Request)) {
	t.Helper()
	if err := s.Validate(build()); err != nil {
		t.Errorf("our request does not fit the carrier's specification: %v", err)
	}
	for name, f := range spoil {
		r := build()
		f(r)
		if err := s.Validate(r); err == nil {
			t.Errorf("%s: %s %s passes", name, r.Method, r.URL)
		}
	}
}
