// Package order is the pure core of Waybill: what an order is, what may happen
// to it, and what it waits for. It imports the standard library only. It has no
// context, no clock and no I/O, and never ranges over a map: everything a
// workflow runs must give the same answer on replay.
//
// The vocabulary, in the order a reader meets it:
//
//   - A [Spec] is what the storefront ordered: lines, promise, [Policy].
//   - A [Parcel] is what travels under one number: one box, or several pieces of
//     which the last one ends it. Its [Milestone] is how far it has come; its
//     [Stage] says who holds it. A label is never possession: only a physical
//     carrier event is.
//   - An [Event] is something that happened (a scan, a carrier event, an
//     answered command, time passing) or that a person asked for and [Check]
//     allowed. Time comes in with the event.
//   - [Apply] folds an event into the [State]. It is total: it never fails. What
//     cannot be true is recorded as an [Anomaly], because a signal cannot be
//     refused. It returns the [Command]s that the shell must carry out.
//   - [Waiting] lists every open [Wait]: what, since, until, by which policy
//     line, who owns it, and what happens then. [NextDeadline] is the earliest.
//   - A [Case] is an exception with an owner and a due time. It closes by itself
//     when the world moves on.
//   - A [Return] is what the buyer sends back, or what came back by itself: its
//     parcel moves as any other, what an inspection finds is routed by a table,
//     and what the buyer gets for it is a [Remedy].
//   - A [Happening] is what the order tells the outside world, in order.
//
// Facts of one parcel may arrive in any order, late and twice: the milestone is
// the maximum of a total order over them (see [Stage]), so every arrival order
// ends alike.
package order
