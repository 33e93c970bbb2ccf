package templates

import "time"

// Sample is a made-up content from which every kind can be written: for tests, and
// for looking at messages.
func Sample(kind Kind, language string) Content {
	at := func(day, hour, min int) time.Time { return time.Date(2026, 11, day, hour, min, 0, 0, time.UTC) }
	c := Content{
		Language: language, Zone: sampleZone(),
		Brand: Brand{Name: "Lumen Lights", Colour: "#0b6e4f", Support: "help@lumen.example"},
		Order: "L-10482", FirstName: "Anna", URL: "https://wb.example/t/7Hq2mX", UnsubscribeURL: "https://wb.example/u/7Hq2mX",
		Parcels: []Parcel{{Carrier: "DHL", Tracking: "00340434292135100186", Items: []Item{{"Desk lamp Nova, brass", 1}, {"LED bulb E27, warm white", 4}}}},
		Total:   Money{123450, "EUR"}, Amount: Money{8990, "EUR"},
		At: at(24, 13, 5), Arrives: Window{at(26, 13, 0), at(26, 17, 0)}, Until: at(30, 17, 0),
		Reason: "recipient_unavailable", Place: Place{"Kiosk am Markt", "Marktstraße 5, 50667 Köln"}, Left: "Garage", ProofURL: "https://wb.example/p/7Hq2mX", Code: "4821",
	}
	c.Items = c.Parcels[0].Items
	choice := func(kinds ...ChoiceKind) {
		for _, k := range kinds {
			c.Choices = append(c.Choices, Choice{k, "https://wb.example/b/lumen:L-10482/7Hq2mX/" + string(k)})
		}
	}
	switch kind {
	case OutForDelivery:
		c.At, c.Arrives = at(26, 6, 40), Window{at(26, 13, 0), at(26, 17, 0)}
	case Shipped:
		c.Parcels, c.Remaining = append(c.Parcels, Parcel{Carrier: "DHL", Tracking: "00340434292135100193", Items: []Item{{"Floor lamp Arc", 1}}}), 1
		c.Arrives = Window{at(26, 8, 0), at(27, 17, 0)}
	case Delivered:
		choice(NotReceived, SendBack)
	case AttemptFailed:
		c.Arrives = Window{}
		choice(Reschedule, PickupPoint, Neighbour)
	case Delayed:
		c.Reason, c.Arrives = "weather", Window{To: at(28, 17, 0)}
	case AddressProblem:
		choice(CorrectAddress)
	case ReturnSteps:
		c.Code, c.Brand.LogoURL = "", "https://wb.example/logo.png"
		choice(PrintLabel)
	case NotReceivedFollowup:
		choice(FoundIt)
	case Confirmation, ReadyForPickup, RefundReleased:
	}
	return c
}

// SampleAlert is a made-up alert.
func SampleAlert() AlertContent {
	return AlertContent{
		Order: "lumen:10482", Parcel: "1", Case: "attempt_failed", Severity: "urgent", Owner: "support", Assignee: "anna", Why: "attempt 2 failed", Level: 1,
		Opened: time.Date(2026, 11, 24, 13, 5, 0, 0, time.UTC), Due: time.Date(2026, 11, 24, 21, 5, 0, 0, time.UTC), BuyerHears: time.Date(2026, 11, 24, 13, 35, 0, 0, time.UTC),
		Zone: sampleZone(), URL: "https://wb.example/console/orders/lumen:10482",
	}
}

// sampleZone is Berlin's, or at least its winter's where there is no database.
func sampleZone() *time.Location {
	if z, err := time.LoadLocation("Europe/Berlin"); err == nil {
		return z
	}
	return time.FixedZone("CET", 3600)
}
