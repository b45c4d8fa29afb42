package cooperative_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/settlement"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

const (
	coffee  = tape.AccountID("coop:coop:coffee")
	lending = tape.AccountID("lender:bank:coffee")
	noon    = tape.Instant(1_767_240_000_000) // 2026-01-01 12:00 in the zone +08:00
	today   = tape.Date("2026-01-01")
)

func cny(units int64) money.Amount { return money.New(units, "CNY") }

// household is an invented household of the scheme; a lower number stands before a higher one by name.
func household(n int) tape.AccountID {
	return tape.AccountID("household:" + pseudonym(n) + ":coffee")
}

var pseudonyms = func() []string {
	var all []string
	for i := range 600 {
		all = append(all, string(tape.PseudonymFrom(fmt.Sprint("invented household ", i))))
	}
	slices.Sort(all)
	return all
}()

func pseudonym(n int) string { return pseudonyms[n] }

// books are an invented ledger, written record by record.
type books struct {
	*testing.T
	model  *readmodel.Model
	number uint64
	hash   []byte
	writes []readmodel.Write
	// calls and compensated are what settlements know beside loans, by loan.
	calls       settlement.Calls
	compensated map[tape.ID][]settlement.Compensated
}

func newBooks(t *testing.T) *books {
	m, err := readmodel.Open(t.Context(), filepath.Join(t.TempDir(), "model.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return &books{T: t, model: m}
}

// put writes a record in the block to come.
func (b *books) put(key string, record any) {
	b.Helper()
	value, err := json.Marshal(record)
	if err != nil {
		b.Fatal(err)
	}
	b.writes = append(b.writes, readmodel.Write{Key: key, Value: value})
}

// entry writes an entry in the block to come; one a block.
func (b *books) entry(e tape.Entry) tape.Entry {
	e.V, e.Role, e.Rules, e.Command = 1, "gateway", 1, "00"
	if e.Organisation == "" {
		e.Organisation = "coop"
	}
	if e.BusinessDate == "" {
		e.BusinessDate = today
	}
	b.put("entry/"+e.Reference(), e)
	return e
}

// block ends the block, as one transaction, and reads it.
func (b *books) block() {
	b.Helper()
	hash := []byte(fmt.Sprint("block ", b.number))
	slices.SortFunc(b.writes, func(x, y readmodel.Write) int { return strings.Compare(x.Key, y.Key) })
	block := readmodel.Block{Number: b.number, Hash: hash, PreviousHash: b.hash, Transactions: []readmodel.Transaction{
		{ID: fmt.Sprintf("%064x", b.number+1), Valid: true, Code: "VALID", Function: "Invented:Records", Creator: "coop", At: noon, Writes: b.writes}}}
	if err := b.model.Apply(b.Context(), block); err != nil {
		b.Fatal(err)
	}
	if c, err := b.model.Digest(b.Context()); err != nil || len(c.Aside) > 0 {
		b.Fatalf("set aside: %v, %v", c.Aside, err)
	}
	b.number, b.hash, b.writes = b.number+1, hash, nil
}

// annuity is 12 monthly instalments at 6 % a year.
func annuity() terms.Terms {
	return terms.Terms{Method: terms.Annuity, RatePartsPerMillion: 60_000, DayCount: terms.Act365, Rounding: terms.HalfEven, Instalments: 12, Every: terms.Interval{Months: 1}}
}

// flat has so many equal instalments without interest, a month apart: what is owed of it can be told by head.
func flat(instalments int32) terms.Terms {
	return terms.Terms{Method: terms.EqualPrincipal, DayCount: terms.Act365, Rounding: terms.HalfEven, Instalments: instalments, Every: terms.Interval{Months: 1}}
}

// lent is a running loan of a household, all paid out on a day.
func lent(id tape.ID, of tape.AccountID, units int64, day tape.Date, t terms.Terms, change ...func(*loan.Loan)) loan.Loan {
	advance := terms.Advance{Amount: cny(units), Date: day}
	schedule, err := t.Schedule([]terms.Advance{advance})
	if err != nil {
		panic(err)
	}
	l := loan.Loan{V: 1, Scheme: coffee, ID: id, State: loan.Running, Household: of, Group: "g1", Organisation: "bank", Product: "season", ProductVersion: 1, SchemeVersion: 1, Purpose: "inputs",
		Principal: cny(units), Lenders: []loan.Lender{{Account: lending, Organisation: "bank", PartsPerMillion: 1_000_000}}, TermEnd: day.AddMonths(36), Terms: t,
		Contract: &loan.Contract{Date: day}, Tranches: []loan.Tranche{{Amount: cny(units), Paid: day}}, Book: loan.Book{Advances: []terms.Advance{advance}, Schedule: schedule.Instalments}, Applied: day}
	for _, c := range change {
		c(&l)
	}
	return l
}

// paid is a payment in the loan's book.
func paid(units int64, day tape.Date, entry string) func(*loan.Loan) {
	return func(l *loan.Loan) {
		l.Book.Payments = append(l.Book.Payments, loan.Payment{Amount: cny(units), Date: day, Entry: entry})
	}
}

func version() group.SchemeTerms {
	return group.SchemeTerms{CureDays: 30, DefaultDays: 30, ExclusionMonths: 24, GroupMonthsMax: 36, GroupSizeMax: 5, GroupSizeMin: 3, GuaranteeMonths: 24,
		LivingFloor: cny(0), MemberMax: cny(6_000_000), MemberSharePartsPerMillion: 400_000, NoticeDays: []int32{1, 15}, OriginatorPartsPerMillion: 300_000,
		PoolingDays: 30, RefillDays: 90, StayDaysMax: 180, WindowDays: 30}
}

// scheme writes the scheme, its terms and one group of four households.
func (b *books) scheme() {
	b.put(group.SchemeKey(coffee), group.Scheme{V: 1, Account: coffee, Organisation: "coop", Currency: "CNY", Version: 1, Lenders: []string{"bank", "union"}, At: noon, Entry: "bank/accept-1"})
	b.put(group.TermsKey(coffee, 1), group.Terms{V: 1, Version: 1, Lenders: []string{"bank", "union"}, Terms: version(), From: today, Entry: "bank/accept-1"})
	g := group.Group{V: 1, Scheme: coffee, ID: "g1", State: group.Active, At: noon, Entry: "bank/approve-1", Agreement: group.Agreement{Expiry: "2028-06-30", Form: "joint-and-several",
		GroupMax: cny(10_000_000), GuaranteeMonths: 24, Lenders: []string{"bank", "union"}, MemberMax: cny(6_000_000), MutualRecourse: true, Shares: group.EqualShares, Terms: 1}}
	for n := range 4 {
		g.Members = append(g.Members, group.GroupMember{Household: household(n), Fingerprint: fingerprint(n), Joined: noon - tape.Day})
		b.member(n, "")
	}
	b.put(group.GroupKey(coffee, "g1"), g)
}

func fingerprint(n int) string { return fmt.Sprintf("invented-household-%03dA", n) }

func (b *books) member(n int, agent tape.ID) {
	b.put(group.MemberKey(coffee, household(n)), group.Member{V: 1, Household: household(n), Person: tape.ID(fmt.Sprint("h", n)), Fingerprint: fingerprint(n), Agent: agent, State: group.Admitted, At: noon, Entry: "coop/admit"})
	b.put(group.StandingKey(fingerprint(n)), group.Standing{V: 1, Households: []group.Membership{{Scheme: coffee, Household: household(n)}}, Group: &group.Place{Scheme: coffee, Group: "g1"}, At: noon, Entry: "coop/admit"})
}
