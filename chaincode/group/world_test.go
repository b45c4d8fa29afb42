package group_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule/ruletest"
	"github.com/lianbao/lianbao/chaincode/tape"
)

const (
	coffee  = tape.AccountID("coop:coop:coffee")
	tea     = tape.AccountID("coop:coop:tea")
	custody = tape.AccountID("outside:bank:coffee")
	shop    = tape.AccountID("outside:supplier:s1")
	zone    = tape.Zone("+08:00")
	noon    = tape.Instant(1_767_240_000_000) // 2026-01-01 12:00 in the zone
	today   = tape.Date("2026-01-01")
)

func cny(units int64) money.Amount { return money.New(units, "CNY") }

// household is the pseudonym of invented household n.
func household(n int) tape.AccountID {
	return tape.AccountID("household:" + string(tape.PseudonymFrom(fmt.Sprint("invented household ", n))) + ":coffee")
}

// fingerprint is a made-up one of household n: the last character has four unused bits.
func fingerprint(n int) string { return fmt.Sprintf("invented-household-%02dA", n) }

func person(n int) tape.ID { return tape.ID(fmt.Sprint("h", n)) }

func schemeTerms() group.SchemeTerms {
	return group.SchemeTerms{CoolingDays: 10, CureDays: 30, DefaultDays: 30, ExclusionMonths: 24, GroupMonthsMax: 36, GroupSizeMax: 5, GroupSizeMin: 3, GuaranteeMonths: 24,
		LivingFloor: cny(0), MemberMax: cny(60_000_00), MemberSharePartsPerMillion: 400_000, NoticeDays: []int32{1, 15}, OriginatorPartsPerMillion: 300_000,
		PoolingDays: 30, RefillDays: 90, Sequence: []int32{2, 2, 1}, StayDaysMax: 180, WindowDays: 30}
}

func terms() *group.Terms {
	return &group.Terms{V: 1, Version: 1, Lenders: []string{"bank", "union"}, Terms: schemeTerms(), From: today, Entry: "union/accept-1"}
}

func scheme() group.Scheme {
	return group.Scheme{V: 1, Account: coffee, Organisation: "coop", Currency: "CNY", Version: 1, Lenders: []string{"bank", "union"}, At: noon, Entry: "union/accept-1"}
}

// agreement is that of households 1 to n, with the bank alone.
func agreement(n int) group.Agreement {
	a := group.Agreement{Expiry: "2028-12-31", Form: "joint-and-several", GroupMax: cny(100_000_00), GuaranteeMonths: 24, Lenders: []string{"bank"}, MemberMax: cny(60_000_00),
		MutualRecourse: true, Shares: group.EqualShares, Terms: 1, TextEn: party.Hash{1}, TextZh: party.Hash{2}}
	for i := 1; i <= n; i++ {
		a.Members = append(a.Members, group.Share{Household: household(i)})
	}
	return a
}

func member(n int) *group.Member {
	return &group.Member{V: 1, Household: household(n), Person: person(n), Fingerprint: fingerprint(n), State: group.Admitted, At: noon, Entry: "coop/admit"}
}

func standing(n int) *group.Standing {
	return &group.Standing{V: 1, Households: []group.Membership{{Scheme: coffee, Household: household(n)}}, At: noon, Entry: "coop/admit"}
}

func registered(id tape.ID, duty party.Duty) *party.Person {
	return &party.Person{V: 1, ID: id, Organisation: "coop", Key: party.Key{Custody: party.Own, Duty: duty, Registrar: "bank", Witness: "coop", From: noon - tape.Day}, At: noon - tape.Day, Entry: "bank/register"}
}

func candidate(n int) group.Candidate {
	return group.Candidate{Member: member(n), Standing: standing(n), Person: registered(person(n), party.DutyMember), Debts: group.Debts{Household: household(n)}}
}

