package contract_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/contract"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// carriers is by whom each function was tried: the organisation and its role,
// where it was done, or refused as forbidden.
type carriers map[string]map[string]bool

// judged is nil but while TestWhoCarries runs.
var judged carriers

func (c carriers) note(function, as string) {
	if c == nil {
		return
	}
	if !strings.Contains(as, ":") {
		as += ":gateway"
	}
	if c[function] == nil {
		c[function] = map[string]bool{}
	}
	c[function][as] = true
}

// everybody tries a command by every role of every organisation, while that is what
// is tested. The gateways of those who may carry it, of all where none is named, are
// asked what would come of it and write nothing: anything but forbidden.
func (w *world) everybody(function string, may []string, argument func(organisation string) any) {
	w.Helper()
	if judged == nil {
		return
	}
	for _, organisation := range organisations {
		for _, role := range []string{"auditor", "admin"} {
			w.forbids(organisation+":"+role, function, argument(organisation))
		}
		if len(may) == 0 || slices.Contains(may, organisation) {
			w.probes(organisation, function, argument(organisation))
		} else {
			w.forbids(organisation, function, argument(organisation))
		}
	}
}

// forbids is refused of who may not, or of who registered the key of somebody who
// signed, and waits for thirty days.
func (w *world) forbids(as, function string, command any) {
	w.Helper()
	before := w.State().Digest()
	_, err := w.do(as, function, command)
	var refusal *rule.Refusal
	if !errors.As(err, &refusal) || refusal.Code != rule.Forbidden && !strings.HasPrefix(refusal.Error(), "early: field intents[") || w.State().Digest() != before {
		w.Errorf("%s by %s: %v, and nothing may be written", function, as, err)
	}
	judged.note(function, as)
}

// probes says what a command would come to, and must not be forbidden.
func (w *world) probes(as, function string, command any) {
	w.Helper()
	_, err := w.Evaluate(w.identity(as), function, encode(w, command))
	var refusal *rule.Refusal
	if errors.As(err, &refusal) && refusal.Code == rule.Forbidden {
		w.Errorf("%s by %s: %v", function, as, err)
	}
	judged.note(function, as)
}

// always is one argument, whoever brings it.
func always(argument any) func(string) any { return func(string) any { return argument } }

// byStaff is a command that maker and checker of whoever carries it have signed.
func (w *world) byStaff(action string, subject tape.AccountID, amount money.Amount, command any) func(string) any {
	return func(organisation string) any {
		return w.signed(action, subject, amount, command, tape.ID(organisation+"-maker"), tape.ID(organisation+"-checker"))
	}
}

// TestWhoCarries tries every command of the cooperative's contracts by every role
// of every organisation, past the gateway: each is done, or refused as forbidden. A
// function that a contract gains is missing here until it has a row.
func TestWhoCarries(t *testing.T) {
	judged = carriers{}
	defer func() { judged = nil }()
	for name, table := range map[string]func(*testing.T){"groups": whoCarriesGroups, "loans": whoCarriesLoans, "credit": whoCarriesCredit, "pools": whoCarriesPools, "calls": whoCarriesCalls,
		"harvest": whoCarriesHarvest, "supplies": TestPurposeLocked, "lines": TestALine, "sales": TestASeason, "abandoned": TestASettlementIsAbandoned, "undone": TestWhatTheBankUndoes, "takenOver": TestTakenOver, "months": TestCloseMonth} {
		t.Run(name, table)
	}
	for _, of := range []any{new(contract.Group), new(contract.Loan), new(contract.Harvest), new(contract.Settlement), new(contract.Recourse), new(contract.Pool), new(contract.Credit), new(contract.Books)} {
		for _, function := range transactions(of) {
			var missing []string
			for _, organisation := range organisations {
				for _, role := range []string{"gateway", "auditor", "admin"} {
					if as := organisation + ":" + role; !judged[function][as] {
						missing = append(missing, as)
					}
				}
			}
			if len(missing) > 0 {
				t.Errorf("%s was not tried by %s", function, strings.Join(missing, ", "))
			}
		}
	}
}

// transactions are the functions of a contract that callers reach.
func transactions(of any) []string {
	var found []string
	value := reflect.ValueOf(of)
	for i := range value.NumMethod() {
		if _, is := value.Method(i).Interface().(func(contract.Context, string) (string, error)); is {
			found = append(found, value.Elem().Type().Name()+":"+value.Type().Method(i).Name)
		}
	}
	slices.Sort(found)
	return found
}
