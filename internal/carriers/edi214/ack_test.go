package edi214

import (
	"strings"
	"testing"
	"time"

	"github.com/waybillhq/waybill/internal/carriers/carriertest"
)

var written = time.Date(2026, 3, 4, 12, 30, 0, 0, time.UTC)

func TestAcknowledge(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want string // between GS and GE, without ST and SE
	}{
		"accepted": {string(set(good...)), "AK1*QM*7~AK2*214*0001~AK5*A~AK9*A*1*1*1~"},
		"accepted, a date is wrong": {
			string(set("B10*PRO12345", "LX*1", "AT7*X4*NS***20260231*1000", "AT7*X6*NS***20260304*1000*UT")),
			"AK1*QM*7~AK2*214*0001~AK3*AT7*4**8~AK4*5*373*8~AK5*E*5~AK9*E*1*1*1~",
		},
		"accepted, the group's count is wrong": {string(envelope(5, "0001", 2, "7", 1, "000000001", good...)), "AK1*QM*7~AK2*214*0001~AK5*A~AK9*E*2*1*1*5~"},
		"rejected, the count is wrong":         {string(envelope(6, "0001", 1, "7", 1, "000000001", good...)), "AK1*QM*7~AK2*214*0001~AK5*R*4~AK9*R*1*1*0~"},
		"rejected, no SE":                      {strings.Replace(string(set(good...)), "SE*5*0001~", "", 1), "AK1*QM*7~AK2*214*0001~AK5*R*2~AK9*R*1*1*0~"},
		"rejected, no B10":                     {string(set("LX*1", "AT7*X4")), "AK1*QM*7~AK2*214*0001~AK3*B10*2**3~AK5*R*5~AK9*R*1*1*0~"},
		"rejected, no shipment":                {string(set("B10", "LX*1", "AT7*X4")), "AK1*QM*7~AK2*214*0001~AK3*B10*2**8~AK4*1*127*1~AK5*R*5~AK9*R*1*1*0~"},
		"another document":                     {strings.Replace(string(set(good...)), "ST*214", "ST*210", 1), "AK1*QM*7~AK2*210*0001~AK5*R*1~AK9*R*1*1*0~"},
		"partly": {
			strings.Replace(string(set(good...)), "GE*1*7", "ST*214*0002~B10*PRO99999~SE*9*0002~GE*2*7", 1),
			"AK1*QM*7~AK2*214*0001~AK5*A~AK2*214*0002~AK5*R*4~AK9*P*2*2*1~",
		},
	} {
		f := Read([]byte(c.body))
		got := string(Acknowledge(f.Interchanges[0], 77, written))
		_, inner, _ := strings.Cut(got, "ST*997*0001~")
		inner, _, _ = strings.Cut(inner, "SE*")
		if inner != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, inner, c.want)
		}
		if back := Read([]byte(got)); len(back.Faults) > 0 || len(back.Interchanges[0].Groups[0].Sets) != 1 {
			t.Errorf("%s: the answer does not hold: %v", name, back.Faults)
		}
		if again := Acknowledge(Read([]byte(got)).Interchanges[0], 78, written); again != nil {
			t.Errorf("%s: an acknowledgement is acknowledged: %s", name, again)
		}
	}
}

func TestAcknowledgementGoesBackToItsSender(t *testing.T) {
	f := Read(carriertest.File(t, "multi.edi"))
	for i, want := range []string{
		"ISA*00*          *00*          *ZZ*WAYBILL        *02*ODFL           *260304*1230*U*00401*000000077*0*P*>~GS*FA*WAYBILL*ODFL*20260304*1230*77*X*004010~" +
			"ST*997*0001~AK1*QM*201~AK2*214*0001~AK5*A~AK2*214*0002~AK5*A~AK9*A*2*2*2~SE*8*0001~" +
			"ST*997*0002~AK1*QM*202~AK2*214*0001~AK5*A~AK9*A*1*1*1~SE*6*0002~GE*2*77~IEA*1*000000077~",
		"ISA|00|          |00|          |ZZ|WAYBILL        |02|ESTES          |260304|1230|!|00501|000000078|0|P|^'GS|FA|WAYBILL|ESTES|20260304|1230|78|X|004010'" +
			"ST|997|0001'AK1|QM|203'AK2|214|0001'AK5|A'AK9|A|1|1|1'SE|6|0001'GE|1|78'IEA|1|000000078'",
	} {
		if got := string(Acknowledge(f.Interchanges[i], 77+i, written)); got != want {
			t.Errorf("\n got %s\nwant %s", got, want)
		}
	}
}
