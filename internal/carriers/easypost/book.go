package easypost

import (
	"errors"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/order"
)

// bookings are what EasyPost makes for returns.
var bookings = []order.BookingKind{order.BookLabel, order.BookPickup}

// unsure are refusals with which EasyPost leaves open what a carrier did.
var unsure = []string{"SHIPMENT.POSTAGE.TIMED_OUT", "SHIPMENT.POSTAGE.NO_RESPONSE", "SHIPMENT.POSTAGE.EXISTS", "SHIPMENT.PURCHASE.IN_PROGRESS"}

// ids are EasyPost's: they go into paths.
var ids = regexp.MustCompile(`^(shp|pickup)_[A-Za-z0-9]{1,60}$`)

// files is where EasyPost keeps labels; nothing is fetched from anywhere else.
var files = regexp.MustCompile(`^easypost-files\.s3[.-][a-z0-9-]+\.amazonaws\.com$`)

// bought is a shipment or a pickup, before it is bought and after.
type bought struct {
	ID       carriers.Text `json:"id"`
	Tracking carriers.Text `json:"tracking_code"`
	Rates    []rate        `json:"rates"`
	Selected *rate         `json:"selected_rate"`
	Label    *struct {
		URL carriers.Text `json:"label_url"`
		PDF carriers.Text `json:"label_pdf_url"`
	} `json:"postage_label"`
	Status       carriers.Text `json:"status"`
	Confirmation carriers.Text `json:"confirmation"`
	PickupRates  []rate        `json:"pickup_rates"`
}

type rate struct {
	ID       carriers.Text `json:"id"`
	Carrier  carriers.Text `json:"carrier"`
	Service  carriers.Text `json:"service"`
	Rate     carriers.Text `json:"rate"`
	Currency carriers.Text `json:"currency"`
}

// book makes a return shipment and buys it, or a pickup. What is made first costs
// nothing and is nothing: only what is bought is.
func book(j carriers.Job, said [][]byte) (t carriers.Turn, err error) {
	if len(said) == 0 {
		return create(j)
	}
	var made bought
	if err := carriers.Decode(said[0], &made); err != nil {
		return t, err
	}
	if !ids.MatchString(string(made.ID)) {
		return t, carriers.Malformed("no id")
	}
	if len(said) == 1 {
		return buy(j, made)
	}
	return after(j, said[1:])
}

func create(j carriers.Job) (t carriers.Turn, err error) {
	if err := j.Check(bookings); err != nil {
		return t, err
	}
	path, body := "/v2/shipments", map[string]any{}
	if j.Kind == order.BookPickup {
		if !ids.MatchString(j.Label) {
			return t, errors.New("EasyPost sends somebody only for what it made the label of")
		}
		path = "/v2/pickups"
		body["pickup"] = map[string]any{"address": address(j.From), "shipment": map[string]string{"id": j.Label}, "reference": j.Reference, "is_account_address": false,
			"min_datetime": j.Earliest.UTC().Format("2006-01-02T15:04:05Z"), "max_datetime": j.Latest.UTC().Format("2006-01-02T15:04:05Z")}
	} else {
		parcel := map[string]float64{"weight": math.Ceil(float64(j.Weight)/28.349523125*10) / 10} // ounces
		if l, w, h, known := j.Centimetres(); known {
			parcel["length"], parcel["width"], parcel["height"] = inches(l), inches(w), inches(h)
		}
		// The addresses are those of the way out: EasyPost turns them round itself.
		body["shipment"] = map[string]any{"to_address": address(j.From), "from_address": address(j.To), "parcel": parcel, "is_return": true, "reference": j.Reference,
			"options": map[string]string{"label_format": "PDF"}}
	}
	if t.Request, err = carriers.Post(j.BaseURL+path, body); err == nil {
		t.Request.SetBasicAuth(string(j.Key), "")
	}
	return t, err
}

func inches(cm float64) float64 { return math.Ceil(cm/2.54*10) / 10 }

func address(p carriers.Party) map[string]string {
	a := map[string]string{"name": p.Name, "street1": p.Street, "city": p.City, "country": p.Country}
	for field, text := range map[string]string{"state": p.Region, "zip": p.PostalCode, "phone": p.Phone} {
		if text != "" {
			a[field] = text
		}
	}
	return a
}

