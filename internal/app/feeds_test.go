package app

import (
	"fmt"
	"testing"

	"github.com/waybillhq/waybill/internal/carriers/all"
	"github.com/waybillhq/waybill/internal/feed"
)

func TestEachPushingCarrierIsAFeed(t *testing.T) {
	secret := [][]byte{[]byte("12345678")}
	got := feedsOf(map[string][][]byte{"ups": secret, "easypost": secret}, all.Adapters())
	want := []feed.Settings{{Name: "easypost", Carrier: "easypost", Pushes: true, Aggregates: true}, {Name: "ups", Carrier: "ups", Pushes: true}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%+v\nwant\n%+v", got, want)
	}
}
