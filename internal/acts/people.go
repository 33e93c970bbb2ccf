package acts

import (
	"fmt"
	"strings"
	"time"

	"github.com/waybillhq/waybill/order"
)

// What people ask about cases, waits and remedies, by whichever way they come:
// the API, a batch of it, or the console. order.Check decides.

// AssignCase gives a case to somebody; nobody: it goes back to its team.
func AssignCase(id, assignee, reason string) Request {
	return Request{Action: "assign_case", Reason: reason, Body: map[string]any{"case": id, "assignee": assignee}, Subject: caseOf(id),
		Event: Plain(func(m order.Meta) order.Event { return order.AssignCase{Meta: m, Case: id, Assignee: assignee} })}
}

// NoteCase writes a note to a case.
func NoteCase(id, text string) Request {
	return Request{Action: "note_case", Body: map[string]any{"case": id, "text": text}, Subject: caseOf(id),
		Event: Plain(func(m order.Meta) order.Event { return order.NoteCase{Meta: m, Case: id, Text: text} })}
}

// ResolveCase ends a case. Until is for decisions that give time, the amount, in
// minor units, for a refund, the point for parcels that the carrier is to hold.
func ResolveCase(id string, how order.Resolution, until time.Time, amount int64, point, reason string) Request {
	body := map[string]any{"case": id, "resolution": how}
	if !until.IsZero() {
		body["until"] = until
	}
	if amount != 0 {
		body["amount"] = amount
	}
	if point != "" {
		body["point"] = point
	}
	return Request{Action: "resolve_case", Reason: reason, Body: body, Subject: caseOf(id), Event: Plain(func(m order.Meta) order.Event {
		return order.ResolveCase{Meta: m, Case: id, Resolution: how, Until: until, Amount: amount, Point: point}
	})}
}

// ReopenCase takes back the decision about a case. It gets another ID.
func ReopenCase(id, reason string) Request {
	return Request{Action: "reopen_case", Reason: reason, Body: map[string]any{"case": id}, Subject: caseOf(id),
		Event: Plain(func(m order.Meta) order.Event { return order.ReopenCase{Meta: m, Case: id} })}
}

// WaitName names a wait as an order lists it.
type WaitName struct {
	Kind   order.WaitKind `json:"kind"`
	Parcel string         `json:"parcel,omitempty"`
	Case   order.CaseKind `json:"case,omitempty"`
}

// ExtendWait moves the end of a wait.
func ExtendWait(w WaitName, until time.Time, reason string) Request {
	return Request{Action: "extend_wait", Reason: reason, Body: map[string]any{"wait": w, "until": until}, Subject: waitOf(w), Event: Plain(func(m order.Meta) order.Event {
		return order.ExtendWait{Meta: m, Kind: w.Kind, Parcel: w.Parcel, On: w.Case, Until: until}
	})}
}

// FireWait lets a wait end now.
func FireWait(w WaitName, reason string) Request {
	return Request{Action: "fire_wait", Reason: reason, Body: map[string]any{"wait": w}, Subject: waitOf(w), Event: Plain(func(m order.Meta) order.Event {
		return order.FireWait{Meta: m, Kind: w.Kind, Parcel: w.Parcel, On: w.Case}
	})}
}

// ReportNotReceived says that a delivered parcel did not reach the buyer.
func ReportNotReceived(parcel, reason string) Request {
	return Request{Action: "report_not_received", Reason: reason, Body: map[string]any{"parcel": parcel},
		Subject: func(v order.View) string {
			for _, c := range v.Cases {
				if c.Kind == order.NotReceived && c.Parcel == parcel {
					return "not_received of parcel " + parcel + ": " + openCase(c.Case)
				}
			}
			return "parcel " + parcel + " is not reported missing"
		},
		Event: Plain(func(m order.Meta) order.Event { return order.ReportNotReceived{Meta: m, Parcel: parcel} })}
}

// FoundParcel says that what was reported missing has turned up.
func FoundParcel(parcel, reason string) Request {
	r := ReportNotReceived(parcel, reason)
	r.Action, r.Event = "found_parcel", Plain(func(m order.Meta) order.Event { return order.FoundParcel{Meta: m, Parcel: parcel} })
	return r
}

