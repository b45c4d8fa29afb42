package main

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/loan/terms"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/api"
	"github.com/lianbao/lianbao/gateway/cooperative"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

const (
	seenScheme = tape.AccountID("coop:coop:coffee")
	seenToken  = "a-token-of-at-least-thirty-two-characters"
)

// seenHousehold is an invented household.
func seenHousehold(n int) tape.AccountID {
	return tape.AccountID("household:" + string(tape.PseudonymFrom(fmt.Sprint("invented ", n))) + ":coffee")
}

// seenLoan is a running loan of 1,200.00 CNY in twelve instalments without interest.
func seenLoan(t *testing.T, id tape.ID, n int, from tape.Date) loan.Loan {
	twelve := terms.Terms{Method: terms.EqualPrincipal, DayCount: terms.Act365, Rounding: terms.HalfEven, Instalments: 12, Every: terms.Interval{Months: 1}}
	advance := terms.Advance{Amount: money.New(120_000, "CNY"), Date: from}
	schedule, err := twelve.Schedule([]terms.Advance{advance})
	if err != nil {
		t.Fatal(err)
	}
	return loan.Loan{V: 1, Scheme: seenScheme, ID: id, State: loan.Running, Household: seenHousehold(n), Group: "g1", Organisation: "bank", SchemeVersion: 1, Principal: advance.Amount, Terms: twelve,
		Lenders: []loan.Lender{{Account: "lender:bank:coffee", Organisation: "bank", PartsPerMillion: 1_000_000}}, Guarantors: []loan.Guarantor{{Household: seenHousehold(9)}}, Tranches: []loan.Tranche{{Amount: advance.Amount, Paid: from}},
		Book: loan.Book{Advances: []terms.Advance{advance}, Schedule: schedule.Instalments}}
}

