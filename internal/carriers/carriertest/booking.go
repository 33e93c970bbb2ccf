package carriertest

import (
	"cmp"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/order"
)

// Job is what a carrier is asked to make in tests: a box of 1.2 kg between two
// places in one country, which is its own.
func Job(a carriers.Adapter, api carriers.API, kind order.BookingKind) carriers.Job {
	account := Account(a, api)
	account.Number = cmp.Or(map[string]string{"fedex": "123456789", "usps": "12345678/123456789/987654321/1000000000"}[a.Name()], "A1B2C3")
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		panic(err)
	}
	day := time.Date(2026, 3, 9, 9, 0, 0, 0, berlin)
	j := carriers.Job{
		Question: carriers.Question{Account: account, ID: "0123456789ABCDEF0123456789", Token: "the-token"}, Kind: kind, Reference: "WBABCDEFGHIJKLMNOPQR",
		From:   carriers.Party{Destination: carriers.Destination{Name: "Zephyrine Lee", Street: "Larchwood Crescent 77", City: "Leipzig", PostalCode: "04109", Country: "DE"}, Phone: "+4934112345"},
		To:     carriers.Party{Destination: carriers.Destination{Name: "Acme Returns", Street: "Dock 3, Hafenstrasse 9", City: "Hamburg", PostalCode: "20457", Country: "DE"}, Phone: "+494012345"},
		Weight: 1200, Length: 300, Width: 200, Height: 120,
		Now: day.Add(-18 * time.Hour), Earliest: day, Latest: day.Add(8 * time.Hour), Tracking: "1Z999AA10123456784", Label: "shp_0123456789abcdef",
	}
	if a.Name() == "fedex" || a.Name() == "usps" {
		return American(j)
	}
	return j
}

// American moves a job into the United States.
func American(j carriers.Job) carriers.Job {
	j.From.City, j.From.Region, j.From.PostalCode, j.From.Country, j.From.Phone = "Springfield", "IL", "62701", "US", "+12175550143"
	j.To.City, j.To.Region, j.To.PostalCode, j.To.Country, j.To.Phone = "Chicago", "IL", "60601-1234", "US", "+13125550143"
	return j
}

// Making is the request that makes it, after the carrier said that, or the test ends.
func Making(t *testing.T, api carriers.API, j carriers.Job, said ...string) *http.Request {
	t.Helper()
	turn, err := api.Book(j, raw(said))
	if err != nil || !turn.Makes {
		t.Fatalf("%+v %v", turn, err)
	}
	return turn.Request
}

// Sought is the request that looks for what may have been made, after the carrier
// said that, or the test ends.
func Sought(t *testing.T, api carriers.API, j carriers.Job, handle string, said ...string) *http.Request {
	t.Helper()
	turn, err := api.Find(j, handle, raw(said))
	if err != nil || turn.Makes {
		t.Fatalf("%+v %v", turn, err)
	}
	return turn.Request
}

// Unwanted is a job that a carrier made and is to take back, under a name like its own.
func Unwanted(a carriers.Adapter, api carriers.API, kind order.BookingKind) carriers.Job {
	j := Job(a, api, kind)
	j.Label = map[string]string{
		"ups label": "1Z999AA10123456784", "ups pickup": "2929602E9CP", "fedex label": "794953535000", "fedex pickup": "CPU16200910", "usps label": "9302010000000000000001",
		"easypost label": "shp_0123456789abcdef", "easypost pickup": "pickup_0123456789abcdef", "dhl pickup": "PRG999126012345",
	}[a.Name()+" "+string(kind)]
	return j
}

// Voiding is the request that takes it back, after the carrier said that, or the test
// ends.
func Voiding(t *testing.T, api carriers.API, j carriers.Job, said ...string) *http.Request {
	t.Helper()
	turn, err := api.Void(j, raw(said))
	if err != nil || turn.Makes || turn.Request == nil {
		t.Fatalf("%+v %v", turn, err)
	}
	return turn.Request
}

// Voided says what comes of those answers: that it is void, the carrier's no, or that
// they say nothing.
func Voided(t *testing.T, api carriers.API, j carriers.Job, said ...string) string {
	t.Helper()
	turn, err := api.Void(j, raw(said))
	switch {
	case turn.Request != nil:
		t.Fatalf("%+v is to follow", turn)
	case errors.Is(err, carriers.ErrMalformed):
		return "malformed"
	case err != nil:
		return err.Error()
	}
	return "void"
}

