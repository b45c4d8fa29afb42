package party_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
)

var (
	admin = tape.Context{Role: party.RoleAdmin, At: start}
	none  = func(*party.Charter) {}
)

// foundings are charters, what is wrong with them, and the answer.
var foundings = []struct {
	change func(*party.Charter)
	id     tape.ID
	msp    string
	ctx    tape.Context
	again  bool
	want   string
}{
	{none, "f", "charityMSP", admin, false, "found charity"},
	{none, "f", "regulatorMSP", admin, false, "found regulator"},
	{none, "", "charityMSP", admin, false, `invalid: is not an id: a letter or digit, then letters, digits, . - _, 64 at most`},
	{none, "f", "charityMSP", tape.Context{Role: party.RoleGateway, At: start}, false, `forbidden: this needs the role admin; the caller's is "gateway"`},
	{none, "f", "strangerMSP", admin, false, `forbidden: MSP "strangerMSP" is not in the charter; one of its organisations founds the ledger`},
	{none, "f", "charityMSP", admin, true, "exists: this ledger was founded already, by entry charity/f"},
	{func(c *party.Charter) { c.Ledger = party.LedgerID{} }, "f", "charityMSP", admin, false, "invalid: field charter.ledger: is zero; draw 32 random bytes"},
	{func(c *party.Charter) { c.Zone = "Asia/Shanghai" }, "f", "charityMSP", admin, false, `invalid: field charter.zone: is not a zone; write it as +08:00`},
	{func(c *party.Charter) { c.Rules = 0 }, "f", "charityMSP", admin, false, "unsupported: field charter.rules: version 0 is not known here; 1 to 3 are"},
	{func(c *party.Charter) { c.Rules = 4 }, "f", "charityMSP", admin, false, "unsupported: field charter.rules: version 4 is not known here; 1 to 3 are"},
	{func(c *party.Charter) { c.Rules = 3 }, "f", "charityMSP", admin, false, "found charity"},
	{func(c *party.Charter) { c.Quorum = 2 }, "f", "charityMSP", admin, false, "invalid: field charter.quorum: 2 is not more than half of 5 organisations"},
	{func(c *party.Charter) { c.Quorum = 5 }, "f", "charityMSP", admin, false, "found charity"},
	{func(c *party.Charter) { c.Quorum = 6 }, "f", "charityMSP", admin, false, "invalid: field charter.quorum: 6 is not more than half of 5 organisations"},
	{func(c *party.Charter) { c.Organisations = c.Organisations[:4]; c.Quorum = 2 }, "f", "charityMSP", admin, false, "invalid: field charter.quorum: 2 is not more than half of 4 organisations"},
	{func(c *party.Charter) { c.Organisations = c.Organisations[:1] }, "f", "charityMSP", admin, false, "invalid: field charter.organisations: there are 1; 2 to 50 can share a ledger"},
	{func(c *party.Charter) { *c = large(51) }, "f", "m1", admin, false, "invalid: field charter.organisations: there are 51; 2 to 50 can share a ledger"},
	{func(c *party.Charter) { *c = large(50) }, "f", "m1", admin, false, "found o1"},
	{func(c *party.Charter) { c.Organisations[1].Name = "Coop" }, "f", "charityMSP", admin, false, `invalid: field charter.organisations[1].name: is not a name: 1 to 32 of a-z, 0-9 and -`},
	{func(c *party.Charter) { c.Organisations[1].MSP = "" }, "f", "charityMSP", admin, false, `invalid: field charter.organisations[1].msp: is not an id: a letter or digit, then letters, digits, . - _, 64 at most`},
	{func(c *party.Charter) { c.Organisations[1].Name = "charity" }, "f", "charityMSP", admin, false, "invalid: field charter.organisations[1]: charity with MSP coopMSP stands twice"},
	{func(c *party.Charter) { c.Organisations[4].MSP = "bankMSP" }, "f", "charityMSP", admin, false, "invalid: field charter.organisations[4]: regulator with MSP bankMSP stands twice"},
	{func(c *party.Charter) { c.Powers[1].Power = "king" }, "f", "charityMSP", admin, false, `invalid: field charter.powers[1].power: is not a power; there are [charity cooperative lender insurer custodian oracle supplier hospital regulator]`},
	{func(c *party.Charter) { c.Powers[1].Organisation = "a/b" }, "f", "charityMSP", admin, false, `invalid: field charter.powers[1].organisation: is not a name: 1 to 32 of a-z, 0-9 and -`},
	{func(c *party.Charter) { c.Powers[1].Organisation = "stranger" }, "f", "charityMSP", admin, false, "invalid: field charter.powers[1]: stranger is not among the organisations"},
	{func(c *party.Charter) { c.Powers[2] = c.Powers[0] }, "f", "charityMSP", admin, false, "invalid: field charter.powers[2]: the power lender of bank stands twice"},
	{func(c *party.Charter) { c.Powers = nil }, "f", "charityMSP", admin, false, "found charity"},
	{func(c *party.Charter) { c.Policy.Persons.KeyWaitingHours = -1 }, "f", "charityMSP", admin, false, "invalid: field charter.policy.persons.keyWaitingHours: -1 is not 0 to 720"},
	{func(c *party.Charter) { c.Policy.Persons.RegistrarCarryDays = 366 }, "f", "charityMSP", admin, false, "invalid: field charter.policy.persons.registrarCarryDays: 366 is not 0 to 365"},
	{func(c *party.Charter) { c.Policy.Approval.Approvers = 1 }, "f", "charityMSP", admin, false, "invalid: field charter.policy.approval.approvers: 1 is not 2 to 10"},
	{func(c *party.Charter) { c.Policy.Approval.Approvers = 11 }, "f", "charityMSP", admin, false, "invalid: field charter.policy.approval.approvers: 11 is not 2 to 10"},
	{func(c *party.Charter) { c.Policy.Approval.Thresholds[1].Amount = money.New(5, "CNY") }, "f", "charityMSP", admin, false, "invalid: field charter.policy.approval.thresholds[1]: CNY has a threshold already"},
	{func(c *party.Charter) { c.Policy.Approval.Thresholds[1].Amount = money.New(-1, "VND") }, "f", "charityMSP", admin, false, "invalid: field charter.policy.approval.thresholds[1].amount: -1 VND is not zero or more"},
	{func(c *party.Charter) { c.Policy.Approval.Thresholds[1].Amount = money.New(1, "XXX") }, "f", "charityMSP", admin, false, `invalid: field charter.policy.approval.thresholds[1].amount: is not a currency of ISO 4217`},
	{func(c *party.Charter) { c.Policy.Approval.Thresholds[0].Organisations = 1 }, "f", "charityMSP", admin, false, "invalid: field charter.policy.approval.thresholds[0].organisations: 1 is not 2 to 5, the number of organisations"},
	{func(c *party.Charter) { c.Policy.Approval.Thresholds[0].Organisations = 6 }, "f", "charityMSP", admin, false, "invalid: field charter.policy.approval.thresholds[0].organisations: 6 is not 2 to 5, the number of organisations"},
}

