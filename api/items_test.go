package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// What readPlain reads, encoding/json reads alike; what it leaves alone may be
// anything.
func FuzzPlainItemsAreReadAsByEncodingJSON(f *testing.F) {
	for _, seed := range []string{
		`{"id":"s-1","kind":"picked","order":"acme:1001","tracking":"1Z","occurred_at":"2026-11-21T08:15:00Z"}`,
		` { "id" : "e" , "physical" : true , "correction":false,"milestone":"ü","physical":false }`, `{}`, ` {} `, `{"id":""}`,
		`{"id":"a","id":"b"}`, `{"id":null}`, `{"physical":null}`, `{"ID":"x"}`, `{"id":"\u0041"}`, `{"id":"a"}x`, `{"id":"a",}`, `{"physical":trues}`, `{"physical":"true"}`, `{"id`, `{`, `{"id":"`, `{"id":"a"`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if !json.Valid(raw) || !utf8.Valid(raw) { // neither gets this far
			return
		}
		var scan, wantScan scanItem
		var event, wantEvent carrierItem
		for _, item := range []struct {
			fast fields
			slow any
		}{{&scan, &wantScan}, {&event, &wantEvent}} {
			if readPlain(raw, item.fast) {
				if r := strict(raw, item.slow); r != nil {
					t.Fatalf("read %q, which should be refused: %v", raw, r)
				}
				fast, _ := json.Marshal(item.fast)
				slow, _ := json.Marshal(item.slow)
				if !bytes.Equal(fast, slow) {
					t.Errorf("read %s, want %s", fast, slow)
				}
			}
		}
	})
}

func FuzzMembersAreThoseOfEncodingJSON(f *testing.F) {
	for _, seed := range []string{
		`{"scans":[{"a":1},2,"]",[[]],null,-1.5e3 , true]}`, `[]`, `{}`, ` [ 1 , "\\\"," , {"x":"}"} ] `, `{"a" : 1 ,"b":{}}`, "[\n1\n]", `[[],{}]`, `{"\u0061":[1]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if !json.Valid(raw) || !strings.ContainsAny(string(raw[space(raw, 0)]), "{[") {
			return
		}
		var list []json.RawMessage
		var object map[string]json.RawMessage
		if raw[space(raw, 0)] == '[' {
			_ = json.Unmarshal(raw, &list)
			n := 0
			members(raw, func(_, value []byte) {
				if n >= len(list) || !bytes.Equal(value, list[n]) {
					t.Errorf("%q: item %d is %q", raw, n, value)
				}
				n++
			})
			if n != len(list) {
				t.Errorf("%q: %d items, want %d", raw, n, len(list))
			}
			return
		}
		_ = json.Unmarshal(raw, &object)
		got := map[string]string{}
		members(raw, func(name, value []byte) {
			var s string
			_ = json.Unmarshal(name, &s)
			got[s] = string(value)
			if !named(name, s) || named(name, s+"x") {
				t.Errorf("%s is not %q", name, s)
			}
		})
		for name, value := range object {
			if got[name] != string(value) {
				t.Errorf("%q: %s is %q, want %q", raw, name, got[name], value)
			}
		}
		if len(got) != len(object) {
			t.Errorf("%q: %d members, want %d", raw, len(got), len(object))
		}
	})
}

func FuzzPatternsAreMatchedAsWritten(f *testing.F) {
	for _, seed := range []string{"acme:1001", "acme", ":", "a:b:c", "1Z999AA10123456784", "ABC", "ups", "dhl_express", "-x", "recipient_unavailable", "é", "a\n", "2026-11-21T08:15:00Z",
		"2026-11-21T08:15:00.250-05:00", "2026-11-21T08:15:00.Z", "2026-11-21T08:15:00.1234567890Z", "2026-11-21T08:15:00+0500", "2026-11-21T08:15:00", "2026-11-21T08:15:00Z\n",
		strings.Repeat("a", 32) + ":" + strings.Repeat("1", 64), strings.Repeat("a", 33) + ":1", strings.Repeat("A", 40), strings.Repeat("A", 41)} {
		f.Add(seed)
	}
	const times = `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$`
	all := []pattern{orderIDPattern, parcelPattern, carrierPattern, trackingPattern, bucketPattern, {times, timePattern}}
	compiled := make([]*regexp.Regexp, len(all))
	for i, p := range all {
		compiled[i] = regexp.MustCompile(p.expression)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for i, p := range all {
			if got, want := p.MatchString(s), compiled[i].MatchString(s); got != want {
				t.Errorf("%s on %q: %v, want %v", p, s, got, want)
			}
		}
	})
}

func TestPlainItemsTakeTheFastWay(t *testing.T) {
	for i, raw := range []string{
		`{"id":"e-1","tracking":"1z 999","milestone":"accepted","physical":true,"code":"OR","bucket":"weather","description":"Origin scan","location":"Köln","occurred_at":"2026-11-21T18:40:00+14:00","eta":"2026-11-24T22:00:00+01:00","correction":false}`,
		`{"id":"s-1","kind":"picked","order":"acme:1001","parcel":"1","carrier":"ups","tracking":"1Z","occurred_at":"2026-11-21T08:15:00Z","location":"Dock 4","station":"9"}`,
	} {
		if !readPlain([]byte(raw), []fields{&carrierItem{}, &scanItem{}}[i]) {
			t.Error(fmt.Sprint("left to encoding/json: ", raw))
		}
	}
}

func FuzzAnswersAreWrittenAsByEncodingJSON(f *testing.F) {
	f.Add("e-1", "", "", 1)
	f.Add("a\"b\\c", "tracking", "must be <4> & more", 0)
	f.Add("\u2028\x00\xff ü", "", "\x7f", -3)
	f.Fuzz(func(t *testing.T, id, field, reason string, n int) {
		for _, a := range []factResults{
			{Results: []factResult{}, Rejected: n},
			{Results: []factResult{{0, id, "accepted", field, reason}, {n, "", rejected, reason, ""}}, Accepted: n, Duplicate: 2, Orphan: 3, Rejected: 4},
		} {
			want, err := json.Marshal(a)
			if err != nil {
				t.Fatal(err)
			}
			if got := a.appendTo(nil); string(got) != string(want)+"\n" {
				t.Errorf("wrote %s, want %s", got, want)
			}
		}
	})
}
