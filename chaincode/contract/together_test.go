package contract_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/hyperledger/fabric-protos-go-apiv2/peer"

	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/peertest"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// sent is a command that somebody's gateway sends.
type sent struct {
	as, function string
	command      any
}

// together endorses commands by one and the same state, orders them into one
// block, and returns what the peers say of each.
func (w *world) together(all ...sent) []peer.TxValidationCode {
	w.Helper()
	var batch []*peertest.Endorsed
	for _, one := range all {
		endorsed, err := w.Endorse(w.identity(one.as), one.function, encode(w, one.command))
		if err != nil {
			w.Fatalf("%s by %s: %v", one.function, one.as, err)
		}
		batch = append(batch, endorsed)
	}
	results, err := w.Commit(batch...)
	if err != nil {
		w.Fatal(err)
	}
	var codes []peer.TxValidationCode
	for _, result := range results {
		codes = append(codes, result.Code)
	}
	return codes
}

// TestApplicationsTogether: applications of one block read no key that another of
// them writes, whether their groups are the same or not, so none has to be repeated;
// nor do the bank's decisions on them. A thousand at once are a measurement of lianbao bench.
func TestApplicationsTogether(t *testing.T) {
	const groups = 8
	w := newWorld(t)
	w.schemeOf(orchard, 3*groups)
	w.lends()
	var apply, decide []sent
	for g := range groups {
		id, seats := tape.ID(fmt.Sprint("g", g)), []int{3*g + 1, 3*g + 2, 3*g + 3}
		w.reviewed(orchard, id, seats...)
		w.must("bank", "Group:ApproveGroup", w.granted(orchard, id, "approve-"+id))
		for _, n := range seats[:2] { // two of a group borrow first
			c := applyFor(tape.ID(fmt.Sprint("l", n)), n, 2_000_00)
			c.Group = id
			apply = append(apply, sent{"insurer", "Loan:ApplyForLoan", w.signed("apply-for-loan", orchard, c.Amount, c, seat(seats[0]), seat(seats[1]), seat(seats[2]))})
			yes := loan.Decide{Account: orchard, Amount: c.Amount, ID: "decide-" + c.ID, Loan: c.ID, Reason: "meets-conditions"}
			decide = append(decide, sent{"bank", "Loan:DecideLoan", w.signed("decide-loan", orchard, c.Amount, yes, bankStaff...)})
		}
	}
	for _, all := range [][]sent{apply, decide} {
		if codes := w.together(all...); slices.ContainsFunc(codes, func(c peer.TxValidationCode) bool { return c != peer.TxValidationCode_VALID }) {
			t.Errorf("%s in one block: %v", all[0].function, codes)
		}
	}
}

// TestTwoAtOnce: of two commands about one loan or group in one block the first
// wins. The other is sent again, as a lane does, and is done, or refused by name.
func TestTwoAtOnce(t *testing.T) {
	w := newWorld(t)
	w.groups()
	w.lends()
	w.must("insurer", "Loan:ApplyForLoan", w.signed("apply-for-loan", orchard, cny(12_000_00), applyFor("l1", 1, 12_000_00), seat(1)))
	guarantee := func(id tape.ID, n int) sent {
		return sent{"insurer", "Loan:GuaranteeLoan", w.signed("guarantee-loan", orchard, cny(12_000_00), loan.Guarantee{Account: orchard, Application: "insurer/l1", ID: id, Loan: "l1"}, seat(n))}
	}
	decide := sent{"bank", "Loan:DecideLoan", w.signed("decide-loan", orchard, cny(12_000_00), loan.Decide{Account: orchard, Amount: cny(12_000_00), ID: "decide-1", Loan: "l1", Reason: "meets-conditions"}, bankStaff...)}
	withdraw := sent{"insurer", "Loan:WithdrawLoan", w.signed("withdraw-loan", orchard, cny(12_000_00), loan.WithdrawLoan{Account: orchard, ID: "withdraw-1", Loan: "l1"}, seat(1))}
	for _, c := range []struct {
		name        string
		first, then sent
		// want is why the second is refused when it is sent again; empty where it is done.
		want string
	}{
		{"two guarantors consent", guarantee("guarantee-2", 2), guarantee("guarantee-3", 3), ""},
		{"the last guarantor consents, twice under two names", guarantee("guarantee-4", 4), guarantee("guarantee-5", 4), "wrong-state: loan l1 is referred; only an application waits for consent"},
		{"the household withdraws what the bank approves", withdraw, decide, "wrong-state: loan l1 is withdrawn"},
	} {
		codes := w.together(c.first, c.then)
		if codes[0] != peer.TxValidationCode_VALID || codes[1] != peer.TxValidationCode_MVCC_READ_CONFLICT {
			t.Errorf("%s: %v", c.name, codes)
		}
		if c.want == "" {
			w.must(c.then.as, c.then.function, c.then.command)
		} else {
			w.refused(c.want, c.then.as, c.then.function, c.then.command)
		}
	}
}
