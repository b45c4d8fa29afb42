package loan_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
)

const (
	coffee  = tape.AccountID("coop:coop:coffee")
	lending = tape.AccountID("lender:bank:coffee")
	unions  = tape.AccountID("lender:union:coffee")
	shop    = tape.AccountID("outside:supplier:s1")
	noon    = tape.Instant(1_767_240_000_000) // 2026-01-01 12:00 in the zone +08:00
	today   = tape.Date("2026-01-01")
)

func cny(units int64) money.Amount { return money.New(units, "CNY") }

func household(n int) tape.AccountID {
	return tape.AccountID("household:" + string(tape.PseudonymFrom(fmt.Sprint("invented household ", n))) + ":coffee")
}

// cash is where household n is paid.
func cash(n int) tape.AccountID {
	return tape.AccountID("outside:household:" + string(tape.PseudonymFrom(fmt.Sprint("invented household ", n))))
}

func person(n int) tape.ID { return tape.ID(fmt.Sprint("h", n)) }

func version() group.SchemeTerms {
	return group.SchemeTerms{CureDays: 30, DefaultDays: 30, ExclusionMonths: 24, GroupMonthsMax: 36, GroupSizeMax: 5, GroupSizeMin: 3, GuaranteeMonths: 24,
		LivingFloor: cny(0), MemberMax: cny(60_000_00), MemberSharePartsPerMillion: 400_000, NoticeDays: []int32{1, 15}, OriginatorPartsPerMillion: 300_000,
		PoolingDays: 30, RefillDays: 90, StayDaysMax: 180, WindowDays: 30}
}

func scheme() group.Scheme {
	return group.Scheme{V: 1, Account: coffee, Organisation: "coop", Currency: "CNY", Version: 1, Lenders: []string{"bank", "union"}, At: noon, Entry: "union/accept-1"}
}

// annuity is 12 monthly instalments at 6 % a year.
func annuity() terms.Terms {
	return terms.Terms{Method: terms.Annuity, RatePartsPerMillion: 60_000, DayCount: terms.Act365, Rounding: terms.HalfEven, Instalments: 12, Every: terms.Interval{Months: 1},
		LateRatePartsPerMillion: 30_000, LateOn: terms.LateOnPrincipal}
}

func conditions() loan.Conditions {
	return loan.Conditions{Lenders: []loan.Lender{{Account: lending, Organisation: "bank", PartsPerMillion: 1_000_000}}, OfferDays: 30, PrincipalMin: cny(100_000), PrincipalMax: cny(3_000_000),
		Purposes: []string{"inputs", "harvest"}, TermDaysMax: 400, Terms: annuity(), ToleranceUnits: 10, TranchesMax: 2}
}

func product() loan.Product {
	return loan.Product{V: 1, Scheme: coffee, ID: "season", Version: 1, Organisation: "bank", Conditions: conditions(), Entry: "bank/offer-1"}
}

// locked is a product whose money buys seedlings.
func locked() loan.Product {
	p := product()
	p.Conditions.Supplies = []string{"seedlings"}
	return p
}

func formed(state group.State) *group.Group {
	g := group.Group{V: 1, Scheme: coffee, ID: "g1", State: state, At: noon, Entry: "bank/approve-1", Agreement: group.Agreement{Expiry: "2028-06-30", Form: "joint-and-several",
		GroupMax: cny(10_000_000), GuaranteeMonths: 24, Lenders: []string{"bank", "union"}, MemberMax: cny(6_000_000), MutualRecourse: true, Shares: group.EqualShares, Terms: 1}}
	for i := 1; i <= 4; i++ {
		g.Members = append(g.Members, group.GroupMember{Household: household(i), Fingerprint: fmt.Sprintf("invented-household-%02dA", i), Joined: noon - tape.Day})
	}
	return &g
}

func standing(n int) loan.Standing {
	return loan.Standing{Member: &group.Member{V: 1, Household: household(n), Person: person(n), Fingerprint: fmt.Sprintf("invented-household-%02dA", n), State: group.Admitted},
		Debts: group.Debts{Household: household(n)}, Borrowed: group.Borrowed{Household: household(n), Open: cny(0)}}
}

func frame() loan.Frame {
	p := product()
	f := loan.Frame{Scheme: scheme(), Version: version(), Offer: &loan.Offer{V: 1, Latest: 1, Version: 1}, Product: &p, Group: formed(group.Active),
		Assessment: loan.Assessment{Outcome: loan.Approve, Score: 82, Limit: cny(3_000_000), Model: "coffee-1"}}
	for i := 1; i <= 4; i++ {
		f.Standing = append(f.Standing, standing(i))
	}
	return f
}

