package order

import (
	"fmt"
	"regexp"
	"slices"
	"time"
)

// Instructions are the decisions that a carrier is told of, since instructRules.
var Instructions = []Resolution{Redeliver, HoldAtLocation, Redirect, ReturnToSender}

// Instructs says whether the decision is carried out by the carrier.
func (r Resolution) Instructs() bool { return slices.Contains(Instructions, r) }

// InstructionState is how far an instruction has come. Nothing is said to be
// arranged before the carrier, or a person who spoke with it, said so.
type InstructionState string

const (
	InstructionTold     InstructionState = "told"      // asked of the carrier, not answered
	InstructionByHand   InstructionState = "by_hand"   // a person has to tell the carrier
	InstructionAccepted InstructionState = "accepted"  // the carrier will do it
	InstructionFailed   InstructionState = "declined"  // it will not be done
	InstructionMoot     InstructionState = "overtaken" // the parcel arrived or turned round before
)

// InstructionStates lists all of them.
var InstructionStates = []InstructionState{InstructionTold, InstructionByHand, InstructionAccepted, InstructionFailed, InstructionMoot}

// Open says that somebody still has to act.
func (i InstructionState) Open() bool { return i == InstructionTold || i == InstructionByHand }

// Instruction is what a carrier is to do with a parcel that it holds. It names
// an address by its version only.
type Instruction struct {
	ID     string     `json:"id"`   // also the ID of the command
	Kind   Resolution `json:"kind"` // one of Instructions
	Parcel string     `json:"parcel"`
	// Day of another attempt; Point is the carrier's own ID of a pickup point,
	// empty: the carrier chooses; AddressVersion is where to.
	Day            time.Time `json:"day,omitzero"`
	Point          string    `json:"point,omitempty"`
	AddressVersion int       `json:"address_version,omitempty"`
	// Case is the ID of the case that it resolves. Attempts is how many had
	// failed when it was given.
	Case     string           `json:"case,omitempty"`
	Attempts int              `json:"attempts,omitempty"`
	State    InstructionState `json:"state"`
	AskedAt  time.Time        `json:"asked_at"`
	AskedBy  string           `json:"asked_by,omitempty"` // empty: the policy
	HandAt   time.Time        `json:"hand_at,omitzero"`   // since when a person has to tell the carrier
	EndedAt  time.Time        `json:"ended_at,omitzero"`
	// Reference is the carrier's own name for what it will do.
	Reference string `json:"reference,omitempty"`
	// Reason is why it was given, and then why it ended as it did.
	Reason string `json:"reason,omitempty"`
}

const maxInstructions = 100

// EndInstruction records what came of an instruction that a person told the
// carrier. What could not be done brings its case back.
type EndInstruction struct {
	Meta
	Instruction string `json:"instruction"`
	Done        bool   `json:"done"`
	Reference   string `json:"reference,omitempty"`
}

func (EndInstruction) event() {}

// InstructCarrier tells the carrier. Its ID is the instruction's. Answered by
// what the carrier said.
const InstructCarrier CommandKind = "instruct_carrier"

