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

// PersonalData is what is kept about one payee: for members' staff alone.
type PersonalData struct {
	Account      tape.AccountID
	Title        *Text
	Payee        tape.AccountID
	Organisation string
	Values       []PersonalValue
	// Asked is when the payee asked that all of it be erased.
	Asked *tape.Instant
	// Collections are where something can be kept, Reasons why it can be purged.
	Collections, Reasons []string
	Acting               *Acting
}

// Name of its template.
func (PersonalData) Name() string { return "personal" }

// MyData is what is kept about who is logged in, by its kind.
type MyData struct {
	Account tape.AccountID
	Title   *Text
	Payee   tape.AccountID
	Classes []string
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
