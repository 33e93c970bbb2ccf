package usps

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/order"
)

// bookings are what USPS makes for returns.
var bookings = []order.BookingKind{order.BookLabel, order.BookPickup}

// withImages has Labels answer in one JSON document, with the label in it.
const withImages = "application/vnd.usps.labels+json"

// accounts is what account of a credential holds for labels: CRID, MID, MID of the
// manifest and the payment account.
var accounts = regexp.MustCompile(`^([0-9]{2,18})/([0-9]{6}|[0-9]{9})/([0-9]{6}|[0-9]{9})/([0-9]{1,20})$`)

// book has a payment authorized and makes a return label with it, or sends for the
// carrier.
func book(j carriers.Job, said [][]byte) (t carriers.Turn, err error) {
	making := 1 // after the payment
	if j.Kind == order.BookPickup {
		making = 0
	}
	if len(said) > making {
		return j.Answered(said[making], labelled, scheduled)
	}
	if err := j.Check(bookings); err != nil {
		return t, err
	}
	if j.From.Country != "US" || j.To.Country != "US" {
		return t, errors.New("USPS takes returns within the United States only")
	}
	if j.Kind == order.BookPickup {
		body, err := pickup(j)
		if err != nil {
			return t, err
		}
		t.Makes = true
		t.Request, err = post(j, "/pickup/v3/carrier-pickup", body)
		return t, err
	}
	label, err := returnLabel(j) // before anything is spent on it
	if err != nil {
		return t, err
	}
	t.Makes = len(said) == making
	t.Request, err = paid(j, said, "/labels/v3/return-label", label)
	return t, err
}

func post(j carriers.Job, path string, body any) (*http.Request, error) {
	r, err := carriers.Post(j.BaseURL+path, body)
	if err == nil {
		j.Bearer(r)
	}
	return r, err
}

// paid asks Labels under a payment authorization, or for that first.
func paid(j carriers.Job, said [][]byte, path string, body any) (*http.Request, error) {
	if len(said) == 0 {
		return authorization(j)
	}
	token, err := authorized(said[0])
	if err != nil {
		return nil, err
	}
	r, err := post(j, path, body)
	if err == nil {
		r.Header.Set("Accept", withImages)
		r.Header.Set(payingHeader, token)
		r.Header.Set("X-Idempotency-Key", key(j))
	}
	return r, err
}

// payingHeader holds the leave to charge the account.
const payingHeader = "X-Payment-Authorization-Token"

// authorized reads it.
func authorized(body []byte) (string, error) {
	var a struct {
		Token carriers.Secret `json:"paymentAuthorizationToken"`
	}
	if err := carriers.Decode(body, &a); err != nil {
		return "", err
	}
	if a.Token == "" || len(a.Token) > 16<<10 || strings.ContainsFunc(string(a.Token), func(r rune) bool { return r < ' ' || r > '~' }) {
		return "", carriers.Malformed("no paymentAuthorizationToken")
	}
	return string(a.Token), nil
}

