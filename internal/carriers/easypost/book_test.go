package easypost

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/carriers/carriertest"
	"github.com/waybillhq/waybill/order"
)

func api() carriers.API { return Adapter{}.APIs()[0] }

func job(kind order.BookingKind) carriers.Job { return carriertest.Job(New(), api(), kind) }

const (
	created = `{"id":"shp_1","rates":[{"id":"rate_2","carrier":"UPS","service":"Ground","rate":"9.10","currency":"USD"},{"id":"rate_1","carrier":"USPS","service":"GroundAdvantage","rate":"5.57","currency":"USD"},{"id":"rate_3","carrier":"USPS","service":"Priority","rate":"7.00","currency":"USD"},{"id":"rate_0","carrier":"X","service":"Y","rate":"free","currency":"USD"}]}`
	paid    = `{"id":"shp_1","tracking_code":"9400100000000000000001","selected_rate":{"id":"rate_1","carrier":"USPS","service":"GroundAdvantage","rate":"5.57","currency":"USD"},"postage_label":{"label_url":"https://easypost-files.s3.us-west-2.amazonaws.com/files/postage_label/1.pdf"}}`
	planned = `{"id":"pickup_1","pickup_rates":[{"id":"pickuprate_1","carrier":"UPS","service":"Same-day Pickup","rate":"6.00","currency":"USD"},{"id":"pickuprate_2","carrier":"UPS","service":"Future-day Pickup","rate":"5.00","currency":"USD"}]}`
	coming  = `{"id":"pickup_1","status":"scheduled","confirmation":"WTC123"}`
)

// next is the turn after the carrier said that.
func next(t *testing.T, j carriers.Job, said ...string) carriers.Turn {
	t.Helper()
	raw := make([][]byte, len(said))
	for i := range said {
		raw[i] = []byte(said[i])
	}
	turn, err := api().Book(j, raw)
	if err != nil {
		t.Fatal(err)
	}
	return turn
}

func TestReturnsAreAskedAsEasyPostDescribesThem(t *testing.T) {
	spec := carriertest.ParseSpec(t, carriertest.File(t, "returns.yaml"), nil)
	unmeasured := job(order.BookLabel)
	unmeasured.Length = 0
	nobody := func(r *http.Request) { r.Header.Del("Authorization") }
	for name, j := range map[string]carriers.Job{"label": job(order.BookLabel), "unmeasured": unmeasured} {
		t.Run(name, func(t *testing.T) {
			spec.Wrong(t, func() *http.Request { return next(t, j).Request }, map[string]func(*http.Request){
				"no key":         nobody,
				"no return":      carriertest.Spoil(t, nil, "shipment", "is_return"),
				"no weight":      carriertest.Spoil(t, nil, "shipment", "parcel", "weight"),
				"nobody":         carriertest.Spoil(t, nil, "shipment", "to_address"),
				"no city":        carriertest.Spoil(t, nil, "shipment", "from_address", "city"),
				"in words":       carriertest.Spoil(t, "Germany", "shipment", "to_address", "country"),
				"a field of its": carriertest.Spoil(t, "x", "shipment", "colour"),
			})
		})
	}
	spec.Wrong(t, func() *http.Request { return next(t, job(order.BookLabel), created).Request }, map[string]func(*http.Request){
		"no key": nobody, "no rate": carriertest.Spoil(t, nil, "rate"), "another's": func(r *http.Request) { r.URL.Path = "/v2/shipments/pickup_1/buy" },
	})
	spec.Wrong(t, func() *http.Request { return next(t, job(order.BookPickup)).Request }, map[string]func(*http.Request){
		"no key": nobody, "some day": carriertest.Spoil(t, "tomorrow", "pickup", "min_datetime"), "no parcel": carriertest.Spoil(t, nil, "pickup", "shipment"), "nowhere": carriertest.Spoil(t, nil, "pickup", "address"),
	})
	spec.Wrong(t, func() *http.Request { return next(t, job(order.BookPickup), planned).Request }, map[string]func(*http.Request){
		"no key": nobody, "no service": carriertest.Spoil(t, nil, "service"),
	})
	for kind, handle := range map[order.BookingKind]string{order.BookLabel: "shp_1", order.BookPickup: "pickup_1"} {
		spec.Wrong(t, func() *http.Request { return carriertest.Sought(t, api(), job(kind), handle) }, map[string]func(*http.Request){"no key": nobody, "delete": func(r *http.Request) { r.Method = http.MethodDelete }})
	}
}

func text(t *testing.T, r *http.Request) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestALabelIsMadeInThreeTurns(t *testing.T) {
	j := job(order.BookLabel)
	first := next(t, j)
	if s := text(t, first.Request); first.Makes || !strings.Contains(s, `"to_address":{"city":"Leipzig"`) || !strings.Contains(s, `"from_address":{"city":"Hamburg"`) || !strings.Contains(s, `"weight":42.4`) || !strings.Contains(s, `"length":11.9`) {
		t.Errorf("%+v %s", first, s)
	}
	buys := next(t, j, created)
	if s := text(t, buys.Request); !buys.Makes || buys.Handle != "shp_1" || s != `{"rate":{"id":"rate_1"}}` || buys.Request.URL.Path != "/v2/shipments/shp_1/buy" {
		t.Errorf("%+v %s", buys, s)
	}
	j.Service = "USPS/Priority"
	if s := text(t, next(t, j, created).Request); s != `{"rate":{"id":"rate_3"}}` {
		t.Error(s)
	}
	fetches := next(t, j, created, paid)
	if fetches.Makes || fetches.Request.URL.Host != "easypost-files.s3.us-west-2.amazonaws.com" || fetches.Request.Header.Get("Authorization") != "" || !fetches.Made.Found() {
		t.Errorf("%+v", fetches)
	}
	end := next(t, j, created, paid, "%PDF-1.4 label")
	if m := end.Made; end.Request != nil || m.Carrier != "usps" || m.Tracking != "9400100000000000000001" || m.Reference != "shp_1" || m.Amount != 557 || m.Currency != "USD" || m.Label.Type != "application/pdf" {
		t.Errorf("%+v", end)
	}
	if m := next(t, j, created, paid, "<html>").Made; m.Label.Type != "" || !m.Found() {
		t.Errorf("%+v", m)
	}
}

