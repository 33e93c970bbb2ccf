package api

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/labstack/echo/v4"

	"github.com/waybillhq/waybill/order"
)

//go:embed openapi.yaml
var contractYAML []byte

// operation is one operation of the contract, ready to serve.
type operation struct {
	id     string
	method string
	path   string   // as echo writes it: /v1/orders/:id
	scopes []string // of which one is needed; empty: the operation is public
	// itemByItem: the body's items are answered one by one, so the contract
	// must not judge the body as a whole.
	itemByItem bool
	// raw: the body is a carrier's file, which its adapter judges.
	raw      bool
	hasBody  bool
	media    []string // of the body; a handler that takes YAML as well as JSON checks it
	route    *routers.Route
	query    map[string]bool // parameters that exist
	pathOnly bool            // no parameters but those in the path
	good     *goodParams
	// Set by the server:
	limit  int64 // of the body
	handle echo.HandlerFunc
}

// contract is the same for every server of the process.
var contract = sync.OnceValues(func() ([]*operation, error) {
	_, ops, err := loadContract(context.Background())
	return ops, err
})

// loadContract reads the contract and compiles what requests need of it.
func loadContract(ctx context.Context) (*openapi3.T, []*operation, error) {
	doc, err := openapi3.NewLoader().LoadFromData(contractYAML)
	if err != nil {
		return nil, nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	// A test validates the examples as well; here they would double the time to start.
	if err := doc.Validate(ctx, openapi3.DisableExamplesValidation()); err != nil {
		return nil, nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	// kin-openapi compiles a JSON Schema anew for every value of a 3.1 document:
	// 3.3 ms for a small order, against 12 µs with its own validator, which it
	// uses for 3.0. Our schemas keep to what both versions say alike (a test
	// sees to it), so requests are checked under a copy that says 3.0.
	checked := *doc
	checked.OpenAPI = "3.0.3"
	var ops []*operation
	for path, item := range doc.Paths.Map() {
		for method, o := range item.Operations() {
			op := &operation{
				id: o.OperationID, method: method, path: echoPath(path),
				route:   &routers.Route{Spec: &checked, Path: path, PathItem: item, Method: method, Operation: o},
				hasBody: o.RequestBody != nil,
				query:   map[string]bool{},
				good:    &goodParams{},
			}
			op.pathOnly = !slices.ContainsFunc(slices.Concat(item.Parameters, o.Parameters), func(p *openapi3.ParameterRef) bool { return p.Value.In != openapi3.ParameterInPath })
			for _, p := range o.Parameters {
				if p.Value.In == openapi3.ParameterInQuery {
					op.query[p.Value.Name] = true
				}
			}
			if op.hasBody {
				op.media = slices.Sorted(maps.Keys(o.RequestBody.Value.Content))
			}
			op.itemByItem, _ = o.Extensions["x-item-by-item"].(bool)
			op.raw, _ = o.Extensions["x-raw"].(bool)
			for _, scope := range asStrings(o.Extensions["x-scopes"]) {
				if !known(scope) {
					return nil, nil, fmt.Errorf("openapi.yaml: %s: unknown scope %q", op.id, scope)
				}
				op.scopes = append(op.scopes, scope)
			}
			// Deny by default: forgetting the scopes must not open a door.
			if strings.HasPrefix(path, "/v1/") == (len(op.scopes) == 0) {
				return nil, nil, fmt.Errorf("openapi.yaml: %s: x-scopes belong to every path under /v1 and to no other", op.id)
			}
			ops = append(ops, op)
		}
	}
	return doc, ops, nil
}

func asStrings(v any) []string {
	var ss []string
	list, _ := v.([]any)
	for _, x := range list {
		s, _ := x.(string)
		ss = append(ss, s)
	}
	return ss
}

var braces = regexp.MustCompile(`\{([a-z]+)\}`)

func echoPath(path string) string { return braces.ReplaceAllString(path, ":$1") }

// filterOptions: scopes are checked before the body is read, so the filter's own
// security check is switched off. Defaults are ours, not written into bodies.
var filterOptions = func() *openapi3filter.Options {
	o := &openapi3filter.Options{
		MultiError:          true,
		SkipSettingDefaults: true,
		AuthenticationFunc:  openapi3filter.NoopAuthenticationFunc,
		SchemaValidationOptions: []openapi3.SchemaValidationOption{
			openapi3.WithStringFormatValidator("date-time", openapi3.NewCallbackValidator(func(s string) error {
				_, err := parseTime(s)
				return err
			})),
		},
	}
	return o
}()

const (
	bodyKey   = "waybill.body"
	callerKey = "waybill.caller"
)

// validate reads the body and checks the request against the contract.
func (op *operation) validate(c echo.Context) error {
	r := c.Request()
	if r.URL.RawQuery != "" {
		for name := range r.URL.Query() {
			if !op.query[name] {
				return invalid(fieldError{clean(name, 100), "is not a parameter of this operation"})
			}
		}
	}
	if op.hasBody {
		body, err := op.readBody(c)
		if err != nil {
			return err
		}
		c.Set(bodyKey, body)
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	var params map[string]string
	known := ""
	for _, name := range c.ParamNames() {
		v, err := param(c, name)
		if err != nil {
			return err
		}
		if params == nil {
			params = make(map[string]string, len(c.ParamNames()))
		}
		params[name] = v
		known += v + "\x00"
	}
	// A batch has nothing else to check, and its path is nearly always the same.
	plain := op.itemByItem && op.pathOnly && len(known) < 200
	if plain && op.good.has(known) {
		return nil
	}
	options := filterOptions
	if op.itemByItem || op.raw || !op.hasBody || isYAML(r) { // a file is its parser's to judge
		o := *filterOptions
		o.ExcludeRequestBody = true
		options = &o
	}
	err := openapi3filter.ValidateRequest(r.Context(), &openapi3filter.RequestValidationInput{
		Request: r, PathParams: params, Route: op.route, Options: options,
	})
	if plain && err == nil {
		op.good.add(known)
	}
	return fromFilter(err)
}

// goodParams remembers some path parameters that the contract allows.
type goodParams struct {
	mu   sync.RWMutex
	seen map[string]bool
}

const maxGoodParams = 1000

func (g *goodParams) has(params string) bool {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.seen[params]
}

func (g *goodParams) add(params string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.seen == nil || len(g.seen) >= maxGoodParams {
		g.seen = map[string]bool{}
	}
	g.seen[params] = true
}

// readBody reads at most the operation's limit and sees that it is JSON, if it is
// not a carrier's file.
func (op *operation) readBody(c echo.Context) ([]byte, error) {
	r := c.Request()
	if enc := r.Header.Get(echo.HeaderContentEncoding); enc != "" && !strings.EqualFold(enc, "identity") {
		// A few kilobytes can unpack to gigabytes.
		return nil, wrongMedia("Content-Encoding is not accepted: send the body as it is.")
	}
	if r.ContentLength > op.limit {
		return nil, tooLarge(op.limit) // before a byte of it is read
	}
	var read bytes.Buffer
	read.Grow(int(min(max(r.ContentLength, 0), 32<<10)) + bytes.MinRead) // what it says, as far as that may be believed
	_, err := read.ReadFrom(http.MaxBytesReader(c.Response(), r.Body, op.limit))
	body := read.Bytes()
	if err != nil {
		if errors.As(err, new(*http.MaxBytesError)) || errors.Is(r.Context().Err(), context.DeadlineExceeded) {
			return nil, err
		}
		return nil, malformed("The body broke off.")
	}
	if len(body) == 0 {
		return nil, op.missingBody()
	}
	media := mediaOf(r)
	if !slices.Contains(op.media, media) {
		detail := "Content-Type must be " + strings.Join(op.media, " or ") + "."
		if strings.HasSuffix(media, "xml") {
			detail += " XML is not read here."
		}
		return nil, wrongMedia(detail)
	}
	if op.raw {
		return body, nil
	}
	// The filter's decoder would stop after the first value and not say where
	// it stumbled.
	if media != yamlMedia && !json.Valid(body) {
		var whole json.RawMessage
		err := json.Unmarshal(body, &whole)
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return nil, malformed(fmt.Sprintf("The body is not JSON: %s at byte %d.", syntax, syntax.Offset))
		}
		return nil, malformed("The body is not JSON.")
	}
	// encoding/json would quietly replace what is not UTF-8. Batches look at
	// each item for themselves.
	if !op.itemByItem && !utf8.Valid(body) {
		at := 0
		for at < len(body) {
			r, n := utf8.DecodeRune(body[at:])
			if r == utf8.RuneError && n == 1 {
				break
			}
			at += n
		}
		return nil, malformed(fmt.Sprintf("The body is not UTF-8 at byte %d.", at+1))
	}
	return body, nil
}

const yamlMedia = "application/yaml"

// isYAML: the contract has been checked, so the operation takes it.
func isYAML(r *http.Request) bool { return mediaOf(r) == yamlMedia }

func mediaOf(r *http.Request) string {
	media, _, _ := strings.Cut(r.Header.Get(echo.HeaderContentType), ";")
	return strings.ToLower(strings.TrimSpace(media))
}

func (op *operation) missingBody() error {
	if op.route.Operation.RequestBody.Value.Required {
		return malformed("A body is needed.")
	}
	return nil
}

// param is a path parameter as the client meant it: echo leaves the escapes in.
func param(c echo.Context, name string) (string, error) {
	v := c.Param(name)
	if c.Request().URL.RawPath == "" {
		return v, nil
	}
	v, err := url.PathUnescape(v)
	if err != nil {
		return "", notFound("There is no such path.")
	}
	return v, nil
}

// decode reads the validated body into T. The contract has been checked, so
// that what fails here is a number that Go cannot hold, or a drift between the
// contract and T.
func decode[T any](c echo.Context) (T, error) {
	var v T
	return v, decodeInto(c, &v)
}

// decodeInto leaves alone what the body does not name.
func decodeInto(c echo.Context, v any) error {
	body, _ := c.Get(bodyKey).([]byte)
	if len(body) == 0 {
		return nil
	}
	if r := strict(body, v); r != nil {
		return invalid(fieldError{r.Field, r.Reason})
	}
	return nil
}

// strict decodes JSON that is known to be well formed, and refuses fields that
// v does not have.
func strict(body []byte, v any) *order.Refusal {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil {
		return nil
	}
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		want := "another type"
		switch kind.Type.Kind() {
		case reflect.String:
			want = "a string"
		case reflect.Bool:
			want = "true or false"
		case reflect.Int, reflect.Int64:
			want = "a whole number within bounds"
		case reflect.Slice:
			want = "a list"
		case reflect.Struct, reflect.Map:
			want = "an object"
		default:
		}
		return &order.Refusal{Field: kind.Field, Reason: "must be " + want}
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		if unquoted, err := strconv.Unquote(name); err == nil {
			name = unquoted
		}
		return &order.Refusal{Field: clean(name, 100), Reason: "is not a field of this"}
	}
	if strings.HasSuffix(err.Error(), notDuration) {
		return &order.Refusal{Reason: clean(err.Error(), 200)}
	}
	return &order.Refusal{Reason: "cannot be read"}
}

// notDuration is how order.Duration says that it overflows.
const notDuration = "is not a duration like 36h or 90m"

// fromFilter turns what the filter found into fields and reasons.
func fromFilter(err error) error {
	if err == nil {
		return nil
	}
	return invalid(filterErrors(err)...)
}

func filterErrors(err error) []fieldError {
	var many openapi3.MultiError
	var one *openapi3filter.RequestError
	switch {
	case errors.As(err, &one) && !isMulti(err):
		switch {
		case one.Parameter != nil:
			found := schemaErrors(one.Err, one.Parameter.Name)
			if len(found) == 0 {
				found = []fieldError{{one.Parameter.Name, "cannot be read"}}
				if errors.Is(err, openapi3filter.ErrInvalidRequired) {
					found[0].Reason = "is needed"
				}
			}
			return found
		case one.Err != nil:
			if found := schemaErrors(one.Err, ""); len(found) > 0 {
				return found
			}
		}
		return []fieldError{{"", "the body cannot be read"}}
	case errors.As(err, &many):
		var all []fieldError
		for _, e := range many {
			all = append(all, filterErrors(e)...)
		}
		return all
	}
	return []fieldError{{"", "the request does not fit the contract"}}
}

func isMulti(err error) bool { _, ok := err.(openapi3.MultiError); return ok }

// schemaErrors collects the schema errors in err, with at as where they begin.
func schemaErrors(err error, at string) []fieldError {
	switch e := err.(type) {
	case nil:
		return nil
	case openapi3.MultiError:
		var all []fieldError
		for _, inner := range e {
			if len(all) > maxErrors {
				break
			}
			all = append(all, schemaErrors(inner, at)...)
		}
		return all
	case *openapi3.SchemaError:
		field := join(at, e.JSONPointer())
		if m := unsupported.FindStringSubmatch(e.Reason); m != nil {
			name, err := strconv.Unquote(m[1])
			if err != nil {
				name = m[1]
			}
			return []fieldError{{join(field, []string{clean(name, 100)}), "is not a field of this request"}}
		}
		return []fieldError{{field, reason(e)}}
	case *openapi3filter.ParseError:
		return []fieldError{{at, "cannot be read: " + firstOf(e.Reason, "has another type")}}
	case interface{ Unwrap() error }:
		return schemaErrors(e.Unwrap(), at)
	}
	return nil
}

var unsupported = regexp.MustCompile(`^property (".*") is unsupported$`)

// join writes a JSON pointer as people write paths: lines[0].quantity, which is
// also how package order names fields.
func join(at string, pointer []string) string {
	var b strings.Builder
	b.WriteString(at)
	for _, p := range pointer {
		if _, err := strconv.Atoi(p); err == nil && b.Len() > 0 {
			b.WriteString("[" + p + "]")
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(p)
	}
	return b.String()
}

// reason says what is wrong in words that fit behind a field name. It never
// repeats the value: that may be personal data.
func reason(e *openapi3.SchemaError) string {
	s := e.Schema
	switch e.SchemaField {
	case "required":
		return "is needed"
	case "type":
		if s != nil && s.Type != nil {
			return "must be " + article(strings.Join(s.Type.Slice(), " or "))
		}
	case "enum":
		if s != nil {
			var names []string
			for _, v := range s.Enum {
				names = append(names, fmt.Sprint(v))
			}
			return "must be one of " + strings.Join(names, ", ")
		}
	case "minimum":
		return "must be at least " + number(s.Min)
	case "maximum":
		return "must be at most " + number(s.Max)
	case "minLength":
		return fmt.Sprintf("must have at least %d characters", s.MinLength)
	case "maxLength":
		return fmt.Sprintf("must have at most %d characters", *s.MaxLength)
	case "minItems":
		return fmt.Sprintf("must have at least %d items", s.MinItems)
	case "maxItems":
		return fmt.Sprintf("must have at most %d items", *s.MaxItems)
	case "minProperties":
		return "must have a field"
	case "uniqueItems":
		return "must not repeat an item"
	case "pattern":
		return "must match " + s.Pattern
	case "format":
		if s != nil && s.Format == "date-time" {
			return badTime
		}
	case "nullable":
		return "must not be null"
	}
	if e.Reason == "" {
		return "does not fit the contract"
	}
	return e.Reason
}

func article(kind string) string {
	switch kind {
	case "integer":
		return "a whole number"
	case "array":
		return "a list"
	case "object":
		return "an object"
	}
	return "a " + kind
}

func number(f *float64) string { return strconv.FormatFloat(*f, 'f', -1, 64) }

func firstOf(s, or string) string {
	if s == "" {
		return or
	}
	return s
}

const badTime = "must be a time with an offset, like 2026-11-21T08:15:00-05:00"

// timePattern is \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d).
func timePattern(s string) bool {
	const seconds = len("2006-01-02T15:04:05")
	if len(s) <= seconds || !shaped(s[:seconds], "0000-00-00T00:00:00") {
		return false
	}
	s = s[seconds:]
	if s[0] == '.' {
		digits := 1
		for digits < len(s) && among(s[digits], "0") {
			digits++
		}
		if digits < 2 || digits > 10 {
			return false
		}
		s = s[digits:]
	}
	return s == "Z" || shaped(s, "+00:00") || shaped(s, "-00:00")
}

// shaped says whether s is the model with any digits for its zeros.
func shaped(s, model string) bool {
	if len(s) != len(model) {
		return false
	}
	for i := range len(s) {
		if s[i] != model[i] && (model[i] != '0' || !among(s[i], "0")) {
			return false
		}
	}
	return true
}

// parseTime is RFC 3339 to the letter: an offset is needed, and "T" and "Z" are
// capitals. No place on earth is more than 14 hours away from UTC.
func parseTime(s string) (time.Time, error) {
	if !timePattern(s) {
		return time.Time{}, errors.New(badTime)
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}, errors.New(badTime)
	}
	if _, offset := t.Zone(); offset < -14*3600 || offset > 14*3600 {
		return time.Time{}, errors.New("has an offset that no place has")
	}
	return t, nil
}
