// Package api is the HTTP face of Waybill for programs: storefronts, warehouses,
// carriers, support tools and admins.
//
// The contract comes first: openapi.yaml names every operation, its scopes and
// its shapes. [New] refuses to start if an operation has no handler or a handler
// no operation, and every request under /v1 is checked against the contract
// before a handler sees it. Where to look:
//
//	server.go       what the API needs, the list of handlers, one request's way in
//	openapi.go      the contract, compiled; validation
//	auth.go         API keys, scopes, stores
//	orders.go       create and read orders
//	requests.go     what people ask of an order, each with its audit row
//	idempotency.go  Idempotency-Key: the same answer again
//	facts.go        scans and carrier events, answered item by item
//	epcis.go        GS1 EPCIS 2.0 documents, answered event by event
//	admin.go        stores, policies, keys
//	text.go         what text from outside may hold
//	problem.go      the one place where errors become HTTP
//	metrics.go      numbers, access log
//
// Two kinds of input are told apart throughout. A request may be refused, with a
// reason. A fact happened: it is refused only if it cannot be read, and then
// alone, not with its batch.
package api
