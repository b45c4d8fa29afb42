package recourse_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/tape"
)

const (
	scheme = tape.AccountID("coop:coop:coffee")
	till   = tape.AccountID("lender:bank:loans")
	noon   = tape.Instant(1_767_240_000_000) // 2026-01-01 12:00 in the zone
)

func cny(units int64) money.Amount { return money.New(units, "CNY") }

func newRandom(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

// pseudonym is that of an invented family, and begins with the small letter of its name.
func pseudonym(name string) string {
	for n := 0; ; n++ {
		if p := string(tape.PseudonymFrom(fmt.Sprint(name, n))); p[:1] == strings.ToLower(name) {
			return p
		}
	}
}

// household is that of an invented family.
func household(name string) tape.AccountID {
	return tape.AccountID("household:" + pseudonym(name) + ":coffee")
}

// outside is where a household's money is off the ledger.
func outside(name string) tape.AccountID {
	return tape.AccountID("outside:household:" + pseudonym(name))
}

func households(names ...string) []tape.AccountID {
	var all []tape.AccountID
	for _, name := range names {
		all = append(all, household(name))
	}
	return all
}

// debt is one of 3,000.00 CNY, 31 days past due, that B, C and D guarantee.
func debt() recourse.Debt {
	d := recourse.Debt{Scheme: scheme, Loan: "loan-1", Lender: "bank", Cooperative: "coop", Debtor: household("A"), Currency: "CNY", DaysPastDue: 31,
		Overdue: []recourse.Instalment{{N: 3, Due: "2025-12-01", Unpaid: 200_000}, {N: 4, Due: "2025-12-31", Unpaid: 100_000}}}
	for _, name := range []string{"A", "B", "C", "D"} {
		if name != "A" {
			d.Guarantors = append(d.Guarantors, recourse.Bound{Household: household(name), Left: cny(500_000), Months: 24})
		}
		d.Notices = append(d.Notices, recourse.Notice{Household: household(name), Day: 1}, recourse.Notice{Household: household(name), Day: 15})
	}
	return d
}

func terms() recourse.Terms {
	return recourse.Terms{DefaultDays: 30, CureDays: 30, NoticeDays: []int32{1, 15}}
}

func makeCall() recourse.MakeCall {
	return recourse.MakeCall{Amount: cny(300_000), Guarantors: households("B", "C", "D"), ID: "call-1", Instalments: []int32{3, 4}, Loan: "loan-1", Account: scheme}
}

// called is the call of that debt, changed by steps.
func called(t *testing.T, steps ...func(recourse.Call) (recourse.Call, error)) recourse.Call {
	t.Helper()
	c, _, _, err := debt().Call(makeCall(), terms(), nil, by("bank", "maker", "checker"))
	for _, step := range steps {
		if err == nil {
			c, err = step(c)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func paid(name string, units int64) func(recourse.Call) (recourse.Call, error) {
	return func(c recourse.Call) (recourse.Call, error) { return c.Take(household(name), units) }
}

func respread(name string, on tape.Date) func(recourse.Call) (recourse.Call, error) {
	return func(c recourse.Call) (recourse.Call, error) {
		next, _, err := c.Respread(recourse.Respread{Call: c.ID, Guarantor: household(name), ID: "respread-" + tape.ID(name), Loan: c.Loan, Account: scheme}, onDay(on, by("bank", "maker")))
		return next, err
	}
}

func released(name string) func(recourse.Call) (recourse.Call, error) {
	return func(c recourse.Call) (recourse.Call, error) {
		next, _, err := c.Release(recourse.Release{Call: c.ID, Guarantor: household(name), ID: "release-" + tape.ID(name), Loan: c.Loan, Account: scheme}, debt(), by("bank", "maker", "checker"))
		return next, err
	}
}

func unable(name string) func(recourse.Call) (recourse.Call, error) {
	return func(c recourse.Call) (recourse.Call, error) {
		next, _, err := c.Declare(declare(name), by("bank", "maker", "clerk@coop"))
		return next, err
	}
}

func declare(name string) recourse.DeclareUnable {
	return recourse.DeclareUnable{Call: "call-1", Evidence: []recourse.Citation{{Hash: merkle.Hash{1}, Kind: "bankruptcy"}}, Guarantor: household(name), ID: "unable-" + tape.ID(name), Loan: "loan-1", Account: scheme}
}

// payment is one that the tape shows.
func payment(n int, from, to tape.AccountID, units int64) recourse.Payment {
	return recourse.Payment{Source: "bank/settle-1/" + strconv.Itoa(n), From: from, To: to, Amount: cny(units)}
}

// arrived are these parts of the debtor's money, as the tape shows them from number n on, and a command that names them.
func arrived(n int, parts []recourse.Part) (recourse.Reimburse, []recourse.Arrival) {
	c := recourse.Reimburse{Account: scheme, Amount: cny(0), Call: "call-1", ID: "back-1", Loan: "loan-1"}
	arrivals := make([]recourse.Arrival, len(parts))
	for i, part := range parts {
		p := payment(n+i, household("A"), part.Household, part.Units)
		c.Amount.Units += part.Units
		c.Parts = append(c.Parts, recourse.Handed{Amount: p.Amount, Payment: p.Source, To: part.Household})
		arrivals[i].Payment = &p
	}
	return c, arrivals
}

// by is a command of an organisation's gateway that persons signed:
// "maker" is of the caller's organisation, "maker@coop" of another.
func by(organisation string, persons ...string) tape.Context {
	ctx := tape.Context{Organisation: organisation, Role: "gateway", At: noon, Date: "2026-01-01", Rules: 1, Command: "c"}
	for _, person := range persons {
		name, of, found := strings.Cut(person, "@")
		if !found {
			of = organisation
		}
		ctx.Approvals = append(ctx.Approvals, tape.Approval{Person: tape.ID(name), Organisation: of, Custody: "own", Duty: "staff"})
	}
	return ctx
}

func onDay(date tape.Date, ctx tape.Context) tape.Context {
	ctx.Date = date
	return ctx
}

// errNothing says that a random step found nothing to do.
var errNothing = errors.New("nothing to do")

// row is a situation in which a command is refused, for ruletest.Refusals.
type row[S any] struct {
	Change func(*S)
	Want   string
}
