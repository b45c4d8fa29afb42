package loan_test

import (
	"encoding/json"
	"testing"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/loan/terms"
)

// written is a loan as it is read back.
func written(t *testing.T, l loan.Loan) loan.Loan {
	t.Helper()
	data, err := canonical.Encode(l)
	if err != nil {
		t.Fatal(err)
	}
	var read loan.Loan
	if err := json.Unmarshal(data, &read); err != nil {
		t.Fatal(err)
	}
	return read
}

// TestProgresses: a payment is all that its own record holds; whatever else changes is written with the loan.
func TestProgresses(t *testing.T) {
	for _, test := range []struct {
		what   string
		change func(l *loan.Loan)
		alone  bool
	}{
		{"nothing", func(*loan.Loan) {}, true},
		{"a payment", func(l *loan.Loan) {
			paid, _, err := l.Pay(loan.Pays{Amount: cny(50_000), Date: today, Mostly: loan.UntilPayoff}, by("bank").Entry("pay-2", "repay-loan", "coop"))
			*l = must(t, paid, err)
		}, true},
		{"days past due", func(l *loan.Loan) { l.LastOverdue, l.DaysPastDueMax = today, 92 }, true},
		{"its last change", func(l *loan.Loan) { l.At, l.Entry = l.At+1, "bank/other" }, true},
		{"its state", func(l *loan.Loan) { l.State = loan.Closed }, false},
		{"a tranche", func(l *loan.Loan) { l.Tranches = append(l.Tranches, loan.Tranche{Amount: cny(1)}) }, false},
		{"an advance", func(l *loan.Loan) {
			l.Book.Advances = append(l.Book.Advances, terms.Advance{Amount: cny(1), Date: today})
		}, false},
		{"a schedule", func(l *loan.Loan) { l.Book.Schedule = l.Book.Schedule[1:] }, false},
		{"a default", func(l *loan.Loan) { l.Defaulted = today }, false},
		{"a guarantor", func(l *loan.Loan) { l.Guarantors = l.Guarantors[1:] }, false},
	} {
		l, err := takenOver(t, ranBefore())
		stands := written(t, must(t, l, err))
		changed := written(t, stands)
		test.change(&changed)
		if alone := changed.Progresses(stands); alone != test.alone {
			t.Errorf("%s is written alone: %t", test.what, alone)
		}
		progress := changed.Progress()
		if again := stands.With(&progress); test.alone && !same(t, again, changed) {
			t.Errorf("%s: read back as %+v, not %+v", test.what, again, changed)
		}
	}
}

func same(t *testing.T, a, b loan.Loan) bool {
	one, err := canonical.Encode(a)
	other, err2 := canonical.Encode(b)
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	return string(one) == string(other)
}
