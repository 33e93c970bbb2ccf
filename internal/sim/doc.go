// Package sim puts Waybill under realistic load and watches whether it tells
// the truth. It speaks the public HTTP API and nothing else, like a storefront,
// a warehouse and the carriers would.
//
// There are two scenarios:
//
//   - [Olist] replays real orders of a Brazilian marketplace on a compressed
//     clock. What the data set does not have (warehouse and carrier scans) is
//     invented from a seed; what it has (purchase, hand-over, delivery, promise)
//     is kept to the second. Then every order is read back and compared with the
//     data set. It stresses volume, duplicates, late and early arrival, split
//     shipments and, if the server is killed meanwhile, recovery.
//   - [Demo] fills an empty system with a few orders in every stage worth
//     looking at and keeps some of them moving.
//
// The files, in reading order:
//
//	dataset.go   the CSV files → Sale
//	clock.go     the data set's time → the run's time
//	plan.go      Sale → planned order with its facts (pure, seeded)
//	scans.go     the invented scans of one parcel (pure, seeded)
//	disturb.go   duplicates, late arrival, orphans → one schedule (pure, seeded)
//	wire.go      the JSON of the API
//	client.go    posts until the server has said yes
//	run.go       posts a schedule when its moments come
//	readback.go  waits until the engine is quiet and reads everything
//	compare.go   engine beside data set (pure), the report
//	olist.go     the scenario
//	demo*.go     the demo
//	command.go   flags
//
// Nothing of the data set is compiled into the product: it is licensed for
// measuring and tests only.
package sim
