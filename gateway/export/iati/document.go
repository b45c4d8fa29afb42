// Package iati writes activities as IATI 2.03.
//
// What goes in are typed values; what comes out is a document in the exact
// order of the published schema. A document that the schema would not take, or
// that breaks a rule of the standard ruleset which touches what is written
// here, is refused before the first byte: a file that a charity has published
// cannot be taken back.
package iati

import (
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Document is one file of activities.
type Document struct {
	// Generated is when the file is made. No date in it may be later: its day is
	// that of UTC, since validators everywhere measure by it.
	Generated  tape.Instant
	Activities []Activity
}

// Text is a text in one language, a code of ISO 639-1 such as zh or en; empty
// for the activity's own language.
type Text struct{ Language, Text string }

// Texts is one text in several languages, each once.
type Texts []Text

// Organisation is an organisation, by its registered identifier or at least by name.
type Organisation struct {
	// Ref is {registration agency}-{registration number}, such as CN-MOCA-53100000.
	Ref string
	// Type is a code of the list OrganisationType, such as 22 for a national NGO; empty where not known.
	Type string
	// Activity is the identifier of the activity by which the organisation itself
	// reports the same money; empty where it does not.
	Activity string
	Names    Texts
}

// Activity is a project as its reporting organisation sees it.
type Activity struct {
	// Identifier begins with the reporting organisation's Ref and "-".
	Identifier string
	Reporting  Organisation
	// Language and Currency are those of texts and amounts that name none.
	Language string
	Currency money.Currency
	// Updated is the last change of anything below; 0 where not known.
	Updated      tape.Instant
	Humanitarian bool
	Title        Texts
	Description  Texts
	Participants []Participant
	// Former are identifiers by which the activity or its reporter were published before.
	Former []Former
	Status Status
	Dates  []ActivityDate
	// Scope is a code of the list ActivityScope; empty where not known.
	Scope     string
	Countries []Country
	Regions   []Region
	Sectors   []Sector
	// FlowType, FinanceType, AidType and TiedStatus hold for every transaction;
	// empty where not known. AidType is of the OECD's list.
	FlowType, FinanceType, AidType, TiedStatus string
	Budgets                                    []Budget
	Transactions                               []Transaction
	Related                                    []Related
}

// Role of a participating organisation, a code of the list OrganisationRole.
type Role string

// The roles.
const (
	Funding      Role = "1"
	Accountable  Role = "2"
	Extending    Role = "3"
	Implementing Role = "4"
)

// Participant is an organisation that takes part.
type Participant struct {
	Organisation
	Role Role
}

// Former is an identifier used before: Type A3 of the activity, B1 of the reporter.
type Former struct {
	Ref, Type string
	// Owner is whose identifier it is; the zero value where that is the reporter.
	Owner Organisation
}

// Status is a code of the list ActivityStatus.
type Status string

// The states of an activity.
const (
	Pipeline       Status = "1"
	Implementation Status = "2"
	Finalisation   Status = "3"
	Closed         Status = "4"
	Cancelled      Status = "5"
	Suspended      Status = "6"
)

// DateType is a code of the list ActivityDateType.
type DateType string

// The dates of an activity.
const (
	PlannedStart DateType = "1"
	ActualStart  DateType = "2"
	PlannedEnd   DateType = "3"
	ActualEnd    DateType = "4"
)

// ActivityDate is a date of the activity; each type stands once at most.
type ActivityDate struct {
	Type DateType
	Date tape.Date
}

// Share is a part of the whole in hundredths of a percent: 6250 is 62.5 %.
// Zero is no share named, which stands for the whole where there is one part only.
type Share int32

// Whole is a hundred percent.
const Whole Share = 10_000

// Country is where the money is meant for, a code of ISO 3166-1.
type Country struct {
	Code  string
	Share Share
}

// Region is an area larger than a country; Vocabulary empty stands for the OECD's list.
type Region struct {
	Code, Vocabulary string
	Share            Share
}

// Sector is what the money is meant for; Vocabulary empty stands for the
// OECD's five digits, 98 and 99 for lists of the reporter's own, whose sectors need Names.
type Sector struct {
	Code, Vocabulary string
	Share            Share
	Names            Texts
}

// Budget is money planned for a period of a year at most.
type Budget struct {
	From, To tape.Date
	// Valued is the day by which the amount is converted to other currencies.
	Valued tape.Date
	Value  money.Amount
	// Revised marks a budget that replaced an earlier one, Committed one that is promised and not only indicative.
	Revised, Committed bool
}

// Related is another activity; Type is a code of the list RelatedActivityType.
type Related struct{ Ref, Type string }

// TransactionType is a code of the list TransactionType.
type TransactionType string

// The types of transactions.
const (
	IncomingFunds      TransactionType = "1"
	OutgoingCommitment TransactionType = "2"
	Disbursement       TransactionType = "3"
	Expenditure        TransactionType = "4"
	InterestPayment    TransactionType = "5"
	LoanRepayment      TransactionType = "6"
	Reimbursement      TransactionType = "7"
	PurchaseOfEquity   TransactionType = "8"
	SaleOfEquity       TransactionType = "9"
	CreditGuarantee    TransactionType = "10"
	IncomingCommitment TransactionType = "11"
	OutgoingPledge     TransactionType = "12"
	IncomingPledge     TransactionType = "13"
)

// Transaction is money that moved or was promised. What came back has the type
// of what it takes back and a negative value.
type Transaction struct {
	// Reference is the reporter's own name for it; empty where it has none.
	Reference string
	Type      TransactionType
	Date      tape.Date
	// Valued is the day by which the amount is converted to other currencies; empty for Date.
	Valued      tape.Date
	Value       money.Amount
	Description Texts
	// Provider nil is the reporter on the way out, Receiver nil the reporter on the way in.
	Provider, Receiver *Organisation
	// Country, Region and Sector stand here on every transaction, or on none and at the activity.
	Country, Region string
	Sectors         []Sector
	// FlowType, FinanceType and TiedStatus differ from the activity's; empty where they do not.
	FlowType, FinanceType, TiedStatus string
}
