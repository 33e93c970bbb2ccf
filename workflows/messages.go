package workflows

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"

	"github.com/waybillhq/waybill/order"
)

// TaskQueue is where orders and their own activities run.
const TaskQueue = "orders"

// ID of the workflow of an order.
func ID(orderID string) string { return "order:" + orderID }

// What facts come under, as updates from the relay and as signals from anybody
// else (docs/adr/0016). All three carry a [Batch]; the name says what is in it,
// for the people who read histories.
const (
	Scans         = "scans"
	CarrierEvents = "carrier_events"
	Facts         = "facts" // both
)

// QueryView answers with an order.View.
const QueryView = "view"

// Updates, each with the request of package order that it carries.
const (
	UpdatePutParcel        = "put_parcel"
	UpdateCancel           = "cancel"
	UpdateHold             = "hold"
	UpdateRelease          = "release"
	UpdateChangePromise    = "change_promise"
	UpdateCorrectAddress   = "correct_address"
	UpdateCorrectMilestone = "correct_milestone"
	UpdateAssignCase       = "assign_case"
	UpdateNoteCase         = "note_case"
	UpdateResolveCase      = "resolve_case"
	UpdateReopenCase       = "reopen_case"
	UpdateExtendWait       = "extend_wait"
	UpdateFireWait         = "fire_wait"
	UpdateNotReceived      = "report_not_received"
	UpdateFoundParcel      = "found_parcel"
	UpdateDecideRemedy     = "decide_remedy"
	UpdateEndRemedy        = "end_remedy"
	UpdateEndInstruction   = "end_instruction"
	UpdateRequestReturn    = "request_return"
	UpdateDecideReturn     = "decide_return"
	UpdateShipReturn       = "ship_return"
	UpdateAskLabel         = "ask_label"
	UpdateAskPickup        = "ask_pickup"
	UpdateEndBooking       = "end_booking"
	UpdateVoidBooking      = "void_booking"
	UpdateInspectReturn    = "inspect_return"
	UpdateDisposeReturn    = "dispose_return"
	UpdateSendReturnBack   = "send_return_back"
	UpdateCancelReturn     = "cancel_return"
	UpdateAdoptPolicy      = "adopt_policy"
	UpdateTakeParcels      = "take_parcels"
	UpdateMergeInto        = "merge_into"
)

// UpdateName is the update that carries a request; "" for what is not one.
func UpdateName(request order.Event) string {
	switch request.(type) {
	case order.PutParcel:
		return UpdatePutParcel
	case order.Cancel:
		return UpdateCancel
	case order.Hold:
		return UpdateHold
	case order.Release:
		return UpdateRelease
	case order.ChangePromise:
		return UpdateChangePromise
	case order.CorrectAddress:
		return UpdateCorrectAddress
	case order.CorrectMilestone:
		return UpdateCorrectMilestone
	case order.AssignCase:
		return UpdateAssignCase
	case order.NoteCase:
		return UpdateNoteCase
	case order.ResolveCase:
		return UpdateResolveCase
	case order.ReopenCase:
		return UpdateReopenCase
	case order.ExtendWait:
		return UpdateExtendWait
	case order.FireWait:
		return UpdateFireWait
	case order.ReportNotReceived:
		return UpdateNotReceived
	case order.FoundParcel:
		return UpdateFoundParcel
	case order.DecideRemedy:
		return UpdateDecideRemedy
	case order.EndRemedy:
		return UpdateEndRemedy
	case order.EndInstruction:
		return UpdateEndInstruction
	case order.RequestReturn:
		return UpdateRequestReturn
	case order.DecideReturn:
		return UpdateDecideReturn
	case order.ShipReturn:
		return UpdateShipReturn
	case order.AskLabel:
		return UpdateAskLabel
	case order.AskPickup:
		return UpdateAskPickup
	case order.EndBooking:
		return UpdateEndBooking
	case order.VoidBooking:
		return UpdateVoidBooking
	case order.InspectReturn:
		return UpdateInspectReturn
	case order.DisposeReturn:
		return UpdateDisposeReturn
	case order.SendReturnBack:
		return UpdateSendReturnBack
	case order.CancelReturn:
		return UpdateCancelReturn
	case order.AdoptPolicy:
		return UpdateAdoptPolicy
	case order.TakeParcels:
		return UpdateTakeParcels
	case order.MergeInto:
		return UpdateMergeInto
	case order.Scan, order.CarrierEvent, order.Unreadable, order.Tick, order.Answered:
	}
	return ""
}

