package views

import (
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/cooperative"
)

// Months are the months of an organisation's books, the latest first.
type Months struct {
	Organisation string
	Rows         []cooperative.MonthLine
	// Next is the month that can be closed; Act leads to its form where who reads may do it.
	Next string
	Act  bool
	// Quarters leads a regulator to the quarterly figures.
	Quarters bool
}

// Name of its template.
func (Months) Name() string { return "months" }

// BookMonth is a month's trial balance, closed or open.
type BookMonth struct {
	Shown cooperative.Month
	Act   bool
}

// Name of its template.
func (BookMonth) Name() string { return "month" }

// MonthAccount is one row of it with its postings.
type MonthAccount struct {
	Shown cooperative.Month
	Row   string
	Lines []cooperative.AccountLine
	// More says that there are more than these.
	More bool
}

// Name of its template.
func (MonthAccount) Name() string { return "monthaccount" }

// Letters are notices to print.
type Letters struct {
	Scheme
	Since tape.Date
	Rows  []cooperative.Letter
}

// Name of its template.
func (Letters) Name() string { return "letters" }

// HouseholdStatement is what happened between a household and its scheme in a period.
type HouseholdStatement struct {
	Scheme
	Household tape.AccountID
	Own       bool
	Shown     cooperative.Statement
}

// Name of its template.
func (HouseholdStatement) Name() string { return "householdstatement" }

// Quarter are a regulator's figures.
type Quarter struct {
	Shown cooperative.QuarterFigures
	// Others are quarters to go to, the latest first.
	Others []tape.Date
}

// Name of its template.
func (Quarter) Name() string { return "quarter" }

// Flags are where loans of several households meet.
type Flags struct {
	Scheme
	Shown cooperative.Flags
}

// Name of its template.
func (Flags) Name() string { return "flags" }