// buy chooses the cheapest rate, of the carrier, or carrier/service, that the
// credential names.
func buy(j carriers.Job, made bought) (t carriers.Turn, err error) {
	rates, path := made.Rates, "/v2/shipments/"
	if j.Kind == order.BookPickup {
		rates, path = made.PickupRates, "/v2/pickups/"
	}
	carrier, service, _ := strings.Cut(j.Service, "/")
	var best *rate
	least := int64(0)
	for i := range rates {
		r := &rates[i]
		cost, ok := carriers.Minor(string(r.Rate), string(r.Currency))
		wanted := (carrier == "" || carrier == string(r.Carrier)) && (service == "" || j.Kind == order.BookPickup || service == string(r.Service))
		if ok && wanted && r.ID != "" && (best == nil || cost < least) {
			best, least = r, cost
		}
	}
	if best == nil {
		return t, errors.New("EasyPost offers no rate for it")
	}
	body := map[string]any{"rate": map[string]string{"id": string(best.ID)}}
	if j.Kind == order.BookPickup {
		body = map[string]any{"carrier": string(best.Carrier), "service": string(best.Service)}
	}
	t.Makes, t.Handle = true, string(made.ID)
	if t.Request, err = carriers.Post(j.BaseURL+path+string(made.ID)+"/buy", body); err == nil {
		t.Request.SetBasicAuth(string(j.Key), "")
	}
	return t, err
}

// after reads what was bought, and then its label.
func after(j carriers.Job, said [][]byte) (t carriers.Turn, err error) {
	var b bought
	if err := carriers.Decode(said[0], &b); err != nil {
		return t, err
	}
	if t.Made, err = b.made(j.Kind); err != nil || j.Kind == order.BookPickup {
		return t, err
	}
	if len(said) > 1 {
		t.Made.Label, _ = carriers.ReadLabel(said[1])
		return t, nil
	}
	t.Request = fetch(j, carriers.First(b.Label.PDF, b.Label.URL))
	return t, nil
}

func (b *bought) made(kind order.BookingKind) (m carriers.Made, err error) {
	if !ids.MatchString(string(b.ID)) {
		return m, carriers.Malformed("no id")
	}
	if kind == order.BookPickup {
		if b.Status != "scheduled" || b.Confirmation.Clean(40) == "" {
			return m, carriers.Malformed("no confirmation")
		}
		return carriers.Made{Reference: b.Confirmation.Clean(40)}, nil
	}
	if b.Label == nil || !carriers.IsNumber(string(b.Tracking)) {
		return m, carriers.Malformed("no tracking_code, or no postage_label")
	}
	m = carriers.Made{Carrier: "easypost", Tracking: string(b.Tracking), Reference: string(b.ID)}
	if s := b.Selected; s != nil {
		for ours, theirs := range names {
			if theirs == string(s.Carrier) {
				m.Carrier = ours
			}
		}
		if amount, ok := carriers.Minor(string(s.Rate), string(s.Currency)); ok {
			m.Amount, m.Currency = amount, string(s.Currency)
		}
	}
	return m, nil
}

// fetch asks for the label where EasyPost keeps it, without the key; nil if it is
// said to lie elsewhere.
func fetch(j carriers.Job, address carriers.Text) *http.Request {
	u, err := url.Parse(string(address))
	base, _ := url.Parse(j.BaseURL)
	if err != nil || u.User != nil || !(u.Scheme == "https" && files.MatchString(u.Host) || base != nil && u.Scheme == base.Scheme && u.Host == base.Host) {
		return nil
	}
	r, err := carriers.Get(u.String())
	if err != nil {
		return nil
	}
	r.Header.Set("Accept", "*/*")
	return r
}

// find looks at what was to be bought. One that is not bought yet may be by the time
// that the carrier has answered EasyPost, so it says nothing.
func find(j carriers.Job, handle string, said [][]byte) (t carriers.Turn, err error) {
	if !ids.MatchString(handle) {
		return t, carriers.ErrCannot
	}
	path := "/v2/shipments/"
	if j.Kind == order.BookPickup {
		path = "/v2/pickups/"
	}
	if len(said) == 0 {
		if t.Request, err = carriers.Get(j.BaseURL + path + handle); err == nil {
			t.Request.SetBasicAuth(string(j.Key), "")
		}
		return t, err
	}
	var b bought
	if err := carriers.Decode(said[0], &b); err != nil {
		return t, err
	}
	if _, err := b.made(j.Kind); err != nil {
		if string(b.ID) != handle {
			return t, err
		}
		return t, nil
	}
	return after(j, said)
}
