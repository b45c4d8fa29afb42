package views

import (
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/pool"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/cooperative"
)

// Group is a guarantee group, for its households and for staff.
type Group struct {
	Scheme
	// Shown is the group as it stands on the day.
	Shown cooperative.Group
	Loans []LoanRow
	Own   bool
	Proof *Proof
}

// Name of its template.
func (Group) Name() string { return "group" }

// Loan is one loan: its terms, its schedule, what is paid and owed.
type Loan struct {
	Scheme
	// Shown is the loan as it stands on the day.
	Shown cooperative.Loan
	// Own says that the reader's household borrows it; a guarantor reads it too.
	Own   bool
	Proof *Proof
}

// Name of its template.
func (Loan) Name() string { return "loan" }

// First and Last are the first and the last day of the schedule; none without one.
func (l Loan) First() tape.Date { return l.due(0) }

// Last is the day of the last instalment.
func (l Loan) Last() tape.Date { return l.due(len(l.Shown.Schedule) - 1) }

func (l Loan) due(at int) tape.Date {
	if at < 0 || at >= len(l.Shown.Schedule) {
		return ""
	}
	return l.Shown.Schedule[at].Due
}

// Terms are those of its contract.
func (l Loan) Terms() loan.Loan { return l.Shown.Record }

// Book is a lender's portfolio in one currency.
type Book struct {
	Currency money.Currency
	Portfolio
}

// Lender is what an organisation has lent.
type Lender struct {
	Organisation string
	Day          tape.Date
	Staff        bool
	Books        []Book
	Schemes      []tape.AccountID
	// Pools are those with which it has a contract.
	Pools []PoolCover
	// Late are its overdue loans, for staff.
	Late []LoanRow
	Dues []DueDay
}

// Name of its template.
func (Lender) Name() string { return "lender" }

// PoolCover is a lender's contract with a pool, and its frozen quarters, the last first.
type PoolCover struct {
	Account tape.AccountID
	cooperative.Covered
	Currency money.Currency
}

// Pool is a county's compensation pool.
type Pool struct {
	Shown  cooperative.Pool
	Sums   []Sum
	Covers []PoolCover
	// Claims are for staff; the public sees how many there are and their sums.
	Staff  bool
	Claims []pool.Claim
	Next   string
	Acts   []AskGroup
}

// Name of its template.
func (Pool) Name() string { return "pool" }

// Agents lists who carried papers and signatures for households.
type Agents struct {
	Scheme
	Rows []cooperative.Agent
}

// Name of its template.
func (Agents) Name() string { return "agents" }

// Agent is what one village agent did.
type Agent struct {
	Scheme
	Shown cooperative.Agent
}

// Name of its template.
func (Agent) Name() string { return "agent" }

// Arrears is the list of a cooperative's staff: what is overdue, and what falls due next.
type Arrears struct {
	Scheme
	Late   []LoanRow
	Coming []cooperative.Coming
}

// Name of its template.
func (Arrears) Name() string { return "arrears" }
