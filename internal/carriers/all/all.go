// Package all lists the carriers that Waybill speaks with.
package all

import (
	"fmt"
	"strings"

	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/carriers/aftership"
	"github.com/waybillhq/waybill/internal/carriers/dhl"
	"github.com/waybillhq/waybill/internal/carriers/easypost"
	"github.com/waybillhq/waybill/internal/carriers/fedex"
	"github.com/waybillhq/waybill/internal/carriers/seventeentrack"
	"github.com/waybillhq/waybill/internal/carriers/shippo"
	"github.com/waybillhq/waybill/internal/carriers/ups"
	"github.com/waybillhq/waybill/internal/carriers/usps"
)

// Adapters by name, carriers first, aggregators after them.
func Adapters() []carriers.Adapter {
	return []carriers.Adapter{dhl.New(), fedex.New(), ups.New(), usps.New(), seventeentrack.New(), aftership.New(), easypost.New(), shippo.New()}
}

// Adapter finds one by name.
func Adapter(name string) (carriers.Adapter, error) {
	var names []string
	for _, a := range Adapters() {
		if a.Name() == name {
			return a, nil
		}
		names = append(names, a.Name())
	}
	return nil, fmt.Errorf("no carrier %q; there are %s", name, strings.Join(names, ", "))
}

// Names of all of them.
func Names() []string {
	var names []string
	for _, a := range Adapters() {
		names = append(names, a.Name())
	}
	return names
}
