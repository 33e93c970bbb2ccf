// Package all lists the carriers that are built in. Others come from mapping files.
package all

import (
	"github.com/waybillhq/waybill/internal/carriers"
	"github.com/waybillhq/waybill/internal/carriers/aftership"
	"github.com/waybillhq/waybill/internal/carriers/dhl"
	"github.com/waybillhq/waybill/internal/carriers/easypost"
	"github.com/waybillhq/waybill/internal/carriers/edi214"
	"github.com/waybillhq/waybill/internal/carriers/fedex"
	"github.com/waybillhq/waybill/internal/carriers/seventeentrack"
	"github.com/waybillhq/waybill/internal/carriers/shippo"
	"github.com/waybillhq/waybill/internal/carriers/ups"
	"github.com/waybillhq/waybill/internal/carriers/usps"
)

// Adapters that are built in: carriers first, aggregators and formats after them.
func Adapters() carriers.Registry {
	return carriers.Registry{dhl.New(), fedex.New(), ups.New(), usps.New(), seventeentrack.New(), aftership.New(), easypost.New(), shippo.New(), edi214.New()}
}