// DecideRemedy agrees to a remedy above the limit, or declines it.
func DecideRemedy(id string, agree bool, reason string) Request {
	return Request{Action: "decide_remedy", Reason: reason, Body: map[string]any{"remedy": id, "agree": agree}, Subject: remedyOf(id),
		Event: Plain(func(m order.Meta) order.Event { return order.DecideRemedy{Meta: m, Remedy: id, Agree: agree} })}
}

// EndRemedy records what came of a remedy that was carried out by hand.
func EndRemedy(id string, confirmed bool, amount int64, reference, reason string) Request {
	return Request{Action: "end_remedy", Reason: reason, Subject: remedyOf(id),
		Body: map[string]any{"remedy": id, "confirmed": confirmed, "amount": amount, "reference": reference}, Event: Plain(func(m order.Meta) order.Event {
			return order.EndRemedy{Meta: m, Remedy: id, Confirmed: confirmed, Amount: amount, Reference: reference}
		})}
}

// EndInstruction records what a carrier said that a person told what to do.
func EndInstruction(id string, done bool, reference, reason string) Request {
	return Request{Action: "end_instruction", Reason: reason, Subject: instructionOf(id),
		Body: map[string]any{"instruction": id, "done": done, "reference": reference}, Event: Plain(func(m order.Meta) order.Event {
			return order.EndInstruction{Meta: m, Instruction: id, Done: done, Reference: reference}
		})}
}

const stamp = "2006-01-02 15:04:05Z"

func caseOf(id string) func(order.View) string {
	return func(v order.View) string {
		for _, c := range v.Cases {
			if c.ID == id {
				return id + ": " + openCase(c.Case)
			}
		}
		for _, d := range v.Decisions {
			if d.Case.ID == id {
				return id + ": " + decided(d)
			}
		}
		for _, c := range v.Cases { // another episode of the same
			if series(c.ID) == series(id) {
				return id + ": open again as " + c.ID + ", " + openCase(c.Case)
			}
		}
		return id + ": no more among the order's cases"
	}
}

// series is a case's ID without the number of its episode.
func series(id string) string { return id[:max(0, strings.LastIndexByte(id, '-'))] }

func openCase(c order.Case) string {
	said := []string{"open", "with " + string(c.Owner)}
	if c.Assignee != "" {
		said = append(said, "assigned to "+c.Assignee)
	}
	if c.Level > 0 {
		said = append(said, fmt.Sprintf("escalated %d times", c.Level))
	}
	if len(c.Notes) > 0 {
		said = append(said, fmt.Sprintf("%d notes", len(c.Notes)))
	}
	if !c.NoticedAt.IsZero() {
		said = append(said, "the buyer was told")
	}
	return strings.Join(said, ", ") + ", due " + c.Due.UTC().Format(stamp)
}

func decided(d order.Decision) string {
	at := " at " + d.At.UTC().Format(stamp)
	switch {
	case d.Resolution == "":
		return "closed by itself" + at
	case d.Actor == "":
		return "resolved (" + string(d.Resolution) + ")" + at
	}
	return "resolved (" + string(d.Resolution) + ") by " + d.Actor + at
}

func waitOf(n WaitName) func(order.View) string {
	return func(v order.View) string {
		for _, w := range v.Waiting {
			if w.Kind == n.Kind && w.Parcel == n.Parcel && w.Case == n.Case {
				return "waits for " + w.What + " until " + w.Until.UTC().Format(stamp)
			}
		}
		return "no such wait (any more)"
	}
}

func remedyOf(id string) func(order.View) string {
	return func(v order.View) string {
		for _, r := range v.Remedies {
			if r.ID == id {
				said := fmt.Sprintf("%s: %s", id, r.State)
				if r.ApprovedBy != "" {
					said += ", decided by " + r.ApprovedBy
				}
				if r.Reference != "" {
					said += ", reference " + r.Reference
				}
				return said
			}
		}
		return id + ": none of this order's"
	}
}

func instructionOf(id string) func(order.View) string {
	return func(v order.View) string {
		for _, i := range v.Instructions {
			if i.ID == id {
				said := fmt.Sprintf("%s: %s", id, i.State)
				if i.Reference != "" {
					said += ", reference " + i.Reference
				}
				return said
			}
		}
		return id + ": none of this order's"
	}
}
