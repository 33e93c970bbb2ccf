package templates

import (
	"time"

	"github.com/waybillhq/waybill/internal/speech"
)

// data is the schema.org description that mail programs read: Order and
// ParcelDelivery. It holds no name and no address of the buyer's.
func (w *writer) data() []any {
	merchant := map[string]any{"@type": "Organization", "name": w.known["shop"]}
	order := map[string]any{"@type": "Order", "orderNumber": w.known["order"], "merchant": merchant}
	const context = "https://schema.org"
	if w.kind == Confirmation {
		o := map[string]any{"@context": context, "@type": "Order", "orderNumber": w.known["order"], "merchant": merchant, "orderStatus": context + "/OrderProcessing", "url": w.c.URL}
		if w.known["total"] != "" {
			o["price"], o["priceCurrency"] = speech.Decimal(w.c.Total.Minor, w.c.Total.Currency), w.c.Total.Currency
		}
		var offers []any
		for i, item := range w.c.Items {
			if i == maxItems {
				break
			}
			offers = append(offers, map[string]any{
				"@type":            "Offer",
				"itemOffered":      map[string]any{"@type": "Product", "name": defused(item.Name, 100)},
				"eligibleQuantity": map[string]any{"@type": "QuantitativeValue", "value": item.Quantity},
			})
		}
		o["acceptedOffer"] = offers
		return []any{o}
	}
	switch w.kind {
	case Shipped, OutForDelivery, Delivered, AttemptFailed, Delayed, ReadyForPickup:
	default:
		return nil
	}
	var all []any
	for i, p := range w.c.Parcels {
		if i == maxItems {
			break
		}
		d := map[string]any{"@context": context, "@type": "ParcelDelivery", "partOfOrder": order, "trackingUrl": w.c.URL}
		if name := defused(p.Carrier, 40); name != "" {
			d["provider"] = map[string]any{"@type": "Organization", "name": name}
		}
		if n := defused(p.Tracking, 40); n != "" {
			d["trackingNumber"] = n
		}
		if a := w.c.Arrives; !a.To.IsZero() {
			d["expectedArrivalUntil"] = a.To.Format(time.RFC3339)
			if !a.From.IsZero() {
				d["expectedArrivalFrom"] = a.From.Format(time.RFC3339)
			}
		}
		var shipped []any
		for j, item := range p.Items {
			if j == maxItems {
				break
			}
			shipped = append(shipped, map[string]any{"@type": "Product", "name": defused(item.Name, 100)})
		}
		if shipped != nil {
			d["itemShipped"] = shipped
		}
		all = append(all, d)
	}
	return all
}
