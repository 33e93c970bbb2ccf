package api

import "github.com/waybillhq/waybill/workflows"

// What an order can answer besides a view and a refusal.
var (
	ErrNotRunning  = workflows.ErrNotRunning  // the order is closed
	ErrUnavailable = workflows.ErrUnavailable // it did not answer; whether it took the request in is not known
)