func apply() loan.Apply {
	return loan.Apply{Account: coffee, Amount: cny(1_200_000), Group: "g1", Household: household(1), ID: "l1", Product: "season", ProductVersion: 1, Purpose: "inputs", Terms: annuity()}
}

// by is a command of an organisation's gateway that persons signed: "maker" is
// staff of the caller's organisation, "maker@bank" of another; "h1" is the member
// of household 1; "h1!agent-held" says who holds the key.
func by(organisation string, persons ...string) tape.Context {
	return on(today, organisation, persons...)
}

// on is the same on another day.
func on(day tape.Date, organisation string, persons ...string) tape.Context {
	ctx := tape.Context{Organisation: organisation, Role: "gateway", At: noon + tape.Instant(today.DaysUntil(day))*tape.Day, Date: day, Rules: 1, Command: "c", Subject: loan.Subject}
	switch organisation {
	case "coop":
		ctx.Powers = []string{party.Cooperative}
	case "bank", "union":
		ctx.Powers = []string{party.Lender}
	case "county":
		ctx.Powers = []string{party.Regulator}
	}
	for _, one := range persons {
		name, custody, held := strings.Cut(one, "!")
		if !held {
			custody = "own"
		}
		name, of, other := strings.Cut(name, "@")
		if !other {
			of = organisation
		}
		a := tape.Approval{Person: tape.ID(name), Organisation: of, Custody: custody, Duty: "staff"}
		if strings.HasPrefix(name, "h") {
			a.Organisation, a.Duty = "coop", "member"
		}
		ctx.Approvals = append(ctx.Approvals, a)
	}
	return ctx
}

// applied is an application that all have signed, and the model approved.
func applied(t *testing.T, f loan.Frame) loan.Loan {
	t.Helper()
	c := apply()
	l, _, err := c.Apply(f, by("coop", "h1", "h2", "h3", "h4"))
	return must(t, l, err)
}

func must[R any](t *testing.T, record R, err error) R {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return record
}

// plan is the one advance of today.
func plan() []terms.Advance { return []terms.Advance{{Amount: cny(1_200_000), Date: today}} }

func contracted(t *testing.T) loan.Loan {
	t.Helper()
	l := applied(t, frame())
	quote := must2(l.Quote(plan()))(t)
	l, _, err := l.ContractLoan(loan.ContractLoan{Account: coffee, Advances: plan(), ID: "contract-1", Loan: "l1", Quote: must2(quote.Hash())(t)}, 30, frame(), by("coop", "h1"))
	return must(t, l, err)
}

func must2[R any](record R, err error) func(*testing.T) R {
	return func(t *testing.T) R {
		t.Helper()
		return must(t, record, err)
	}
}

func disbursing() loan.Disbursing {
	f := frame()
	return loan.Disbursing{Group: f.Group, Standing: f.Standing}
}

// running is a loan of 12,000.00 CNY that was paid out today.
func running(t *testing.T) loan.Loan {
	t.Helper()
	l, _, _, err := contracted(t).Disburse(loan.Disburse{Account: coffee, Amount: cny(1_200_000), Expires: noon + tape.Day, ID: "out-1", Loan: "l1", To: cash(1), Tranche: 1}, disbursing(), by("bank", "maker", "checker"))
	l = must(t, l, err)
	l, _, err = l.BookTranche(loan.BookTranche{Account: coffee, ID: "book-1", Loan: "l1", Tranche: 1}, []*tape.Hold{paid("out-1", 1_200_000, today)}, by("coop"))
	return must(t, l, err)
}

// paid is a payout that the bank's line has paid.
func paid(id tape.ID, units int64, day tape.Date) *tape.Hold {
	return &tape.Hold{V: 1, Account: lending, ID: id, To: cash(1), Amount: cny(units), Captured: tape.Spans{{Start: 0, End: units}}, Paid: day, State: tape.HoldCaptured}
}

// spelled writes a situation; one whose amounts have no currency, which JSON
// refuses, is written plainly.
func spelled(value any) string {
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprintf("%+v", value)
	}
	return string(data)
}

// row is a situation in which a command is refused, for ruletest.Refusals.
type row[S any] struct {
	Change func(*S)
	Want   string
}
