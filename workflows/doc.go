// Package workflows is the durable shell around package order: it waits,
// applies and dispatches, and decides nothing itself.
//
// One order is one workflow, [Order]. It has a single loop and no listener
// goroutines: start the commands that are not started, write the read model,
// hold one timer for the next deadline, select, drain every waiting signal,
// apply. Facts come in as signals, because a fact cannot be refused; people and
// storefronts ask through updates, because they can be; the view is a query.
//
// messages.go is the contract with everybody outside.
package workflows
