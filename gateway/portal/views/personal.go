package views

import "github.com/lianbao/lianbao/chaincode/tape"

// PersonalLine is one field of a value.
type PersonalLine struct{ Field, Text string }

// PersonalValue is one value about a payee.
type PersonalValue struct {
	Class, Collection, Record string
	// Keeper is the organisation that keeps it.
	Keeper string
	// KeepUntil is the first day on which it may be purged; empty for any day.
	KeepUntil tape.Date
	Lines     []PersonalLine
	// Purge says that it may be purged here today.
	Purge bool
}

// PersonalPaper is a document about a payee.
type PersonalPaper struct {
	ID, Kind, MediaType string
	Size                int
	At                  tape.Instant
	// Cited is the entry that rests on it, Until the last day on which it must be kept for that.
	Cited string
	Until tape.Date
	// Shred says that it may go today.
	Shred bool
}

// PersonalData is what is kept about one payee: for members' staff alone.
type PersonalData struct {
	Account      tape.AccountID
	Title        *Text
	Payee        tape.AccountID
	Organisation string
	Values       []PersonalValue
	Papers       []PersonalPaper
	// Asked is when the payee asked that all of it be erased.
	Asked *tape.Instant
	// Collections are where something can be kept, Reasons why it can be purged.
	Collections, Reasons []string
	// Kinds are what a document can be; none where no documents are kept. ID names
	// the form that takes one: sent twice it keeps one.
	Kinds  []string
	ID     tape.ID
	Acting *Acting
}

// Name of its template.
func (PersonalData) Name() string { return "personal" }

// MyData is what is kept about who is logged in, by its kind.
type MyData struct {
	Account tape.AccountID
	Title   *Text
	Payee   tape.AccountID
	Classes []string
	// Papers counts the documents about the payee.
	Papers int
	// Until is the day until which law or contract demand it; empty when it may go.
	Until tape.Date
	Asked *tape.Instant
}

// Sharing says with how many others a payee shares something.
type Sharing struct {
	// Kind is payee-account or device.
	Kind   string
	Others int
}