// pointPattern bounds a carrier's ID of a pickup point: it goes into requests.
var pointPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$`)

// Instruction finds an instruction by its ID.
func (s *State) Instruction(id string) (Instruction, bool) {
	if i := s.instructionByID(id); i != nil {
		return *i, true
	}
	return Instruction{}, false
}

func (s *State) instructionByID(id string) *Instruction {
	for i := range s.Instructions {
		if s.Instructions[i].ID == id {
			return &s.Instructions[i]
		}
	}
	return nil
}

// openInstruction is the one that is under way for a parcel; a carrier is told
// one thing at a time.
func (s *State) openInstruction(parcel string) *Instruction {
	for i := range s.Instructions {
		if s.Instructions[i].Parcel == parcel && s.Instructions[i].State.Open() {
			return &s.Instructions[i]
		}
	}
	return nil
}

// carried says that a carrier has the parcel on its way to the buyer.
func (p *Parcel) carried() bool {
	return !p.inbound() && p.Milestone.Stage() > Preparing && p.Milestone.Stage() < Arrived && !p.Milestone.Settled()
}

// number is what the carrier knows the parcel by.
func (p *Parcel) number() string { return orElse(p.Tracking, p.Master) }

// redirectable says whether a corrected address can still reach a parcel: a
// carrier has it, and an open case lets somebody tell the carrier.
func (s *State) redirectable() bool {
	return s.Rules >= instructRules && slices.ContainsFunc(s.Cases, func(c Case) bool {
		d, _ := LookupCase(c.Kind)
		p := s.ParcelByID(c.Parcel)
		return slices.Contains(d.Resolutions, Redirect) && p != nil && p.carried() && p.number() != ""
	})
}

// checkInstruct says why a carrier cannot be told to do something with a parcel.
func (s *State) checkInstruct(kind Resolution, p *Parcel) error {
	switch {
	case s.Rules < instructRules:
		return refuse("resolution", "the order follows older rules until its next run: tell the carrier, and say that something is arranged")
	case p == nil:
		return refuse("resolution", "the case is about no parcel")
	case p.inbound():
		return refuse("resolution", "%s is the parcel of return %s", p.ID, p.Return)
	case p.Milestone.Settled(), p.Milestone.Stage() >= Arrived:
		return refuse("resolution", "parcel %s is %s since %s", p.ID, p.Milestone, day(p.Since))
	case !p.carried():
		return refuse("resolution", "the carrier does not have parcel %s: it is %s", p.ID, p.Milestone)
	case p.number() == "":
		return refuse("resolution", "parcel %s has no number that the carrier would know it by", p.ID)
	case kind == Redirect && !s.AddressedAt.After(latest(p.LabelAt, p.ReachedAt(Labelled))):
		return refuse("resolution", "the address has not been corrected since parcel %s was labelled: correct it first", p.ID)
	case len(s.Instructions) >= maxInstructions:
		return refuse("resolution", "the order has given %d instructions already", maxInstructions)
	}
	if i := s.openInstruction(p.ID); i != nil {
		return refuse("resolution", "the carrier is being told something else since %s: %s", day(i.AskedAt), i.Kind)
	}
	return nil
}

// instruct gives an instruction that Check, or checkInstruct, allows.
func (s *State) instruct(i Instruction, p *Parcel, m Meta) {
	i.ID, i.Parcel, i.Attempts = fmt.Sprintf("%s-%s-%d", i.Kind, p.ID, s.Seq), p.ID, len(p.Attempts)
	i.State, i.AskedAt, i.AskedBy, i.Reason = InstructionTold, s.Now, m.Actor, m.Reason
	if i.Kind == Redirect {
		i.AddressVersion = s.AddressVersion
	}
	s.Instructions = append(s.Instructions, i)
	s.tellInstruction(&i, m)
	s.Pending = append(s.Pending, Command{ID: i.ID, Kind: InstructCarrier, Parcel: p.ID, Carrier: p.Carrier, Tracking: p.number(), Since: s.Now})
}

func (s *State) tellInstruction(i *Instruction, m Meta) {
	text := string(i.Kind) + " " + string(i.State)
	if i.Reference != "" {
		text += " (" + i.Reference + ")"
	}
	s.tell(Happening{Type: InstructionChanged, At: s.Now, Parcel: i.Parcel, Actor: m.Actor, Cause: m.ID, Text: text + because(m)})
}

// instructed takes the carrier's answer. What it did not take is a person's to
// arrange: by telephone, in its portal, or otherwise.
func (s *State) instructed(id string, e Answered) {
	i := s.instructionByID(id)
	if i == nil || i.State != InstructionTold {
		return
	}
	switch {
	case e.Declined != "":
		s.byHand(i, "the carrier said no: "+e.Declined)
	case e.Failed != "":
		s.byHand(i, e.Failed)
	default:
		s.endInstruction(i, InstructionAccepted, e.Reference, Meta{By: Engine})
	}
}

func (s *State) byHand(i *Instruction, why string) {
	i.State, i.HandAt, i.Reason = InstructionByHand, s.Now, why
	s.withdrawCommand(i.ID)
	s.tellInstruction(i, Meta{By: Engine, Reason: why})
}

func (s *State) endInstruction(i *Instruction, st InstructionState, reference string, m Meta) {
	i.State, i.EndedAt, i.Reference, i.Reason = st, s.Now, reference, orElse(m.Reason, i.Reason)
	s.withdrawCommand(i.ID)
	s.tellInstruction(i, m)
}

func (s *State) withdrawCommand(id string) {
	s.Pending = slices.DeleteFunc(s.Pending, func(c Command) bool { return c.ID == id })
}

// instructionEnded records what a person who told the carrier was answered.
func (s *State) instructionEnded(e EndInstruction) {
	i := s.instructionByID(e.Instruction)
	if i == nil || i.State != InstructionByHand {
		return
	}
	if e.Done {
		s.endInstruction(i, InstructionAccepted, e.Reference, e.Meta)
		return
	}
	s.endInstruction(i, InstructionFailed, e.Reference, e.Meta)
	if d := slices.IndexFunc(s.Decisions, func(d Decision) bool { return d.Case.ID == i.Case }); d >= 0 {
		c := s.Decisions[d].Case
		s.bringBack(c, e.Meta, c.Text+"; "+string(i.Kind)+" could not be done"+because(e.Meta))
	}
}

// dropInstructions ends those that the parcel was quicker than.
func (s *State) dropInstructions() {
	for n := range s.Instructions {
		i := &s.Instructions[n]
		p := s.ParcelByID(i.Parcel)
		if i.State.Open() && (p == nil || !p.carried()) {
			s.endInstruction(i, InstructionMoot, i.Reference, Meta{By: Engine})
		}
	}
}

// returnAtLimit has a parcel brought back that failed too often, where the
// policy says so and no person has decided about the last attempt.
func (s *State) returnAtLimit(p *Parcel) {
	pol := s.Spec.Policy.Completed()
	n := len(p.Attempts)
	if s.Rules < instructRules || !pol.ReturnAtLimit || n < pol.AttemptLimit || s.decided(FailedAttempt, p.ID, p.Since) || s.checkInstruct(ReturnToSender, p) != nil {
		return
	}
	if slices.ContainsFunc(s.Instructions, func(i Instruction) bool {
		return i.Parcel == p.ID && (i.Attempts >= n || i.Kind == ReturnToSender && i.State == InstructionAccepted)
	}) {
		return
	}
	s.instruct(Instruction{Kind: ReturnToSender}, p, Meta{By: Engine, Reason: fmt.Sprintf("%d attempts failed; return_at_limit", n)})
}

// lastInstruction says what became of what the carrier was told since the last
// attempt, for the case about it.
func (s *State) lastInstruction(p *Parcel) string {
	for _, i := range slices.Backward(s.Instructions) {
		if i.Parcel == p.ID {
			if i.Attempts < len(p.Attempts) {
				break
			}
			return "; " + string(i.Kind) + " " + string(i.State) + because(Meta{Reason: i.Reason})
		}
	}
	return ""
}

// instructionWait is what an open instruction waits for.
func (s *State) instructionWait(i *Instruction) Wait {
	p := s.Spec.Policy.Completed()
	if i.State == InstructionTold {
		return Wait{Kind: WaitInstruction, Parcel: i.Parcel, What: "the carrier's answer to " + string(i.Kind), Since: i.AskedAt, Until: i.AskedAt.Add(time.Duration(p.CarrierAnswer)),
			Rule: "carrier_answer " + p.CarrierAnswer.String(), Owner: EngineTeam, Then: "a person tells the carrier", CutShort: "the carrier's answer"}
	}
	return Wait{Kind: WaitByHand, Parcel: i.Parcel, What: "a person to tell the carrier: " + string(i.Kind) + " (" + i.Reason + ")", Since: i.HandAt, Until: i.HandAt.Add(time.Duration(p.ByHand)),
		Rule: "by_hand " + p.ByHand.String(), Owner: SupportTeam, Then: "an instruction_overdue case is opened", CutShort: "record what the carrier said"}
}

func (s *State) checkEndInstruction(e EndInstruction) error {
	i := s.instructionByID(e.Instruction)
	switch {
	case e.By != Support:
		return refuse("by", "%q may not speak for a carrier", e.By)
	case i == nil:
		return refuse("instruction", "%q is none of this order's", e.Instruction)
	case i.State == InstructionTold:
		return refuse("instruction", "waits for the carrier's own answer first")
	case i.State != InstructionByHand:
		return refuse("instruction", "is %s since %s", i.State, day(i.EndedAt))
	case len(e.Reference) > 100:
		return refuse("reference", "must be at most 100 bytes")
	}
	return needReason(e.Meta)
}