// coopGateway is a gateway whose read model holds an invented season, and how it is asked.
func coopGateway(t *testing.T, organisation string) (address, token string) {
	model, err := readmodel.Open(t.Context(), filepath.Join(t.TempDir(), "model.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = model.Close() })
	agreement := group.Agreement{Expiry: "2028-06-30", GroupMax: money.New(10_000_000, "CNY"), MemberMax: money.New(6_000_000, "CNY")}
	version := group.SchemeTerms{DefaultDays: 30, PoolingDays: 30, LivingFloor: money.New(0, "CNY"), MemberMax: money.New(6_000_000, "CNY"), NoticeDays: []int32{1}}
	order := func(id, of tape.ID) loan.Order {
		return loan.Order{V: 1, ID: id, Loan: of, Supplier: "outside:supplier:s1", Category: "seedlings", Amount: money.New(5000, "CNY"), Invoice: "invented-invoice-0001A", Place: string("invented-place-" + id), State: loan.Delivered, Date: "2026-01-05"}
	}
	late, well := seenLoan(t, "l1", 1, "2025-09-02"), seenLoan(t, "l2", 2, "2025-12-20")
	records := map[string]any{
		party.LedgerKey():                             party.Ledger{V: 1, Zone: "+08:00"},
		party.PowersKey("county"):                     party.Powers{V: 1, Powers: []string{party.Regulator}},
		group.SchemeKey(seenScheme):                   group.Scheme{V: 1, Account: seenScheme, Organisation: "coop", Currency: "CNY", Version: 1, Lenders: []string{"bank"}},
		group.TermsKey(seenScheme, 1):                 group.Terms{V: 1, Version: 1, Lenders: []string{"bank"}, Terms: version},
		group.GroupKey(seenScheme, "g1"):              group.Group{V: 1, Scheme: seenScheme, ID: "g1", State: group.Frozen, Agreement: agreement, Cause: &group.Cause{Reason: "overdue"}, Members: []group.GroupMember{{Household: seenHousehold(1)}, {Household: seenHousehold(2)}}},
		late.Reference():                              late,
		well.Reference():                              well,
		loan.OrderKey(seenScheme, "o1"):               order("o1", "l1"),
		loan.OrderKey(seenScheme, "o2"):               order("o2", "l2"),
		loan.NoticeKey(seenScheme, "l1", 1, 1):        loan.Notice{V: 1, Instalment: 1, DaysPastDue: 91, Owed: money.New(30_000, "CNY"), Told: []tape.AccountID{seenHousehold(1), seenHousehold(9)}, Date: "2026-01-01", Entry: "bank/notice-1"},
		group.MemberKey(seenScheme, seenHousehold(1)): group.Member{V: 1, Household: seenHousehold(1), Person: "h1", Fingerprint: "invented-household-001A", State: group.Admitted},
		"entry/coop/moves":                            tape.Entry{V: 1, ID: "moves", Organisation: "coop", Kind: "spend", BusinessDate: "2026-01-05", Postings: []tape.Posting{{From: "outside:bank:main", To: "outside:household:someone", Amount: money.New(500, "CNY")}}},
	}
	var writes []readmodel.Write
	for key, record := range records {
		value, err := json.Marshal(record)
		if err != nil {
			t.Fatal(err)
		}
		writes = append(writes, readmodel.Write{Key: key, Value: value})
	}
	slices.SortFunc(writes, func(a, b readmodel.Write) int { return strings.Compare(a.Key, b.Key) })
	if err := model.Apply(t.Context(), readmodel.Block{Hash: []byte{1}, Transactions: []readmodel.Transaction{{ID: "t1", Valid: true, Function: "Invented:Records", Writes: writes}}}); err != nil {
		t.Fatal(err)
	}
	if digest, err := model.Digest(t.Context()); err != nil || len(digest.Aside) > 0 {
		t.Fatalf("set aside: %v, %v", digest.Aside, err)
	}
	server := httptest.NewServer(api.New(api.Parts{Organisation: organisation, Model: model, Token: seenToken}))
	t.Cleanup(server.Close)
	token = filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(seenToken+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return server.URL, token
}

// TestCoop types what a bookkeeper and a regulator type.
func TestCoop(t *testing.T) {
	ask := map[string][2]string{}
	for _, organisation := range []string{"coop", "bank", "county", "insurer"} {
		address, token := coopGateway(t, organisation)
		ask[organisation] = [2]string{address, token}
	}
	for _, c := range []struct {
		as, typed string
		exit      int
		want      []string
	}{
		{"coop", "schemes", 0, []string{"coop:coop:coffee  coop         bank     1      1 frozen"}},
		{"bank", "portfolio --lender bank --day 2026-01-01 --next 20", 0, []string{"gross portfolio", "2,400.00 CNY", "substandard", "PAR30                    1,200.00 CNY  50.00 %", "PAR90                    1,200.00 CNY  50.00 %", "2026-01-20  l2"}},
		{"coop", "portfolio --lender bank", 3, []string{"forbidden: coop does not read the book of bank"}},
		{"insurer", "arrears coop:coop:coffee", 3, []string{"forbidden: insurer has no part in coop:coop:coffee"}},
		{"coop", "arrears coop:coop:coffee --day 2026-01-01", 0, []string{"l1", "91 days", "300.00 CNY", "substandard"}},
		{"coop", "groups coop:coop:coffee --day 2026-01-01", 0, []string{"g1     frozen  2           2,400.00 CNY  100,000.00 CNY  91 days   overdue  2028-06-30"}},
		{"coop", "loan coop:coop:coffee l1 --day 2026-01-01", 0, []string{"overdue   1,200.00 CNY of 1,200.00 CNY", "100.00 CNY  overdue", "100.00 CNY  coming", "guaranteed by household:"}},
		{"coop", "loan coop:coop:coffee none", 3, []string{"not-found"}},
		{"coop", "letters coop:coop:coffee l1", 0, []string{"贷款逾期通知书", "已逾期 91 天", "300.00 CNY", "保证人告知书", "致合作社告知书"}},
		{"coop", "letters coop:coop:coffee l1 --language en", 0, []string{"NOTICE OF AN OVERDUE INSTALMENT", "NOTICE TO A GUARANTOR", "NOTICE TO THE COOPERATIVE"}},
		{"coop", "flags coop:coop:coffee --since 2026-01-01", 0, []string{"invoice  invented-invoice-0001A  2           l1, l2  100.00 CNY  2026-01-05  2026-01-05", "payee"}},
		{"coop", "household coop:coop:coffee " + string(seenHousehold(1)) + " --day 2026-01-01", 0, []string{"admitted", "l1"}},
		{"coop", "statement coop:coop:coffee " + string(seenHousehold(1)) + " --from 2025-09-01 --to 2025-12-31", 0, []string{"lent", "1,200.00 CNY"}},
		{"coop", "calls coop:coop:coffee", 0, []string{"No guarantor was called."}},
		{"coop", "agents", 0, []string{"No agent has done anything yet."}},
		{"coop", "pool", 0, []string{"POOL"}},
		{"coop", "settlement coop:coop:coffee none", 3, []string{"not-found"}},
		{"county", "trial-balance --from 2026-01-01 --to 2026-01-31", 0, []string{"outside:household", "-5.00 CNY", "balanced: every sum is zero"}},
		{"coop", "trial-balance --from 2026-01-01 --to 2025-01-31", 3, []string{"lies before the first day"}},
		{"coop", "quarter 2025-12-31", 3, []string{"forbidden: coop reads its own figures"}},
		{"county", "quarter 2025-12-31", 0, []string{"bank on 2025-12-31", "groups: none"}}, // it is of a later day
		{"county", "quarter 2026-03-31", 0, []string{"bank on 2026-03-31", "groups: 1 frozen"}},
		{"county", "quarter 2025-12-30", 3, []string{"is no last day of a quarter"}},
		{"county", "quarter 2025-12-31 --csv", 0, []string{"quarter,of,figure,currency,value\n", "2025-12-31,bank,gross,CNY,2400.00\n", "2025-12-31,bank,PAR30 parts per million,CNY,500000\n"}},
	} {
		at := ask[c.as]
		var out, errs strings.Builder
		arguments := append([]string{"lianbao", "coop"}, strings.Fields(c.typed)...)
		code := run(append(arguments, "--gateway", at[0], "--token", at[1]), &out, &errs)
		text := out.String() + errs.String()
		if code != c.exit {
			t.Errorf("%s: exit code %d, want %d\n%s", c.typed, code, c.exit, text)
		}
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s (%s): lacks %q\n%s", c.typed, c.as, want, text)
			}
		}
	}
	var out, errs strings.Builder
	if code := run([]string{"lianbao", "coop", "portfolio", "--scheme", string(seenScheme), "--day", "2026-01-01", "--gateway", ask["coop"][0], "--token", ask["coop"][1], "--json"}, &out, &errs); code != 0 {
		t.Fatalf("%d %s", code, errs.String())
	}
	var portfolio cooperative.Portfolio
	if err := json.Unmarshal([]byte(out.String()), &portfolio); err != nil || len(portfolio.Currencies) != 1 || portfolio.Currencies[0].AtRisk[0].Amount.String() != "1200.00 CNY" {
		t.Errorf("with --json: %s, %v", out.String(), err)
	}
}
