package app

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/waybillhq/waybill/activities"
	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/carriers/ask"
	"github.com/waybillhq/waybill/internal/store"
	"github.com/waybillhq/waybill/order"
)

// desk tells carriers what to do and asks them for proof. client is nil without
// credentials: then what carriers said by themselves is all that is known.
type desk struct {
	client *ask.Client
	store  *store.Store
}

// Instruct tells the parcel's own carrier. What no adapter can say, or no
// credential is for, is a person's.
func (d desk) Instruct(ctx context.Context, i activities.CarrierInstruction) (a activities.InstructionAnswer, err error) {
	unable := func(why string) (activities.InstructionAnswer, error) {
		return activities.InstructionAnswer{Unable: why}, nil
	}
	if d.client == nil {
		return unable("no carrier can be told anything from here")
	}
	c, ok := d.client.ForInstruction(i.Command.Carrier, i.Instruction.Kind)
	if !ok {
		return unable(strings.TrimSpace(i.Command.Carrier + " cannot be told that from here"))
	}
	task := carriers.Task{Do: i.Instruction.Kind, Point: i.Instruction.Point}
	if !i.Instruction.Day.IsZero() {
		task.Day = i.Instruction.Day.UTC().Format(time.DateOnly)
	}
	if i.Instruction.Kind == order.Redirect {
		to, err := d.store.Address(ctx, i.OrderID, i.Instruction.AddressVersion)
		switch {
		case errors.Is(err, store.ErrNotFound): // erased
			return unable("the address is not there any more")
		case err != nil:
			return a, err
		}
		task.To = carriers.Destination{Name: to.Name, Street: to.Street, City: to.City, PostalCode: to.PostalCode, Region: to.Region, Country: to.Country}
	}
	done, err := d.client.Instruct(ctx, c.Name, carriers.Number(i.Command.Tracking), task)
	if err != nil {
		if why, ends := final(err); ends {
			return unable(why)
		}
		return a, retry(err, time.Now())
	}
	a.Declined, a.Reference = done.Declined, done.Reference
	return a, nil
}

// final says whether asking a carrier again would not help, and why.
func final(err error) (why string, ends bool) {
	var problem *carriers.AskError
	if errors.As(err, &problem) && (problem.Reason == carriers.BadRequest || problem.Reason == carriers.Unauthorized) {
		return problem.Error(), true
	}
	return "", false
}

// Prove fetches the carrier's proof and keeps it under the command's ID. An order
// hears which kinds there are, and what the carrier had said by itself.
func (d desk) Prove(ctx context.Context, q activities.CarrierQuestion) (a activities.ProofAnswer, err error) {
	said, err := d.store.Delivery(ctx, q.OrderID, q.Command.Parcel)
	if err != nil {
		return a, err
	}
	a.DeliveredTo, a.Held = said.DeliveredTo, said.Held
	var c ask.Credential
	ok := false
	if d.client != nil && q.Command.Tracking != "" {
		c, ok = d.client.ForProof(q.Command.Carrier)
	}
	if !ok {
		a.Missing = "the carrier cannot be asked from here"
		return a, nil
	}
	e, err := d.client.Prove(ctx, c.Name, carriers.Number(q.Command.Tracking))
	if why, ends := final(err); ends {
		a.Missing = why
		return a, nil
	}
	if err = retry(err, time.Now()); err != nil { // an unknown number is an answer
		return a, err
	}
	if e.Held() == "" {
		a.Missing = "the carrier has none to show"
		return a, nil
	}
	p := store.Proof{OrderID: q.OrderID, ID: q.Command.ID, Parcel: q.Command.Parcel, Carrier: c.Carrier, SignedBy: e.SignedBy}
	for _, doc := range e.Documents {
		p.Documents = append(p.Documents, store.ProofDocument{Kind: string(doc.Kind), MediaType: doc.Type, Body: doc.Body})
	}
	if err := d.store.SaveProof(ctx, p); err != nil {
		return a, err
	}
	a.Held, a.Proof = e.Held(), p.ID
	return a, nil
}
