package feed

import (
	"hash/fnv"
	"time"
)

// Terms are how long a carrier's subscription lives.
type Terms struct {
	// Margin is how long before the end it is renewed.
	Margin time.Duration
	// Idle: it dies this long after the last push for it; 0: it does not.
	Idle time.Duration
}

const day = 24 * time.Hour

// terms by carrier. The end itself comes with the carrier's answer.
var terms = map[string]Terms{
	// Fourteen days (UPSTrackAlert.yaml).
	"ups": {Margin: 2 * day},
	// Deleted after 30 days without traffic, with a warning on day 25. Third
	// parties say so, not USPS.
	"usps": {Margin: 5 * day, Idle: 30 * day},
}

// TermsOf a carrier; a day's margin where nothing is known.
func TermsOf(carrier string) Terms {
	if t, ok := terms[carrier]; ok {
		return t
	}
	return Terms{Margin: day}
}

// retryRefused is how long a refused subscription is left alone.
const retryRefused = day

// Subscription is what is known of one number's; zero times: never.
type Subscription struct {
	Tracking                string
	At, Until               time.Time
	Heard, Refused, BoundAt time.Time
}

// RenewAt is when to ask for the subscription, again or for the first time; zero
// when never. Renewals are spread by the number, so that what was subscribed to
// in one hour is not renewed in one.
func RenewAt(s Subscription, t Terms) time.Time {
	if s.Refused.After(s.At) {
		return s.Refused.Add(retryRefused)
	}
	if s.At.IsZero() {
		return s.BoundAt
	}
	var at time.Time
	if !s.Until.IsZero() {
		at = s.Until
	}
	if t.Idle > 0 {
		traffic := s.At
		if s.Heard.After(traffic) {
			traffic = s.Heard
		}
		if dead := traffic.Add(t.Idle); at.IsZero() || dead.Before(at) {
			at = dead
		}
	}
	if at.IsZero() {
		return at
	}
	return at.Add(-t.Margin - spread(s.Tracking, t.Margin/2))
}

// Due lists the numbers to renew now, in the given order.
func Due(list []Subscription, t Terms, now time.Time) []string {
	var numbers []string
	for _, s := range list {
		if at := RenewAt(s, t); !(at.IsZero() && !s.At.IsZero()) && !at.After(now) {
			numbers = append(numbers, s.Tracking)
		}
	}
	return numbers
}

// spread is the same for the same number, and even over numbers: [0, within).
func spread(number string, within time.Duration) time.Duration {
	if within <= 0 {
		return 0
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(number))
	return time.Duration(h.Sum64() % uint64(within))
}
