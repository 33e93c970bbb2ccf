package order

// RidesAlong says when a fact need not wake its order at once, because it can
// change neither a milestone nor a case nor the ETA: while its parcel is at the
// given milestone, or always. Such facts wait for company, within the policy's
// window; the timeline shows them from the inbox meanwhile. This is what makes
// an order cheap.
func RidesAlong(e Event) (at Milestone, always bool) {
	switch e := e.(type) {
	case Scan:
		return "", e.Kind == ScanReceived || e.Kind == ScanSorted
	case CarrierEvent:
		return e.RidesAlong()
	case Unreadable, PutParcel, Cancel, Hold, Release, ChangePromise, CorrectAddress, CorrectMilestone, AssignCase, NoteCase, ResolveCase, ReopenCase, ExtendWait, FireWait, ReportNotReceived, FoundParcel, DecideRemedy, EndRemedy, EndInstruction,
		RequestReturn, DecideReturn, AskLabel, AskPickup, EndBooking, VoidBooking, ShipReturn, InspectReturn, DisposeReturn, SendReturnBack, CancelReturn, AdoptPolicy, TakeParcels, MergeInto, Tick, Answered:
	}
	return "", false
}

// RidesAlong is that of a carrier's event; all that are accepted are asked.
func (e *CarrierEvent) RidesAlong() (at Milestone, always bool) {
	switch {
	case e.Correction || !e.ETA.IsZero() || e.Bucket != "":
		return "", false
	case e.Milestone == InTransit:
		return InTransit, false
	case e.Milestone == "" && e.Physical:
		return InTransit, false
	case e.Milestone == "":
		return "", true
	}
	return "", false
}
