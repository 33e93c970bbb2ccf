package order

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// FetchProof asks the carrier how it delivered a parcel that is said to be
// missing. Answered by what came. Since instructRules.
const FetchProof CommandKind = "fetch_proof"

// Proof is what the carrier can prove of a delivery. Who signed and the
// documents are personal data: they are kept elsewhere, under Reference.
type Proof struct {
	Command string    `json:"command,omitempty"` // while it is being asked for
	AskedAt time.Time `json:"asked_at"`
	At      time.Time `json:"at,omitzero"` // when it was answered
	// DeliveredTo is a kind: person, neighbour, locker, porch, agent, mailbox.
	DeliveredTo string `json:"delivered_to,omitempty"`
	// Held names what there is: name, signature, photo, document.
	Held      string `json:"held,omitempty"`
	Reference string `json:"reference,omitempty"`
	// Missing is why the carrier was not asked, or did not answer.
	Missing string `json:"missing,omitempty"`
}

// nextSteps say who is to be asked, by what took the parcel.
var nextSteps = []struct{ took, ask string }{
	{"person", "ask the household who took it"},
	{"neighbour", "ask the neighbours"},
	{"locker", "have the locker and its code checked"},
	{"porch", "look at the door, in garage and garden, and ask the neighbours"},
	{"agent", "ask the agent that took it"},
	{"mailbox", "look into the mailbox and the building's parcel room"},
	{"partial", "ask the carrier for the rest of it"},
}

// nextStep is what is to be done about a parcel that was so delivered.
func nextStep(deliveredTo string) string {
	for _, n := range nextSteps {
		if n.took == deliveredTo {
			return n.ask
		}
	}
	return "ask the neighbours, look at the door, and have lockers nearby checked"
}

// askProof has the carrier asked what it can prove of a delivery.
func (s *State) askProof(p *Parcel) {
	if s.Rules < instructRules {
		return
	}
	s.dropProof(p)
	p.Proof = Proof{Command: fmt.Sprintf("proof-%s-%d", p.ID, s.Seq), AskedAt: s.Now}
	s.Pending = append(s.Pending, Command{ID: p.Proof.Command, Kind: FetchProof, Parcel: p.ID, Carrier: p.Carrier, Tracking: p.number(), Since: p.Since})
}

// proved takes in what came, into the case that asked for it.
func (s *State) proved(p *Parcel, e Answered) {
	was := p.Proof
	p.Proof = Proof{AskedAt: was.AskedAt, At: s.Now, DeliveredTo: e.DeliveredTo, Held: e.Held, Reference: e.Reference, Missing: orElse(e.Failed, e.Declined)}
	text := p.Proof.text()
	if c := s.caseOf(NotReceived, p.ID); c != nil {
		c.Text += "; " + text
	}
	s.tell(Happening{Type: ProofFetched, At: s.Now, Parcel: p.ID, Case: NotReceived, Text: text})
}

// Photographed says that we hold a photo of the parcel's delivery.
func (p *Parcel) Photographed() bool {
	return p.Milestone == Delivered && p.Proof.Reference != "" && slices.Contains(strings.Split(p.Proof.Held, ", "), "photo")
}

func (p Proof) text() string {
	text := "no proof of delivery came"
	switch {
	case p.Held != "" && p.Reference != "":
		text = "proof of delivery: " + p.Held + ", kept as " + p.Reference
	case p.Held != "":
		text = "proof of delivery, at the carrier: " + p.Held
	}
	if p.DeliveredTo != "" {
		text += "; it went to: " + p.DeliveredTo
	}
	if p.Missing != "" {
		text += " (" + p.Missing + ")"
	}
	return text + "; next: " + nextStep(p.DeliveredTo)
}

// dropProof takes the question back.
func (s *State) dropProof(p *Parcel) {
	if p.Proof.Command != "" {
		s.withdrawCommand(p.Proof.Command)
		p.Proof.Command = ""
	}
}

// dropProofs takes back every question that no case asks any more.
func (s *State) dropProofs() {
	for i := range s.Parcels {
		if p := &s.Parcels[i]; p.Proof.Command != "" && s.caseOf(NotReceived, p.ID) == nil {
			s.dropProof(p)
		}
	}
}

// proofWait is what a question under way waits for.
func (s *State) proofWait(p *Parcel) Wait {
	pol := s.Spec.Policy.Completed()
	return Wait{Kind: WaitProof, Parcel: p.ID, Case: NotReceived, What: "the carrier's proof of delivery", Since: p.Proof.AskedAt, Until: p.Proof.AskedAt.Add(time.Duration(pol.CarrierAnswer)),
		Rule: "carrier_answer " + pol.CarrierAnswer.String(), Owner: EngineTeam, Then: "the case says that none came", CutShort: "the carrier's answer"}
}
