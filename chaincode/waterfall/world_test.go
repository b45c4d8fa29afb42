package waterfall_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/chaincode/waterfall"
)

// Whoever stands here is invented. The settlement is that of 2026-11-30 with a window of 30 days.
const (
	day    = tape.Date("2026-11-30")
	bank   = tape.AccountID("lender:bank:loans")
	fund   = tape.AccountID("coop:coop:own-fund")
	pool   = tape.AccountID("pool:bank:county")
	miller = tape.AccountID("supplier:mill:sales")
)

// house is an invented household; the names of one to nine stand in this order.
func house(n int) tape.AccountID { return houses[n-1] }

var houses = func() []tape.AccountID {
	list := make([]tape.AccountID, 9)
	for i := range list {
		list[i] = tape.AccountID(fmt.Sprintf("household:%s:coffee", tape.PseudonymFrom(fmt.Sprint("invented ", i))))
	}
	slices.Sort(list)
	return list
}()

func cny(units int64) money.Amount { return money.New(units, "CNY") }

func terms() waterfall.Terms {
	return waterfall.Terms{Day: day, LivingFloor: cny(0), WindowDays: 30}
}

// debt is owed to one creditor.
func debt(reference waterfall.Reference, owed int64, creditor tape.AccountID) waterfall.Debt {
	return waterfall.Debt{Creditors: []waterfall.Creditor{{Account: creditor, Weight: 1}}, Owed: cny(owed), Reference: reference}
}

func due(rank waterfall.Rank, reference waterfall.Reference, date tape.Date, units int64) waterfall.Due {
	return waterfall.Due{Amount: cny(units), Date: date, Debt: reference, Rank: rank}
}

const (
	loanA  = waterfall.Reference("loan/coop:coop:coffee/a")
	loanB  = waterfall.Reference("loan/coop:coop:coffee/b")
	callA  = waterfall.Reference("recourse/coop:coop:coffee/a/g1")
	callB  = waterfall.Reference("recourse/coop:coop:coffee/a/g2")
	pooled = waterfall.Reference("claim/pool:bank:county/c1")
)

// position owes something in every rank: 300.00 overdue, 200.00 in the window,
// 100.00 and 50.00 to two guarantors, 80.00 to the pool, and prepays 400.00.
func position(share int64) waterfall.Position {
	return waterfall.Position{Household: house(1), Share: cny(share),
		Debts: []waterfall.Debt{debt(loanA, 100_000, bank), debt(callA, 10_000, house(2)), debt(callB, 5_000, house(3)), debt(pooled, 8_000, pool)},
		Dues: []waterfall.Due{
			due(waterfall.Prepayment, loanA, "2027-03-01", 40_000),
			due(waterfall.Pool, pooled, "2026-05-01", 8_000),
			due(waterfall.Recourse, callB, "2026-04-01", 5_000),
			due(waterfall.Recourse, callA, "2026-04-01", 10_000),
			due(waterfall.Window, loanA, "2026-12-15", 20_000),
			due(waterfall.Overdue, loanA, "2026-09-15", 30_000),
		}}
}

// told writes an outcome in one line: rank, debt, creditor and units of each line, and the rest.
func told(o waterfall.Outcome) string {
	names := map[tape.AccountID]string{bank: "bank", fund: "fund", pool: "pool"}
	for i, h := range houses {
		names[h] = fmt.Sprint("h", i+1)
	}
	var words []string
	for _, line := range o.Lines {
		parts := strings.Split(string(line.Debt), "/")
		words = append(words, fmt.Sprintf("%s %s %s %d", line.Rank, parts[len(parts)-1], names[line.Creditor], line.Amount.Units))
	}
	return strings.Join(append(words, fmt.Sprintf("rest %d", o.Rest.Units)), "; ")
}

// digest is the hash of a value's canonical bytes.
func digest(t *testing.T, value any) string {
	t.Helper()
	plain, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	data, err := canonical.Encode(json.RawMessage(plain))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// row is a situation in which a command is refused, for ruletest.Refusals.
type row[S any] struct {
	Change func(*S)
	Want   string
}
