package views

import (
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Scheme is what every page of a cooperative's loans is about.
type Scheme struct {
	Account tape.AccountID
	// Organisation is the cooperative.
	Organisation string
	Lenders      []string
	// Day is the civil day by which everything on the page is reckoned.
	Day tape.Date
	// Staff says that the reader may see single households; the public sees sums and classes.
	Staff bool
	// Acts are the forms that staff who are logged in can open here, by family; Mine
	// those of the reader's own household, of which Asked wait for its word.
	Acts        []AskGroup
	Mine, Asked []Ask
}

// SchemeRow is a scheme in a list.
type SchemeRow struct {
	Scheme
	Outstanding money.Amount
	Loans       int
}

// Schemes lists the schemes on the ledger, and the pools that stand behind them.
type Schemes struct {
	Rows  []SchemeRow
	Pools []tape.AccountID
	// Acts open what does not stand yet.
	Acts []AskGroup
	// Quarters leads a regulator's staff to the quarterly figures.
	Quarters bool
}

// Name of its template.
func (Schemes) Name() string { return "schemes" }

// Sum is a figure of loans. Key names it in the catalogue, under "sum.";
// BasisPoints are its share of the whole, -1 for none.
type Sum struct {
	Key         string
	Amount      money.Amount
	BasisPoints int
	Rows        string
	Proof       *Proof
}

// Bar is one bar of a picture of steps. Key names it in the catalogue, under
// "part."; From is how many units stand before it.
type Bar struct {
	Key    string
	Amount money.Amount
	From   int64
	// Tone is done, waits, failed, or empty for the whole.
	Tone string
	Rows string
}

// ClassRow is the principal in one class; Key is that of the class.
type ClassRow struct {
	Class       string
	Loans       int
	Amount      money.Amount
	BasisPoints int
}

// Portfolio is what is lent, and how it stands.
type Portfolio struct {
	// Loans are in the books and owe something; so do Households.
	Loans, Households int
	// Outstanding is principal in the books, Overdue what of it and of interest is past due.
	Outstanding, Overdue money.Amount
	// AtRisk is what is more than 30 days overdue or was restructured, in basis points of Outstanding.
	AtRisk30, AtRisk90 Sum
	Figures            []Sum
	Classes            []ClassRow
	// Bars are the classes as a picture.
	Bars []Bar
}

// GroupRow is a guarantee group in a list.
type GroupRow struct {
	ID         tape.ID
	State      string
	Households int
	Owed       money.Amount
	// DaysPastDue is the most of its loans.
	DaysPastDue int
	Until       tape.Date
	Loans       int
}

// StateCount is how many groups are in a state.
type StateCount struct {
	State  string
	Groups int
}

// DueDay is what falls due on one day; Loans are those of the day, for staff.
type DueDay struct {
	Date   tape.Date
	Count  int
	Amount money.Amount
}

// SaleRow is a sale in a list.
type SaleRow struct {
	Sale  tape.ID
	State string
	Date  tape.Date
	// Net is what the households share of Proceeds, Grams what was sold.
	Proceeds, Net money.Amount
	Grams         int64
}

// Cooperative is a scheme: its groups, what is lent, what falls due, what was sold.
type Cooperative struct {
	Scheme
	Portfolio
	States []StateCount
	// Groups are for staff only.
	Groups []GroupRow
	Next   string
	Dues   []DueDay
	Sales  []SaleRow
	// Last are the steps of the last sale; none where it is of very many households.
	Last []Bar
}

// Name of its template.
func (Cooperative) Name() string { return "cooperative" }

// SettlementRow is what became of one household's share.
type SettlementRow struct {
	Household                                              tape.AccountID
	Grams                                                  int64
	Share, Overdue, Window, Recourse, Pool, Early, PaidOut money.Amount
	// Waits says that its chunk has not run.
	Waits bool
}

// SaleCost is an agreed cost of a sale, paid before the households.
type SaleCost struct {
	Kind   string
	Payee  tape.AccountID
	Amount money.Amount
}

// Settlement is a sale, and whom it paid first.
type Settlement struct {
	Scheme
	// Run says that the reader can let it run; Token goes into that form.
	Run      bool
	Token    string
	Sale     tape.ID
	State    string
	Date     tape.Date
	Buyer    tape.AccountID
	Grams    int64
	Proceeds money.Amount
	Net      money.Amount
	Costs    []SaleCost
	// Households share the sale; Settled of them have been paid out.
	Households, Settled int
	// Bars are the steps from the proceeds to what is paid out.
	Bars []Bar
	// Exact says that the parts sum to the sale to the unit.
	Exact bool
	// WindowDays are how far ahead an instalment is paid, Floor is what a household keeps.
	WindowDays int
	Floor      money.Amount
	FloorParts int
	// Rows are for staff; a household sees its own.
	Rows  []SettlementRow
	Next  string
	Proof *Proof
}

// Name of its template.
func (Settlement) Name() string { return "settlement" }

// LoanRow is a loan in a list.
type LoanRow struct {
	Scheme    tape.AccountID
	ID        tape.ID
	Household tape.AccountID
	// Stage is its state, or what the day makes of it: overdue, defaulted, written-off.
	Stage       string
	Class       string
	Purpose     string
	Principal   money.Amount
	Left        money.Amount
	Overdue     money.Amount
	DaysPastDue int
	// NextDue is the next instalment that is not paid; none where nothing more falls due.
	NextDue tape.Date
	Next    money.Amount
}

// ShareLine is one thing that a household's share of a sale paid. Key is that of its rank.
type ShareLine struct {
	Rank   string
	Amount money.Amount
	Due    tape.Date
	Loan   tape.ID
}

// HouseholdShare is a household's share of a sale.
type HouseholdShare struct {
	Sale  tape.ID
	Date  tape.Date
	Share money.Amount
	Lines []ShareLine
	Rest  money.Amount
	// State is that of the payout of Rest; Hold and Account name it.
	State string
	Hold  tape.ID
	Entry string
}

// ScoreLine is one indicator of a score, and why it has its points.
type ScoreLine struct {
	Indicator  string
	Code       string
	Points, Of int
	Value      int64
	Unit       string
	// Known says that there is a value.
	Known bool
	// Contested says that the household says it is wrong.
	Contested bool
	// Entries are what it rests on, organisation/id.
	Entries []string
}

// ScoreFactor is one part of a score.
type ScoreFactor struct {
	Factor             string
	Points, Of, Weight int
	Lines              []ScoreLine
}

// Score is what a lender thinks of a household, and why.
type Score struct {
	Lender  string
	Points  int
	Without *int
	Date    tape.Date
	Model   string
	Limit   money.Amount
	Factors []ScoreFactor
	Entry   string
}

// Guarantee is a loan of another that the household guarantees.
type Guarantee struct {
	LoanRow
	// Parts per million of what is called is this household's; 0 where all bear the same.
	Parts int
}

// Asked is what a call asks of a household, and what it is owed for paying.
type Asked struct {
	Scheme tape.AccountID
	Loan   tape.ID
	Call   tape.ID
	Date   tape.Date
	Until  tape.Date
	// Amount is still asked, Paid was paid, Back came back of it.
	Amount, Paid, Back money.Amount
	State              string
}

// Household is one household: what it owes, what it earned, what it guarantees.
type Household struct {
	Scheme
	Household tape.AccountID
	Person    tape.ID
	// Own says that who reads it signs for the household.
	Own         bool
	State       string
	Group       *GroupRow
	Loans       []LoanRow
	Left        money.Amount
	Overdue     money.Amount
	OverdueDays int
	// Next is its next instalment; nil where nothing falls due.
	Next       *LoanRow
	Share      *HouseholdShare
	Scores     []Score
	Guarantees []Guarantee
	// Asked are calls that ask it to pay for others, Owes what it owes those who paid for it.
	Asked, Owes []Asked
	// Agent carried its papers; none where it came itself.
	Agent tape.ID
}

// Name of its template.
func (Household) Name() string { return "household" }

// MyHousehold is a household for which who is logged in signs, with what falls due.
type MyHousehold struct {
	Scheme, Household tape.AccountID
	Left, Overdue     money.Amount
	OverdueDays       int
	Next              *LoanRow
	// Asked wait for its word.
	Asked []Ask
}