func candidates(n int) []group.Candidate {
	var all []group.Candidate
	for i := 1; i <= n; i++ {
		all = append(all, candidate(i))
	}
	return all
}

// strangers are the records of all pairs of n households, none of them kin.
func strangers(n int) []*group.Kin { return make([]*group.Kin, n*(n-1)/2) }

func debts(n int) []group.Debts {
	var all []group.Debts
	for i := 1; i <= n; i++ {
		all = append(all, group.Debts{Household: household(i)})
	}
	return all
}

// formed is a group of n households in a state, with all signatures from review on.
func formed(n int, state group.State) group.Group {
	a := agreement(n)
	hash, err := a.Hash(coffee, "g1")
	if err != nil {
		panic(err)
	}
	g := group.Group{V: 1, Scheme: coffee, ID: "g1", State: state, Agreement: a, AgreementHash: hash, At: noon, Entry: "coop/form-1"}
	for i := 1; i <= n; i++ {
		m := group.GroupMember{Household: household(i), Fingerprint: fingerprint(i)}
		if state != group.Draft {
			m.Signed = &group.Signature{Household: household(i), Person: person(i), Custody: "own", At: noon, Entry: "coop/sign"}
			g.Effective = today
		}
		if state == group.Active || state == group.Frozen || state == group.WindingDown {
			m.Joined = noon
			g.Endorsed, g.Approved = &group.Decision{Organisation: "coop", At: noon, Entry: "coop/endorse-1"}, []group.Decision{{Organisation: "bank", At: noon, Entry: "bank/approve-1"}}
		}
		g.Members = append(g.Members, m)
	}
	if state == group.Frozen || state == group.WindingDown {
		g.Cause = &group.Cause{Reason: group.Overdue, Date: today, Entry: "coop/freeze-1"}
	}
	return g
}

// leaving is what is known of household n when it goes.
func leaving(n int) group.Leaving {
	s := *standing(n)
	s.Group = &group.Place{Scheme: coffee, Group: "g1"}
	return group.Leaving{Member: *member(n), Standing: s, Debts: group.Debts{Household: household(n)}}
}

// by is a command of an organisation's gateway that persons signed: "maker" is
// staff of the caller's organisation, "maker@bank" of another; "h1" is the member
// of household 1, "a1" an agent; "h1!agent-held" says who holds the key.
func by(organisation string, persons ...string) tape.Context {
	ctx := tape.Context{Organisation: organisation, Role: "gateway", At: noon, Date: today, Rules: 1, Command: "c", Subject: group.Subject}
	switch organisation {
	case "coop":
		ctx.Powers = []string{party.Cooperative}
	case "bank", "union":
		ctx.Powers = []string{party.Lender}
	}
	for _, person := range persons {
		name, custody, found := strings.Cut(person, "!")
		if !found {
			custody = "own"
		}
		name, of, found := strings.Cut(name, "@")
		if !found {
			of = organisation
		}
		duty := "staff"
		switch name[0] {
		case 'h':
			duty = "member"
		case 'a':
			duty = "agent"
		}
		ctx.Approvals = append(ctx.Approvals, tape.Approval{Person: tape.ID(name), Organisation: of, Custody: custody, Duty: duty})
	}
	return ctx
}

// refusals is ruletest.Refusals, with the households by their numbers.
func refusals[S any](t *testing.T, allowed func() S, judge func(S) error, rows []row[S]) {
	t.Helper()
	ruletest.Refusals(t, allowed, func(s S) error {
		if err := judge(s); err != nil {
			return errors.New(named(err))
		}
		return nil
	}, rows)
}

// named spells a refusal, with the households by their numbers.
func named(err error) string {
	text := fmt.Sprint(err)
	for n := range 10 {
		text = strings.ReplaceAll(text, string(household(n)), fmt.Sprint("household-", n))
	}
	return text
}

// row is a situation in which a command is refused, for ruletest.Refusals.
type row[S any] struct {
	Change func(*S)
	Want   string
}