func TestFound(t *testing.T) {
	for _, c := range foundings {
		w, shown := newWorld(t), charter()
		c.change(&shown)
		state := party.FoundState{MSP: c.msp, Known: known}
		command := party.FoundCommand{ID: c.id, Charter: shown}
		if c.again {
			if _, err := w.commit(party.Found(state, command, c.ctx)); err != nil {
				t.Fatal(err)
			}
			state.Charter = get[party.CharterRecord](w, party.CharterKey())
		}
		outcome, err := w.commit(party.Found(state, command, c.ctx))
		got := outcome.Entry.Kind + " " + outcome.Entry.Organisation
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

// large is a charter of many.
func large(count int) party.Charter {
	c := charter()
	c.Organisations, c.Powers, c.Quorum = nil, nil, int32(count/2+1)
	for i := range count {
		c.Organisations = append(c.Organisations, party.Member{Name: fmt.Sprintf("o%d", i), MSP: fmt.Sprintf("m%d", i)})
	}
	return c
}

// TestFoundWritesEachFactUnderItsOwnKey reads the ledger that was founded.
func TestFoundWritesEachFactUnderItsOwnKey(t *testing.T) {
	w := found(t)
	for key, want := range map[string]string{
		"rules":               `{"entry":"charity/founding","v":1,"version":1}`,
		"organisations":       `{"names":["charity","coop","bank","insurer","regulator"],"quorum":3,"v":1}`,
		"organisation/bank":   `{"entry":"charity/founding","msp":"bankMSP","name":"bank","v":1}`,
		"msp/bankMSP":         `{"organisation":"bank","v":1}`,
		"power/bank":          `{"powers":["lender","custodian"],"v":1}`,
		"power/coop":          `{"v":1}`,
		"joined/coop":         `{"entry":"coop/joining","v":1}`,
		"ledger":              `{"id":"` + charter().Ledger.String() + `","v":1,"zone":"+08:00"}`,
		"policy":              `{"entry":"charity/founding","policy":{"approval":{"approvers":2,"thresholds":[{"amount":"10000.00 CNY","organisations":2},{"amount":"0 VND","organisations":3}]},"persons":{"keyWaitingHours":24,"registrarCarryDays":30}},"v":1}`,
		"power/nobody":        "",
		"joined/nobody":       "",
		"organisation/nobody": "",
	} {
		if got := string(w.state[key]); got != want {
			t.Errorf("%s = %s, want %s", key, got, want)
		}
	}
	record := must[party.CharterRecord](w, party.CharterKey())
	if !equal(record.Charter, charter()) || record.Hash != hashOf(t, charter()) {
		t.Errorf("the charter reads back as %v", record)
	}
	ctx := w.context("bank", party.RoleGateway, start+15*tape.Hour)
	if !ctx.Has(party.Lender) || ctx.Has(party.Charity) || ctx.Rules != 1 || ctx.Date != "2026-11-23" || ctx.Organisation != "bank" {
		t.Errorf("context %+v", ctx)
	}
}

func TestGroundRefuses(t *testing.T) {
	full := party.Ground{Ledger: &party.Ledger{Zone: "+08:00"}, Rules: &party.Rules{Version: 1}, MSP: &party.MSP{Organisation: "bank"}, Powers: &party.Powers{}}
	for _, c := range []struct {
		change func(*party.Ground)
		want   string
	}{
		{func(*party.Ground) {}, "<nil>"},
		{func(g *party.Ground) { g.Ledger = nil }, "wrong-state: this ledger has not been founded"},
		{func(g *party.Ground) { g.Rules = nil }, "wrong-state: this ledger has not been founded"},
		{func(g *party.Ground) { g.MSP = nil }, "forbidden: the caller's MSP is no organisation of this ledger"},
		{func(g *party.Ground) { g.Powers = nil }, "forbidden: the caller's MSP is no organisation of this ledger"},
		{func(g *party.Ground) { g.Ledger = &party.Ledger{} }, `invalid: is not a zone; write it as +08:00`},
	} {
		ground := full
		c.change(&ground)
		if _, err := ground.Context(party.RoleGateway, start, party.Hash{}); fmt.Sprint(err) != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

// TestRefusedWhateverTheAdapterLoads are the refusals that the scripts cannot
// reach, because their ledger is founded and their callers are organisations.
func TestRefusedWhateverTheAdapterLoads(t *testing.T) {
	admin := tape.Context{Organisation: "stranger", Role: party.RoleAdmin, At: start}
	full := party.VoteState{Organisations: party.Organisations{Names: []string{"stranger", "other"}, Quorum: 2}, Joined: &party.Mark{}, Known: known}
	full.Votes = make([]*party.Mark, 2)
	admit := party.VoteCommand{ID: "v", Proposal: "p", Change: party.Change{Admit: &party.Member{Name: "new", MSP: "newMSP"}}}
	for _, c := range []struct {
		do   func() error
		want string
	}{
		{func() error {
			_, err := party.Join(party.JoinState{}, party.JoinCommand{ID: "j"}, admin)
			return err
		}, "wrong-state: this ledger has not been founded"},
		{func() error { _, err := party.Vote(full, admit, admin); return err }, "<nil>"},
		{func() error {
			state := full
			state.Organisations = party.Organisations{Names: []string{"one", "two"}, Quorum: 2}
			_, err := party.Vote(state, admit, admin)
			return err
		}, "forbidden: stranger has no vote"},
		{func() error {
			state := full
			state.Votes = state.Votes[:1]
			_, err := party.Vote(state, admit, admin)
			return err
		}, "forbidden: stranger has no vote"},
		{func() error {
			state := full
			state.Organisations.Names = append(strings.Fields(strings.Repeat("x ", 49)), "stranger")
			state.Votes = make([]*party.Mark, 50)
			_, err := party.Vote(state, admit, admin)
			return err
		}, "wrong-state: field change.admit: there are 50 organisations, the most that can share a ledger"},
		{func() error {
			_, _, err := party.Judge(party.LedgerID{}, party.Act{}, make([]party.Presented, 17), admin)
			return err
		}, "invalid: field intents: there are 17; 16 at most sign one command"},
		{func() error {
			_, _, err := party.Judge(party.LedgerID{}, party.Act{}, []party.Presented{{
				Intent: party.Intent{Person: "li", Deadline: start}, Person: &party.Person{ID: "zhang"}}}, admin)
			return err
		}, "not-found: field intents[0].person: there is no person li"},
		{func() error { return judgeAt(0, 0) }, "invalid: field intents[0].deadline: 1970-01-01T00:00:00.000Z is not a whole second after 1970"},
		{func() error { return judgeAt(-1000, -5000) }, "invalid: field intents[0].deadline: 1969-12-31T23:59:59.000Z is not a whole second after 1970"},
		{func() error { return judgeAt(1000, 0) }, "not-found: field intents[0].person: there is no person li"},
	} {
		if err := c.do(); fmt.Sprint(err) != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

// judgeAt presents an intent of nobody.
func judgeAt(deadline, at tape.Instant) error {
	_, _, err := party.Judge(party.LedgerID{}, party.Act{}, []party.Presented{{Intent: party.Intent{Person: "li", Deadline: deadline}}}, tape.Context{At: at})
	return err
}

func TestCommandsHaveOneSpelling(t *testing.T) {
	for _, c := range []struct{ argument, want string }{
		{`{"charter":"` + strings.Repeat("ab", 32) + `","id":"j"}`, "<nil>"},
		{`{"charter":"` + strings.Repeat("AB", 32) + `","id":"j"}`, `invalid: field charter: is not a SHA-256: 64 digits 0-9 and a-f`},
		{`{"charter":"` + strings.Repeat("ab", 32) + `"}`, "invalid: field id: is missing"},
		{`{"charter":"` + strings.Repeat("ab", 32) + `","id":"j","more":1}`, `invalid: unknown field "more"`},
	} {
		var command party.JoinCommand
		if err := canonical.Decode([]byte(c.argument), &command); fmt.Sprint(err) != c.want {
			t.Errorf("%s: got %v, want %s", c.argument, err, c.want)
		}
	}
}