// key is our name for the label: USPS makes one under it, and prints that again. It
// looks like the random UUID that USPS wants.
func key(j carriers.Job) string {
	sum := sha256.Sum256([]byte("label " + j.Reference))
	sum[6], sum[8] = sum[6]&0x0f|0x40, sum[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// authorization asks for leave to charge the account.
func authorization(j carriers.Job) (*http.Request, error) {
	of := accounts.FindStringSubmatch(j.Number)
	if of == nil {
		return nil, errors.New("USPS wants to know whom to charge: set account of the credential to CRID/MID/manifest MID/EPS account")
	}
	owner := map[string]string{"roleName": "LABEL_OWNER", "CRID": of[1], "MID": of[2], "manifestMID": of[3]}
	payer := map[string]string{"roleName": "PAYER", "CRID": of[1], "MID": of[2], "manifestMID": of[3], "accountType": "EPS", "accountNumber": of[4]}
	return post(j, "/payments/v3/payment-authorization", map[string]any{"roles": []any{payer, owner}})
}

// Bounds of what is sent as a single piece, in pounds and inches: heavier and larger
// ones have prices of their own. What a machine cannot sort is said to be so.
const (
	maxPounds        = 70
	maxLengthGirth   = 108
	machinablePounds = 25
	machinableLength = 27
	machinableAcross = 17
)

func returnLabel(j carriers.Job) (map[string]any, error) {
	from, err := party("buyer's", j.From)
	if err != nil {
		return nil, err
	}
	to, err := party("returns", j.To)
	if err != nil {
		return nil, err
	}
	if first, last, ok := names(j.From.Name); ok {
		from["firstName"], from["lastName"] = first, last
	} else {
		from["firm"] = carriers.Clean(j.From.Name, 50)
	}
	to["firm"] = carriers.Clean(j.To.Name, 50)
	l, w, h, known := j.Inches()
	if !known {
		return nil, errors.New("USPS wants to know how long, wide and high the box is")
	}
	sides := []float64{l, w, h}
	slices.Sort(sides)
	pounds, sorting := j.Pounds(), "MACHINABLE"
	switch {
	case pounds > maxPounds || sides[2]+2*(sides[0]+sides[1]) > maxLengthGirth:
		return nil, errors.New("USPS takes up to 70 pounds, and 108 inches of length and girth")
	case pounds > machinablePounds || sides[2] > machinableLength || sides[1] > machinableAcross:
		sorting = "NONSTANDARD"
	}
	class := j.Service
	if class == "" {
		class = "USPS_GROUND_ADVANTAGE_RETURN_SERVICE"
	}
	return map[string]any{
		"imageInfo": image("NONE"), "fromAddress": from, "toAddress": to,
		"packageDescription": map[string]any{
			"mailClass": class, "rateIndicator": "SP", "processingCategory": sorting, "weightUOM": "lb", "weight": hundredths(pounds),
			"dimensionsUOM": "in", "length": hundredths(sides[2]), "width": hundredths(sides[1]), "height": hundredths(sides[0]),
			"customerReference": []any{map[string]any{"referenceNumber": j.Reference, "printReferenceNumber": true}},
		},
	}, nil
}

// image is what a label is printed on; receipt is empty where none can be had.
func image(receipt string) map[string]string {
	i := map[string]string{"imageType": "PDF", "labelType": "4X6LABEL"}
	if receipt != "" {
		i["receiptOption"] = receipt
	}
	return i
}

// hundredths are rounded up.
func hundredths(x float64) float64 { return math.Ceil(x*100) / 100 }

var (
	zips   = regexp.MustCompile(`^([0-9]{5})(?:-([0-9]{4}))?$`)
	states = regexp.MustCompile(`^[A-Z]{2}$`)
)

// party is an address as USPS takes it: a street in two lines of 50, a state and a ZIP.
func party(what string, p carriers.Party) (map[string]any, error) {
	lines, ok := carriers.AddressLines(p.Street, 2, 50)
	zip := zips.FindStringSubmatch(p.PostalCode)
	if !ok || len(p.City) > 28 || zip == nil || !states.MatchString(p.Region) {
		return nil, fmt.Errorf("the %s address does not fit: USPS takes two lines of 50 bytes, a city of 28, a state of two letters and a ZIP code", what)
	}
	a := map[string]any{"streetAddress": lines[0], "city": p.City, "state": p.Region, "ZIPCode": zip[1]}
	if len(lines) > 1 {
		a["secondaryAddress"] = lines[1]
	}
	if zip[2] != "" {
		a["ZIPPlus4"] = zip[2]
	}
	return a, nil
}

// names are the first and last ones of a person; ok is false for a single name.
func names(name string) (first, last string, ok bool) {
	words := strings.Fields(name)
	if len(words) < 2 {
		return "", "", false
	}
	n := len(words) - 1
	return carriers.Clean(strings.Join(words[:n], " "), 50), carriers.Clean(words[n], 50), true
}

// pickup sends for the carrier on its daily round: no hours can be named.
func pickup(j carriers.Job) (map[string]any, error) {
	address, err := party("buyer's", j.From)
	if err != nil {
		return nil, err
	}
	first, last, ok := names(j.From.Name)
	switch {
	case !ok:
		return nil, errors.New("USPS wants a first and a last name for a pickup")
	case j.Hook.Email == "" || len(j.Hook.Email) > 50:
		return nil, errors.New("USPS wants an address of up to 50 bytes to write to: set webhook_email of the credential")
	}
	return map[string]any{
		"pickupDate":    j.Earliest.Format(time.DateOnly),
		"pickupAddress": map[string]any{"firstName": first, "lastName": last, "address": address, "contact": []map[string]string{{"email": j.Hook.Email}}},
		"packages":      []any{map[string]any{"packageType": "RETURNS", "packageCount": 1}}, "estimatedWeight": hundredths(j.Pounds()),
		"pickupLocation": map[string]string{"packageLocation": "KNOCK_ON_DOOR"},
	}, nil
}

// metadata is what USPS says of a label. What it costs stands in three places.
type metadata struct {
	Number  text   `json:"trackingNumber"`
	Postage text   `json:"postage"`
	Fees    []cost `json:"fees"`
	Extra   []cost `json:"extraServices"`
}

type cost struct {
	Price text `json:"price"`
}

// labelled reads a new label, and one that is printed again: there the metadata
// stands apart.
func labelled(body []byte) (m carriers.Made, err error) {
	var a struct {
		metadata
		Apart metadata `json:"returnLabelMetadata"`
		Image text     `json:"returnLabelImage"`
	}
	if err := carriers.Decode(body, &a); err != nil {
		return m, err
	}
	of := a.metadata
	if of.Number == "" {
		of = a.Apart
	}
	if !carriers.IsNumber(string(of.Number)) {
		return m, carriers.Malformed("no trackingNumber")
	}
	m = carriers.Made{Tracking: string(of.Number), Reference: string(of.Number)}
	m.Amount, m.Currency = of.costs()
	m.Label, _ = carriers.DecodeLabel(string(a.Image))
	return m, nil
}

// mostCents bounds a price that is believed.
const mostCents = 1_000_000_00

// costs are the sum of all prices, in cents; without a currency if one of them
// cannot be read.
func (d metadata) costs() (sum int64, currency string) {
	for _, c := range slices.Concat([]cost{{d.Postage}}, d.Fees, d.Extra) {
		price, ok := carriers.Minor(string(c.Price), "USD")
		if !ok || price > mostCents {
			return 0, ""
		}
		sum += price
	}
	return sum, "USD"
}

// scheduled reads the answer to a pickup.
func scheduled(body []byte) (m carriers.Made, err error) {
	var a struct {
		Number text `json:"confirmationNumber"`
	}
	if err := carriers.Decode(body, &a); err != nil {
		return m, err
	}
	if m.Reference = a.Number.Clean(40); m.Reference == "" {
		return m, carriers.Malformed("no confirmationNumber")
	}
	return m, nil
}

// find has the label printed again under our name for it. Pickups are known by
// USPS's number only.
func find(j carriers.Job, _ string, said [][]byte) (t carriers.Turn, err error) {
	if j.Kind != order.BookLabel || !accounts.MatchString(j.Number) {
		return t, carriers.ErrCannot
	}
	if len(said) > 1 {
		t.Made, err = labelled(said[1])
		return t, err
	}
	t.Request, err = paid(j, said, "/labels/v3/label-reprint", map[string]any{"imageInfo": image("")})
	return t, err
}
