package activities

import (
	"context"

	"github.com/waybillhq/waybill/order"
)

// CarrierInstruction tells a carrier what to do with a parcel. The address, if it
// is about one, is named by its version only.
type CarrierInstruction struct {
	OrderID     string            `json:"order_id"`
	Command     order.Command     `json:"command"`
	Instruction order.Instruction `json:"instruction"`
}

// InstructionAnswer is what the carrier said: it will, under its own reference, or
// declined. Unable says why it could not be told, and will not be: a person does it.
type InstructionAnswer struct {
	RemedyAnswer
	Unable string `json:"unable,omitempty"`
}

// ProofAnswer is what proves a delivery, without who signed: that and the
// documents are kept under Proof. Missing says why there is none, or not more.
type ProofAnswer struct {
	DeliveredTo string `json:"delivered_to,omitempty"`
	Held        string `json:"held,omitempty"`
	Proof       string `json:"proof,omitempty"`
	Missing     string `json:"missing,omitempty"`
}

// Carriers are told what to do and asked for proof. What is told twice is done
// once: each instruction says what is to be, not what is to be changed.
type Carriers interface {
	Instruct(ctx context.Context, i CarrierInstruction) (InstructionAnswer, error)
	// Prove also knows what the carrier said by itself.
	Prove(ctx context.Context, q CarrierQuestion) (ProofAnswer, error)
}

const noCarriers = "no carrier can be told anything from here"

// InstructCarrier tells the carrier, and waits for its word.
func (a *Activities) InstructCarrier(ctx context.Context, i CarrierInstruction) (InstructionAnswer, error) {
	if a.Carriers == nil {
		return InstructionAnswer{Unable: noCarriers}, nil
	}
	return a.Carriers.Instruct(ctx, i)
}

// FetchProof finds out how a parcel was delivered.
func (a *Activities) FetchProof(ctx context.Context, q CarrierQuestion) (ProofAnswer, error) {
	if a.Carriers == nil {
		return ProofAnswer{Missing: noCarriers}, nil
	}
	return a.Carriers.Prove(ctx, q)
}
