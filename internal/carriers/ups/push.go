package ups

import (
	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/order"
)

// alert is what we read of a Track Alert: one event of one package.
type alert struct {
	Tracking text `json:"trackingNumber"`
	Date     text `json:"localActivityDate"`
	Time     text `json:"localActivityTime"`
	GMTDate  text `json:"gmtActivityDate"`
	GMTTime  text `json:"gmtActivityTime"`
	Offset   text `json:"gmtOffset"`
	Location struct {
		City    text `json:"city"`
		State   text `json:"stateProvince"`
		Postal  text `json:"postalCode"`
		Country text `json:"country"`
	} `json:"activityLocation"`
	Status *struct {
		Type        text `json:"type"`
		Code        text `json:"code"`
		Description text `json:"description"`
		// DescriptionCode is the numeric status code of the Track API (011, 021).
		DescriptionCode text `json:"descriptionCode"`
	} `json:"activityStatus"`
	Scheduled text `json:"scheduledDeliveryDate"`
	End       text `json:"deliveryEndTime"`
	refusals
}

// ParsePush reads a Track Alert.
func (Adapter) ParsePush(body []byte) ([]carriers.Event, error) {
	var a alert
	if err := carriers.Decode(body, &a); err != nil {
		return nil, err
	}
	if err := carriers.Refused("UPS", a.Response.Errors...); err != nil {
		return nil, err
	}
	number := carriers.Number(string(a.Tracking))
	if number == "" || a.Status == nil {
		return nil, carriers.Malformed("no trackingNumber or no activityStatus")
	}
	at, ok := clock{a.Date, a.Time, a.GMTDate, a.GMTTime, a.Offset}.moment(zone(a.Location.Country, a.Location.State, a.Location.Postal))
	if !ok {
		return nil, carriers.Malformed("no readable day of the activity")
	}
	k, reading := read(status{a.Status.Type, a.Status.Code, a.Status.DescriptionCode, a.Status.Description})
	e := carriers.Event{
		Tracking: number, Piece: number, Table: k.table, Code: k.code, Reading: reading, Moment: at,
		Description: a.Status.Description.Clean(500),
		Location:    place(a.Location.City, a.Location.State, a.Location.Postal, a.Location.Country),
		Correction:  corrections[k],
	}
	switch {
	case e.Milestone == order.Delivered:
		e.DeliveredTo = leftWith(k)
	case !settled(e.Milestone):
		e.ETA = promised(a.Scheduled, a.End, nil) // the activity's place is not the receiver's
	}
	return []carriers.Event{e}, nil
}
