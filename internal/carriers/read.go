package carriers

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/waybillhq/waybill/order"
)

// Text reads a JSON string, number or boolean alike: carriers write codes and
// numbers now as one, now as the other. Anything else is no text.
type Text string

func (t *Text) UnmarshalJSON(b []byte) error {
	var s string
	switch {
	case len(b) == 0 || b[0] == '{' || b[0] == '[' || string(b) == "null":
		return nil
	case b[0] == '"':
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
	default:
		s = string(b)
	}
	*t = Text(s)
	return nil
}

// Clean is the text, safe to keep, at most max bytes.
func (t Text) Clean(max int) string { return Clean(string(t), max) }

// Decode reads JSON of bounded size.
func Decode(body []byte, into any) error {
	if err := Bounded(body); err != nil {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return Malformed("%s", Clean(err.Error(), 200))
	}
	return nil
}

// Bounded refuses a body that is too long to be read.
func Bounded(body []byte) error {
	if len(body) > MaxBody {
		return Malformed("a body of %d bytes", len(body))
	}
	return nil
}

// Problem is an error or a warning in a carrier's words.
type Problem struct {
	Code    Text `json:"code"`
	Message Text `json:"message"`
}

// Refused turns a carrier's own words into the error, so that "not found" can be
// told from garbage by whoever reads it; nil without words.
func Refused(who string, problems ...Problem) error {
	var words []string
	for _, p := range problems {
		if w := strings.TrimSpace(p.Code.Clean(80) + " " + p.Message.Clean(200)); w != "" && len(words) < 3 {
			words = append(words, w)
		}
	}
	if len(words) == 0 {
		return nil
	}
	return Malformed("%s says: %s", who, strings.Join(words, "; "))
}

// First is the first text that says something.
func First[T ~string](texts ...T) T {
	for _, t := range texts {
		if strings.TrimSpace(string(t)) != "" {
			return t
		}
	}
	return ""
}

// Newest is the index of the latest event, the first of several; -1 of none.
func Newest(events []Event) int {
	newest := -1
	for i := range events {
		if newest < 0 || events[i].UTC.After(events[newest].UTC) {
			newest = i
		}
	}
	return newest
}

// Homecoming: what was delivered after it turned round came back to the sender.
// Each number has its own way, since pieces have theirs.
func Homecoming(events []Event) {
	turned := map[string]time.Time{}
	way := func(e *Event) string { return e.Tracking + " " + e.Piece }
	for i := range events {
		e := &events[i]
		if at, ok := turned[way(e)]; e.Milestone == order.Returning && (!ok || e.UTC.Before(at)) {
			turned[way(e)] = e.UTC
		}
	}
	for i := range events {
		e := &events[i]
		if at, ok := turned[way(e)]; ok && e.Milestone == order.Delivered && !e.UTC.Before(at) {
			e.Milestone = order.Returned
		}
	}
}