// A label is fetched from where EasyPost keeps them, and from nowhere else.
func TestLabelsElsewhereAreNotFetched(t *testing.T) {
	for _, elsewhere := range []string{"http://169.254.169.254/latest", "https://evil.example/1.pdf", "https://easypost-files.s3.us-west-2.amazonaws.com.evil.example/", "https://key@easypost-files.s3.us-west-2.amazonaws.com/1.pdf",
		"http://easypost-files.s3.us-west-2.amazonaws.com/1.pdf", "file:///etc/passwd", "//evil.example", "", "%"} {
		turn := next(t, job(order.BookLabel), created, strings.Replace(paid, "https://easypost-files.s3.us-west-2.amazonaws.com/files/postage_label/1.pdf", elsewhere, 1))
		if turn.Request != nil || !turn.Made.Found() {
			t.Errorf("%q: %+v", elsewhere, turn)
		}
	}
}

func TestAPickupIsMadeInTwoTurns(t *testing.T) {
	j := job(order.BookPickup)
	if s := text(t, next(t, j).Request); !strings.Contains(s, `"shipment":{"id":"shp_0123456789abcdef"}`) || !strings.Contains(s, `"min_datetime":"2026-03-09T08:00:00Z"`) {
		t.Error(s)
	}
	buys := next(t, j, planned)
	if s := text(t, buys.Request); !buys.Makes || buys.Handle != "pickup_1" || s != `{"carrier":"UPS","service":"Future-day Pickup"}` {
		t.Errorf("%+v %s", buys, s)
	}
	if end := next(t, j, planned, coming); end.Request != nil || end.Made.Reference != "WTC123" {
		t.Errorf("%+v", end)
	}
	j.Label = ""
	if turn, err := api().Book(j, nil); err == nil || !strings.Contains(err.Error(), "label") {
		t.Errorf("%+v %v", turn, err)
	}
}

func TestWhatEasyPostDoesNotOffer(t *testing.T) {
	j := job(order.BookLabel)
	j.Service = "DHLExpress"
	if turn, err := api().Book(j, [][]byte{[]byte(created)}); err == nil || errors.Is(err, carriers.ErrMalformed) {
		t.Errorf("%+v %v", turn, err)
	}
	for _, said := range []string{`{}`, `{"id":"../../admin"}`, `<html>`} {
		if turn, err := api().Book(job(order.BookLabel), [][]byte{[]byte(said)}); !errors.Is(err, carriers.ErrMalformed) {
			t.Errorf("%s: %+v %v", said, turn, err)
		}
	}
	for _, said := range []string{`{}`, `{"id":"shp_1"}`, `{"id":"shp_1","tracking_code":"9400"}`} {
		if turn, err := api().Book(job(order.BookLabel), [][]byte{[]byte(created), []byte(said)}); !errors.Is(err, carriers.ErrMalformed) {
			t.Errorf("%s: %+v %v", said, turn, err)
		}
	}
}

func TestWhatWasBoughtIsFoundByItsHandle(t *testing.T) {
	found := func(handle, said string) (carriers.Turn, error) {
		return api().Find(job(order.BookLabel), handle, [][]byte{[]byte(said)})
	}
	if turn, err := found("shp_1", paid); err != nil || !turn.Made.Found() || turn.Request == nil {
		t.Errorf("%+v %v", turn, err)
	}
	if turn, err := found("shp_1", created); err != nil || turn.Made.Found() || turn.Request != nil {
		t.Errorf("not bought yet: %+v %v", turn, err)
	}
	if _, err := found("shp_1", `{"id":"shp_2"}`); !errors.Is(err, carriers.ErrMalformed) {
		t.Errorf("another: %v", err)
	}
	for _, handle := range []string{"", "../x", "rate_1"} {
		if _, err := api().Find(job(order.BookLabel), handle, nil); !errors.Is(err, carriers.ErrCannot) {
			t.Errorf("%q: %v", handle, err)
		}
	}
	// Some refusals leave open what the carrier behind EasyPost did.
	for body, want := range map[string]bool{`{"error":{"code":"SHIPMENT.POSTAGE.TIMED_OUT"}}`: true, `{"error":{"code":"SHIPMENT.PURCHASE.IN_PROGRESS"}}`: true, `{"error":{"code":"SHIPMENT.POSTAGE.FAILURE"}}`: false} {
		if got := carriers.LeavesOpen(api(), 422, []byte(body)); got != want {
			t.Errorf("%s: %v", body, got)
		}
	}
}

func FuzzBook(f *testing.F) {
	f.Add([]byte(created), []byte(paid))
	f.Add([]byte(planned), []byte(coming))
	f.Fuzz(func(t *testing.T, one, two []byte) {
		for _, kind := range bookings {
			for _, said := range [][][]byte{{one}, {one, two}, {one, two, one}} {
				turn, err := api().Book(job(kind), said)
				if err == nil && turn.Request != nil && !strings.HasPrefix(turn.Request.URL.String(), "https://api.easypost.com/v2/") && !files.MatchString(turn.Request.URL.Host) {
					t.Errorf("goes to %s", turn.Request.URL)
				}
			}
		}
	})
}