// Input starts an order, carries it on in the next run, or reopens it: exactly one
// of the three is set.
type Input struct {
	Spec  *order.Spec  `json:"spec,omitempty"`
	State *order.State `json:"state,omitempty"`
	// Reopen is the ID of an order that had closed. The run reads its state itself:
	// one that came with the start could be older than what another run has done
	// since, and only one run of an order is open at a time.
	Reopen string `json:"reopen,omitempty"`
	// Rules is the rules number that the first run keeps. 0: the newest that its
	// worker knows, which then costs two events and a write to the visibility store.
	Rules int `json:"rules,omitempty"`
	// MaxEvents is the history length at which the run ends and the next one
	// takes over; 0: DefaultMaxEvents.
	MaxEvents int `json:"max_events,omitempty"`
}

// Batch is the fixed envelope of all facts. Its items stay raw, so that a bad
// one costs itself and not the batch. Version 1.
type Batch struct {
	V     int               `json:"v"`
	Items []json.RawMessage `json:"items"`
}

type item struct {
	Kind string          `json:"kind"`
	Fact json.RawMessage `json:"fact"`
}

// Item packs a fact for a [Batch].
func Item(e order.Event) (json.RawMessage, error) {
	kind := ""
	switch e.(type) {
	case order.Scan:
		kind = "scan"
	case order.CarrierEvent:
		kind = "carrier_event"
	default:
		return nil, fmt.Errorf("%T is not a fact", e)
	}
	fact, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	return json.Marshal(item{kind, fact})
}

// unpack reads a batch. Whatever cannot be read becomes an Unreadable fact: it
// was accepted and must leave a trace.
func unpack(payload []byte) []order.Event {
	var b Batch
	if err := json.Unmarshal(payload, &b); err != nil {
		return []order.Event{order.Unreadable{Why: "batch: " + short(err)}}
	}
	if b.V != 1 {
		return []order.Event{order.Unreadable{Why: fmt.Sprintf("batch version %d", b.V)}}
	}
	events := make([]order.Event, 0, len(b.Items))
	for _, raw := range b.Items {
		events = append(events, unpackItem(raw))
	}
	return events
}

func unpackItem(raw []byte) order.Event {
	var it item
	if err := json.Unmarshal(raw, &it); err != nil {
		return order.Unreadable{Why: "item: " + short(err)}
	}
	switch it.Kind {
	case "scan":
		return decode[order.Scan](it.Fact)
	case "carrier_event":
		return decode[order.CarrierEvent](it.Fact)
	}
	return order.Unreadable{Why: "item: unknown kind " + clip(it.Kind)}
}

func decode[T order.Event](fact []byte) order.Event {
	var e T
	if err := json.Unmarshal(fact, &e); err != nil || bytes.Equal(bytes.TrimSpace(fact), []byte("null")) {
		var m order.Meta
		_ = json.Unmarshal(fact, &m) // its ID and number, if they can be read
		return order.Unreadable{Meta: m, Why: fmt.Sprintf("%T: %s", e, short(err))}
	}
	return e
}

func short(err error) string {
	if err == nil {
		return "empty"
	}
	return clip(err.Error())
}

func clip(s string) string {
	if len(s) > 200 {
		s = s[:200]
	}
	return s
}

// refusalType marks an application error that is a refusal, not a fault.
const refusalType = "Refusal"

// refused turns a refusal, or several joined, into an error that keeps its
// fields on the wire.
func refused(err error) error {
	if err == nil {
		return nil
	}
	var list []order.Refusal
	var walk func(error)
	walk = func(err error) {
		if many, ok := err.(interface{ Unwrap() []error }); ok {
			for _, e := range many.Unwrap() {
				walk(e)
			}
			return
		}
		var r *order.Refusal
		if errors.As(err, &r) {
			list = append(list, *r)
			return
		}
		list = append(list, order.Refusal{Reason: err.Error()})
	}
	walk(err)
	return temporal.NewNonRetryableApplicationError(err.Error(), refusalType, nil, list)
}

// Search attributes. Few, since the visibility store pays for each; none of
// them names a person.
var (
	attrStatus   = temporal.NewSearchAttributeKeyKeyword("OrderStatus")
	attrStore    = temporal.NewSearchAttributeKeyKeyword("OrderStore")
	attrCarriers = temporal.NewSearchAttributeKeyKeywordList("Carriers")
	attrCases    = temporal.NewSearchAttributeKeyKeywordList("OpenCases")
	attrPromised = temporal.NewSearchAttributeKeyTime("PromisedAt")
)

// SearchAttributes that a namespace must have before orders can run in it.
func SearchAttributes() map[string]enumspb.IndexedValueType {
	return map[string]enumspb.IndexedValueType{
		attrStatus.GetName():   attrStatus.GetValueType(),
		attrStore.GetName():    attrStore.GetValueType(),
		attrCarriers.GetName(): attrCarriers.GetValueType(),
		attrCases.GetName():    attrCases.GetValueType(),
		attrPromised.GetName(): attrPromised.GetValueType(),
	}
}