func raw(said []string) [][]byte {
	list := make([][]byte, len(said))
	for i := range said {
		list[i] = []byte(said[i])
	}
	return list
}

// secretive are words of a job that no error may show.
var secretive = []string{"Zephyrine", "Larchwood", "Leipzig", "Hafenstrasse", "Springfield", "the-key", "the-secret", "the-token", "4934112345", "2175550143"}

// booking: what an interface says that it makes it makes, by requests that go to the
// carrier and to nobody else; and whatever is answered, what comes out is bounded,
// is no label that is none, and shows nobody's address.
func booking(t *testing.T, a carriers.Adapter, api carriers.API) {
	if (api.Book != nil) != (len(api.Books) > 0) || api.Find != nil && api.Book == nil {
		t.Errorf("%s: something to book without requests, or the other way round", api.Name)
	}
	if api.Book == nil {
		return
	}
	for _, kind := range []order.BookingKind{order.BookLabel, order.BookPickup, "carpet"} {
		good := Job(a, api, kind)
		turn, err := api.Book(good, nil)
		if !slices.Contains(api.Books, kind) {
			if err == nil {
				t.Errorf("%s: a %s is built, though it is not made", api.Name, kind)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s %s: %v", api.Name, kind, err)
			continue
		}
		addressed(t, api, turn.Request)
		for name, spoil := range map[string]func(*carriers.Job){
			"no street":          func(j *carriers.Job) { j.From.Street = "" },
			"no city":            func(j *carriers.Job) { j.To.City = "" },
			"no country":         func(j *carriers.Job) { j.From.Country = "" },
			"no name":            func(j *carriers.Job) { j.From.Name = "" },
			"no weight":          func(j *carriers.Job) { j.Weight = 0 },
			"no reference":       func(j *carriers.Job) { j.Reference = "" },
			"across a border":    func(j *carriers.Job) { j.From.Country = "CH" },
			"an endless street":  func(j *carriers.Job) { j.From.Street = strings.Repeat("x", 5000) },
			"two days of pickup": func(j *carriers.Job) { j.Kind, j.Latest = order.BookPickup, j.Latest.Add(24*time.Hour) },
		} {
			j := good
			spoil(&j)
			turn, err := api.Book(j, nil)
			if err == nil && !(name == "an endless street" && a.Name() == "easypost") {
				t.Errorf("%s %s, %s: %s is built", api.Name, kind, name, turn.Request.URL)
			}
			silent(t, api.Name+" "+name, err)
		}
		html := base64.StdEncoding.EncodeToString([]byte("<html><script>alert(1)</script>"))
		for name, bad := range map[string]string{
			"empty": "", "null": "null", "text": "hello", "list": "[]", "object": "{}", "html": "<html>502</html>", "deep": strings.Repeat(`{"a":`, 20_000), "not utf-8": "\xff\xfe{}",
			"an echo": `{"message":"Zephyrine Lee, Larchwood Crescent 77","error":{"code":"X"}}`,
			"a label of something else": `{"shipmentTrackingNumber":"9356579890","documents":[{"typeCode":"label","content":"` + html + `"}],"dispatchConfirmationNumbers":["P1"],"id":"shp_1",
				"ShipmentResponse":{"ShipmentResults":{"PackageResults":{"TrackingNumber":"1Z999AA10123456784","ShippingLabel":{"GraphicImage":"` + html + `"}}}},"PickupCreationResponse":{"PRN":"P1"},
				"output":{"transactionShipments":[{"masterTrackingNumber":"794953535000","pieceResponses":[{"packageDocuments":[{"contentType":"LABEL","encodedLabel":"` + html + `"}]}]}],"pickupConfirmationCode":"P1"},
				"paymentAuthorizationToken":"t","trackingNumber":"9302010000000000000001","returnLabelImage":"` + html + `","confirmationNumber":"P1"}`,
			"a number that is a path": `{"shipmentTrackingNumber":"../../admin","id":"../../admin","ShipmentResponse":{"ShipmentResults":{"PackageResults":{"TrackingNumber":"../../admin"}}},
				"output":{"transactionShipments":[{"pieceResponses":[{"trackingNumber":"../../admin"}]}],"completeTrackResults":[{"trackResults":[{"trackingNumberInfo":{"trackingNumber":"../../admin"}}]}]},
				"paymentAuthorizationToken":"t","trackingNumber":"../../admin"}`,
		} {
			for what, next := range map[string]func([][]byte) (carriers.Turn, error){
				"book": func(said [][]byte) (carriers.Turn, error) { return api.Book(good, said) },
				"find": func(said [][]byte) (carriers.Turn, error) {
					if api.Find == nil {
						return carriers.Turn{}, nil
					}
					return api.Find(good, "shp_0123456789abcdef", said)
				},
			} {
				said := [][]byte{[]byte(bad)}
				for range 4 {
					turn, err := next(said)
					silent(t, api.Name+" "+what+" "+name, err)
					if err != nil {
						break
					}
					m := turn.Made
					if m.Label.Type != "" && http.DetectContentType(m.Label.Body) == "text/html; charset=utf-8" || len(m.Tracking) > 80 || len(m.Reference) > 100 || m.Amount < 0 ||
						m.Tracking != "" && !carriers.IsNumber(m.Tracking) {
						t.Errorf("%s %s %s, %s: %+v", api.Name, what, kind, name, m)
					}
					if turn.Request == nil {
						break
					}
					addressed(t, api, turn.Request)
					said = append(said, []byte(bad))
				}
			}
		}
	}
}

// voiding: what an interface says that it takes back it takes back, by requests that
// go to the carrier, and only what it made itself.
func voiding(t *testing.T, a carriers.Adapter, api carriers.API) {
	if (api.Void != nil) != (len(api.Voids) > 0) {
		t.Errorf("%s: something to void without requests, or the other way round", api.Name)
	}
	if api.Void == nil {
		return
	}
	for _, kind := range []order.BookingKind{order.BookLabel, order.BookPickup, "carpet"} {
		good := Unwanted(a, api, kind)
		turn, err := api.Void(good, nil)
		if !slices.Contains(api.Voids, kind) {
			if err == nil {
				t.Errorf("%s: the voiding of a %s is built, though it is not done", api.Name, kind)
			}
			continue
		}
		if err != nil || !slices.Contains(api.Books, kind) {
			t.Errorf("%s %s: %v", api.Name, kind, err)
			continue
		}
		addressed(t, api, turn.Request)
		for _, name := range []string{"", "a\r\nHost: b", strings.Repeat("x", 200)} {
			bad := good
			bad.Label = name
			if turn, err := api.Void(bad, nil); err == nil {
				t.Errorf("%s %s: %q is asked for at %s", api.Name, kind, name, turn.Request.URL)
			}
		}
		path := good
		path.Label = "../../admin"
		if turn, err := api.Void(path, nil); err == nil && strings.Contains(turn.Request.URL.EscapedPath(), "..") && !strings.Contains(turn.Request.URL.EscapedPath(), "..%2F") {
			t.Errorf("%s %s: a name goes to %s", api.Name, kind, turn.Request.URL)
		}
		for _, bad := range []string{"", "null", "hello", "[]", "{}", "<html>502</html>", strings.Repeat(`{"a":`, 20_000), `{"status":"Zephyrine Lee, Larchwood Crescent 77, who does not live there any more"}`} {
			_, err := api.Void(good, [][]byte{[]byte(bad)})
			silent(t, api.Name+" void", err)
			if err == nil && a.Name() != "dhl" { // which answers with its status only
				t.Errorf("%s %s: %.20q says that it is void", api.Name, kind, bad)
			}
		}
	}
}

// addressed: the request goes to the carrier, and its address holds no secret and
// nobody's name.
func addressed(t *testing.T, api carriers.API, r *http.Request) {
	t.Helper()
	if r == nil {
		t.Errorf("%s: no request", api.Name)
		return
	}
	u := r.URL.String()
	if !strings.HasPrefix(u, api.BaseURL+"/") {
		t.Errorf("%s: a request goes to %s", api.Name, u)
	}
	for _, w := range secretive {
		if strings.Contains(u, w) {
			t.Errorf("%s: %q stands in the address %s", api.Name, w, u)
		}
	}
	if r.Body != nil {
		if b, err := io.ReadAll(r.Body); err != nil || len(b) > 16<<10 {
			t.Errorf("%s: a body of %d bytes, %v", api.Name, len(b), err)
		}
	}
}

// silent: an error shows no secret and nobody's address.
func silent(t *testing.T, what string, err error) {
	t.Helper()
	if err == nil {
		return
	}
	for _, w := range secretive {
		if strings.Contains(err.Error(), w) {
			t.Errorf("%s: the error shows %q: %v", what, w, err)
		}
	}
	if len(err.Error()) > 300 && !errors.Is(err, carriers.ErrMalformed) {
		t.Errorf("%s: an error of %d bytes", what, len(err.Error()))
	}
}
