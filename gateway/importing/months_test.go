package importing

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/statement"
)

// months are the statements of one bank account: each begins with what the one before closed with.
type months struct {
	*world
	files    []string
	openings []int64
	credits  []int64
	finished []bool
}

func newMonths(t *testing.T, random *rand.Rand) *months {
	m := &months{world: newWorld(t)}
	m.must("charity", "gateway", "Tape:Open", tape.Open{Account: "charity:charity:year", Attribution: tape.FIFO, Currency: "VND", Custodian: "outside:bank:year", ID: "year"})
	balance := int64(0)
	for month := range 3 {
		text, credits, debits := header, int64(0), int64(0)
		for line := range 5 + random.IntN(20) {
			credit, debit := 1000+random.Int64N(9000), int64(0)
			if random.IntN(8) == 0 && balance+credits-debits > 100 {
				credit, debit = 0, 100
			}
			credits, debits = credits+credit, debits+debit
			text += fmt.Sprintf("%d,2024-%02d-%02d,,R%d,%d,%d,VND,fake\n", line+1, 9+month, 1+line, line, debit, credit)
		}
		m.files = append(m.files, m.file(fmt.Sprintf("month-%d.csv", month), text))
		m.openings, m.credits = append(m.openings, balance), append(m.credits, credits)
		balance += credits - debits
	}
	m.finished = make([]bool, len(m.files))
	return m
}

// take imports a month; a run dies at a random command now and then.
func (m *months) take(random *rand.Rand, month int) (Result, error) {
	begun, dies := m.sent, 1+random.IntN(12)
	what := []fault{none, killedBefore, killedAfter, doubled}[random.IntN(4)]
	m.fault = func(sent int) fault {
		if sent-begun == dies {
			return what
		}
		return none
	}
	o := m.order(m.files[month])
	o.Account = "charity:charity:year"
	o.Mapping = statement.Mapping{V: 1, Balances: statement.Balances{Opening: fmt.Sprintf("%d VND", m.openings[month])}}
	return m.run(o)
}

// TestMonthsInAnyOrder imports three statements in an order of the seed's
// choice, each perhaps more than once and in pieces, because its run dies. What
// comes before its turn is refused by the balance that it opens with, and in
// the end every gift has settled once.
func TestMonthsInAnyOrder(t *testing.T) {
	seeds := uint64(30)
	if testing.Short() {
		seeds = 6
	}
	refused := 0
	for seed := range seeds {
		random := rand.New(rand.NewPCG(seed, 9))
		m := newMonths(t, random)
		for try := 0; !m.finished[0] || !m.finished[1] || !m.finished[2]; try++ {
			if try == 200 {
				t.Fatalf("seed %d: after %d runs only %v are imported", seed, try, m.finished)
			}
			month := random.IntN(len(m.files))
			if !m.finished[0] {
				month = 0 // whatever comes first may open with any balance: nothing stands before it
			}
			height := m.network.Height()
			result, err := m.take(random, month)
			switch {
			case err == nil && m.finished[month] && (!result.Repeated || m.network.Height() != height):
				t.Errorf("seed %d: month %d again: %s, %d blocks", seed, month, figures(result), m.network.Height()-height)
			case err == nil:
				m.finished[month] = true
				if result.Unmatched != 0 || result.SettledTotal.Units != m.credits[month] || result.Opening.Units != m.openings[month] {
					t.Errorf("seed %d: month %d: %s", seed, month, figures(result))
				}
			case rule.Is(err, rule.Conflict) && strings.Contains(err.Error(), "opening"):
				refused++
				if month == 0 || m.finished[month] || m.network.Height() != height {
					t.Errorf("seed %d: month %d is refused: %v", seed, month, err)
				}
			case !strings.Contains(err.Error(), errKilled.Error()):
				t.Fatalf("seed %d: month %d: %v", seed, month, err)
			}
		}
		if got := m.received("charity:charity:year").Units; got != m.credits[0]+m.credits[1]+m.credits[2] {
			t.Errorf("seed %d: the tape received %d, want %v", seed, got, m.credits)
		}
	}
	if refused == 0 {
		t.Error("no statement ever came before its turn")
	}
}
