package carriers

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestZoneByPlace(t *testing.T) {
	for _, c := range []struct{ country, region, postal, want string }{
		{"DE", "", "", "Europe/Berlin"},
		{" de ", "", "", "Europe/Berlin"},
		{"GBR", "", "", "Europe/London"},
		{"IN", "", "", "Asia/Kolkata"},
		{"NP", "", "", "Asia/Kathmandu"},
		{"US", "CA", "", "America/Los_Angeles"},
		{"US", "us-ny", "", "America/New_York"},
		{"US", "", "90210", "America/Los_Angeles"},
		{"US", "", "90210-1234", "America/Los_Angeles"},
		{"US", "TN", "", "America/Chicago"},
		{"US", "TN", "37902", "America/New_York"}, // Knoxville keeps Eastern time
		{"US", "TX", "79901", "America/Denver"},   // El Paso keeps Mountain time
		{"US", "AZ", "", "America/Phoenix"},
		{"US", "", "09012", ""}, // a military post office can be anywhere
		{"US", "", "", ""},
		{"US", "XX", "", ""},
		{"US", "", "ABCDE", ""},
		{"CA", "BC", "", "America/Vancouver"},
		{"CA", "", "A1A 1A1", "America/St_Johns"},
		{"CA", "", "X0A 0H0", ""}, // the North has two
		{"AU", "QLD", "", "Australia/Brisbane"},
		{"AU", "", "6000", "Australia/Perth"},
		{"BR", "AM", "", "America/Manaus"},
		{"BR", "", "01000-000", ""},
		{"RU", "", "", ""},
		{"MX", "", "", ""},
		{"ID", "", "", ""},
		{"", "", "", ""},
		{"Germany", "", "", ""},
	} {
		got := ""
		if z := Zone(c.country, c.region, c.postal); z != nil {
			got = z.Zone.String()
		}
		if got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

func TestWallTimeInAZone(t *testing.T) {
	berlin, york, lord := Zone("DE", "", ""), Zone("US", "NY", ""), Zone("AU", "SA", "")
	for _, c := range []struct {
		zone             *Clock
		wall, utc, shown string
	}{
		{berlin, "2026-01-15T12:00:00", "2026-01-15T11:00:00Z", "+01:00"},
		{berlin, "2026-07-15T12:00:00", "2026-07-15T10:00:00Z", "+02:00"},
		{berlin, "2026-03-29T01:59:59", "2026-03-29T00:59:59Z", "+01:00"},
		{berlin, "2026-03-29T02:30:00", "2026-03-29T01:30:00Z", "+02:00"}, // never shown: 03:30 is
		{berlin, "2026-03-29T03:00:00", "2026-03-29T01:00:00Z", "+02:00"},
		{berlin, "2026-10-25T02:30:00", "2026-10-25T00:30:00Z", "+02:00"}, // shown twice: the first
		{berlin, "2026-10-25T03:00:00", "2026-10-25T02:00:00Z", "+01:00"},
		{york, "2026-03-08T02:30:00", "2026-03-08T07:30:00Z", "-04:00"},
		{york, "2026-11-01T01:30:00", "2026-11-01T05:30:00Z", "-04:00"},
		{york, "2026-11-01T02:00:00", "2026-11-01T07:00:00Z", "-05:00"},
		{lord, "2026-04-05T02:30:00", "2026-04-04T16:00:00Z", "+10:30"},
		{nil, "2026-07-15T12:00:00", "2026-07-15T12:00:00Z", ""},
	} {
		wall, err := time.Parse("2006-01-02T15:04:05", c.wall)
		if err != nil {
			t.Fatal(err)
		}
		m := At(wall, c.zone)
		basis := ByZone
		if c.zone != nil && c.zone.Guess {
			basis = AssumedZone
		}
		if c.zone == nil {
			basis = AssumedUTC
		}
		if m.UTC.Format(time.RFC3339) != c.utc || m.Offset != c.shown || m.Local != c.wall || m.Basis != basis || m.UTC.Location() != time.UTC {
			t.Errorf("%s in %v: %+v", c.wall, c.zone, m)
		}
	}
}

func TestAPlaceThatKeepsSeveralTimesIsAGuess(t *testing.T) {
	for _, c := range []struct {
		country, region, postal string
		guess                   bool
	}{{"US", "TN", "", true}, {"US", "TN", "37902", false}, {"US", "CA", "", false}, {"CA", "ON", "", true}, {"CA", "AB", "", false}, {"AU", "NSW", "", true}, {"BR", "SP", "", false}, {"DE", "", "", false}} {
		if z := Zone(c.country, c.region, c.postal); z == nil || z.Guess != c.guess {
			t.Errorf("%+v: %+v", c, z)
		}
	}
}

func TestClocksShowAgainWhatTheyShowed(t *testing.T) {
	var zones []*time.Location
	for _, name := range []string{"Europe/Berlin", "America/New_York", "Australia/Adelaide", "Asia/Kathmandu", "America/Santiago", "Africa/Casablanca", "America/St_Johns"} {
		zones = append(zones, locations()[name])
	}
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.SampledFrom(zones).Draw(t, "zone")
		at := time.Unix(rapid.Int64Range(946684800, 2208988800).Draw(t, "unix"), 0).UTC()
		m := At(at.In(zone), &Clock{Zone: zone})
		if got := m.UTC.In(zone).Format("2006-01-02T15:04:05"); got != m.Local {
			t.Fatalf("%s shows %s, not %s", m.UTC, got, m.Local)
		}
		if d := at.Sub(m.UTC); d != 0 && (d < 0 || d > time.Hour) {
			t.Fatalf("%s became %s", at, m.UTC) // only the second of two alike may differ
		}
	})
}

func TestLeftWith(t *testing.T) {
	for words, want := range map[string]DeliveredTo{
		"Delivered, Front Door/Porch": ToPorch, "In/At Mailbox": ToMailbox, "PO Box": ToMailbox, "Parcel Locker": ToLocker, "Left with Individual": ToPerson,
		"Front Desk/Reception/Mail Room": ToPerson, "Neighbor as Requested": ToNeighbour, "RECEPTIONIST_OR_FRONT_DESK": ToPerson, "To Agent": ToAgent,
		"Picked up by agent": ToAgent, "Partial delivery": InPart, "Garage / Other Door / Other Location at Address": ToPorch,
		"Delivered By Local Post Office": "", "": "", "Residence": "", "No signature required": "", "Mail Room": ToPerson,
	} {
		if got := LeftWith(words); got != want {
			t.Errorf("%q: %q, want %q", words, got, want)
		}
	}
}
