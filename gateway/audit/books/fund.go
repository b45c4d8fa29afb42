package books

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// trail is the fund trail a second time: what campaigns promised, who may be
// paid, who decided and who said that money arrived. Money itself is on the
// tapes of these books, as for every other command.
type trail struct {
	campaigns map[tape.AccountID]*campaign
	// payouts are those to payees outside, by the key of their hold.
	payouts map[string]*payout
	persons map[tape.ID]party.Person
	policy  party.ApprovalPolicy
	// publishers are what organisations say of themselves, identified whose the
	// identifiers are that they have named.
	publishers map[string]fund.Publisher
	identified map[string]string
	// crops are the harvests of schemes, members their households by the keys of their records.
	crops map[tape.AccountID]*crop
	// compensated are claims that pools have paid, by the keys of their records.
	compensated map[string]*compensated
	members     map[string]group.Member
	// kept are the records of the fund and of harvests as the commands have left them, by key;
	// explained are those of one transaction that its command accounts for.
	kept      map[string][]byte
	explained map[string]bool
}

// campaign is one purpose.
type campaign struct {
	account      *account
	organisation string
	basis        fund.Basis
	parent       tape.AccountID
	state        fund.State
	version      int32
	plan         fund.Plan
	pending      *fund.Plan
	// ordered counts what was ordered on a budget line, less what came back;
	// carried is what other campaigns handed over, in minor units.
	ordered map[tape.ID]int64
	carried int64
	invited map[tape.AccountID]bool
	payees  map[tape.AccountID]fund.NewPayee
	agentOf map[tape.AccountID]tape.ID
	// next is who takes the place of a payee's person, and when.
	next map[tape.AccountID]fund.NextPerson
	// flagged names the organisations whose flags stop payouts to a payee, enrolledBy those who signed its list.
	flagged       map[tape.AccountID][]string
	enrolledBy    map[tape.AccountID][]tape.ID
	agents        map[tape.ID]*agent
	disbursements map[tape.ID]*disbursement
	pledges       map[tape.ID]*pledge
	goods         map[tape.ID]*goods
	// publications is their number, document the last one's.
	publications int32
	document     merkle.Hash
	// block is the last that the last publication counts; movements and plans are
	// what its figures are counted from.
	block     int32
	movements []movement
	plans     []planned
	// granted is what it has paid other campaigns on its lines and not got back.
	granted map[tape.AccountID]onLines
	// differs is set when anything about the campaign did.
	differs bool
}

func newTrail() trail {
	return trail{campaigns: map[tape.AccountID]*campaign{}, payouts: map[string]*payout{}, persons: map[tape.ID]party.Person{}, publishers: map[string]fund.Publisher{}, identified: map[string]string{}, crops: map[tape.AccountID]*crop{}, compensated: map[string]*compensated{}, members: map[string]group.Member{}, kept: map[string][]byte{}}
}

// Trail is how much of the fund trail was checked.
type Trail struct {
	Campaigns int `json:"campaigns"`
	// Agreeing campaigns are those about which nothing differs.
	Agreeing      int `json:"agreeing"`
	Disbursements int `json:"disbursements"`
	// Confirmations are payouts of which the receiver says that they arrived,
	// Disputes those of which it last said something else.
	Confirmations int `json:"confirmations"`
	Disputes      int `json:"disputes"`
}

// Trail counts what was checked.
func (b *Books) Trail() Trail {
	var t Trail
	for _, c := range b.trail.campaigns {
		t.Campaigns++
		t.Disbursements += len(c.disbursements)
		if !c.differs {
			t.Agreeing++
		}
	}
	for _, p := range b.trail.payouts {
		switch p.outcome {
		case fund.Arrived:
			t.Confirmations++
		case fund.Disputed:
			t.Disputes++
		}
	}
	return t
}

// fundKind is one command of the fund.
type fundKind struct {
	kind string
	book func(*Books) error
	// anyone marks what is not the charity's alone to carry, apart what is about no campaign.
	anyone, apart bool
}

// fundKinds are the commands by their functions: a kind such as "cite" is also
// one of another contract.
var fundKinds map[string]fundKind

func init() {
	fundKinds = map[string]fundKind{
		"Fund:OpenCampaign": {kind: "open-campaign", book: (*Books).openCampaign}, "Fund:AmendCampaign": {kind: "amend-campaign", book: (*Books).amendCampaign},
		"Fund:AcceptFiling": {kind: "accept-filing", book: (*Books).acceptFiling, anyone: true}, "Fund:CloseCampaign": {kind: "close-campaign", book: (*Books).closeCampaign},
		"Fund:Carry": {kind: "carry", book: (*Books).carry}, "Fund:Invite": {kind: "invite", book: (*Books).invite},
		"Fund:Enrol": {kind: "enrol", book: (*Books).enrol}, "Fund:AppointAgent": {kind: "appoint-agent", book: (*Books).appointAgent},
		"Fund:ReplacePerson": {kind: "replace-person", book: (*Books).replacePerson},
		"Fund:SetFlag":       {kind: "set-flag", book: (*Books).setFlag, anyone: true}, "Fund:CallBackPayee": {kind: "call-back-payee", book: (*Books).callBackPayee},
		"Fund:Propose": {kind: "propose", book: (*Books).propose}, "Fund:List": {kind: "list", book: (*Books).list},
		"Fund:Approve": {kind: "approve", book: (*Books).approve, anyone: true}, "Fund:Reject": {kind: "reject", book: (*Books).reject},
		"Fund:Order": {kind: "order", book: (*Books).order}, "Fund:Pay": {kind: "pay", book: (*Books).pay},
		"Fund:CloseDisbursement": {kind: "close-disbursement", book: (*Books).closeDisbursement}, "Fund:Restore": {kind: "restore", book: (*Books).restore},
		"Fund:Confirm": {kind: "confirm", book: (*Books).confirm, anyone: true}, "Fund:Cite": {kind: "cite", book: (*Books).citeDocuments},
		"Fund:Publish": {kind: "publish", book: (*Books).publish}, "Fund:RecordPledge": {kind: "record-pledge", book: (*Books).recordPledge},
		"Fund:SettlePledge": {kind: "settle-pledge", book: (*Books).settlePledge}, "Fund:ReceiveGoods": {kind: "receive-goods", book: (*Books).receiveGoods},
		"Fund:GiveGoods": {kind: "give-goods", book: (*Books).giveGoods}, "Fund:Declare": {kind: "declare", book: (*Books).declare},
		"Fund:NamePublisher": {kind: "name-publisher", book: (*Books).namePublisher, apart: true},
	}
}

// booked finds how the transaction at hand is booked.
func (b *Books) booked() (func(*Books) error, bool) {
	if strings.HasPrefix(b.transaction.Function, "Harvest:") {
		return b.harvested()
	}
	if one, known := groupKinds[b.transaction.Function]; known {
		return func(b *Books) error { return b.bookGroup(one) }, true
	}
	if book, known := b.lent(); known {
		return book, true
	}
	if !strings.HasPrefix(b.transaction.Function, "Fund:") {
		book, known := kinds[b.entry.Kind]
		return book, known
	}
	one, known := fundKinds[b.transaction.Function]
	return func(b *Books) error {
		key := tape.EntryKey(b.entry.Organisation, b.entry.ID)
		b.differs(key, "the kind of the entry", one.kind, b.entry.Kind)
		if err := one.book(b); err != nil || one.apart {
			return err
		}
		c, err := b.campaign(tape.AccountID(b.entry.Subject))
		if err != nil {
			return err
		}
		if !one.anyone {
			b.differs(key, "who carries a command about "+string(c.account.id), c.organisation, b.entry.Organisation)
		}
		return nil
	}, known
}

// takingKinds are the tape's commands by which money leaves an account at its
// organisation's will.
var takingKinds = []string{"spend", "identify", "hold", "open-job", "run-chunk", "close-job"}

// foreign reports a campaign's money that another contract's command spends.
func (b *Books) foreign() {
	if strings.HasPrefix(b.transaction.Function, "Fund:") || !slices.Contains(takingKinds, b.entry.Kind) {
		return
	}
	if c := b.trail.campaigns[tape.AccountID(b.entry.Subject)]; c != nil {
		b.problem(fund.CampaignKey(c.account.id), "a campaign's money is spent by another command than the fund's", "", b.transaction.Function+" by "+b.entry.Reference())
	}
}

func (b *Books) campaign(id tape.AccountID) (*campaign, error) {
	c, known := b.trail.campaigns[id]
	if !known {
		return nil, fmt.Errorf("campaign %s was never opened", id)
	}
	return c, nil
}

// about reads a command of the fund and the campaign that its entry names.
func about[C any](b *Books, account func(C) tape.AccountID) (C, *campaign, error) {
	command, err := command[C](b)
	if err != nil {
		return command, nil, err
	}
	b.differs(fund.CampaignKey(account(command)), "the campaign that the entry names", string(account(command)), b.entry.Subject)
	c, err := b.campaign(account(command))
	return command, c, err
}

// fundRecords are the prefixes of the fund's keys and those of harvests.
var fundRecords = strings.Fields("campaign budget invited payee flag agent callback disbursement listed approved rejected granted ordered restored " +
	"confirmation cited publications publication pledge kept goods publisher identified harvest lot composition step move bags unit security sale share")

// fundRecord reports whether a record is written by the commands of the fund, or
// of groups, alone.
func fundRecord(key string) bool {
	prefix, _, _ := strings.Cut(key, "/")
	return slices.Contains(fundRecords, prefix) || slices.Contains(groupRecords, prefix)
}

// concerned is the campaign that a key is about, nil for none.
func (b *Books) concerned(key string) *campaign {
	_, rest, _ := strings.Cut(key, "/")
	account, _, _ := strings.Cut(rest, "/")
	return b.trail.campaigns[tape.AccountID(account)]
}

// noted compares, by what matters in it, a record that the command must have
// written.
func noted[R any](b *Books, key, what, want string, spell func(R) string) {
	b.trail.explained[key] = true
	r, err := record[R](b, key)
	if err != nil {
		b.problem(key, what+": "+err.Error(), want, "")
		return
	}
	b.differs(key, what, want, spell(r))
}

// marked is noted for a record whose being there is the fact.
func (b *Books) marked(key string) {
	noted(b, key, "the entry that made the mark", b.entry.Reference(), func(r fund.Mark) string { return r.Entry })
}

// learn notes persons and the policy, which other contracts write.
func (b *Books) learn() {
	b.trail.explained = map[string]bool{}
	for _, key := range slices.Sorted(maps.Keys(b.transaction.Writes)) {
		value := b.transaction.Writes[key]
		if name, found := strings.CutPrefix(key, "person/"); found {
			var person party.Person
			b.readable(key, value, &person)
			b.trail.persons[tape.ID(name)] = person
		}
		if strings.HasPrefix(key, "member/") {
			var member group.Member
			b.readable(key, value, &member)
			b.trail.members[key] = member
		}
		if key == party.PolicyKey() {
			var policy party.PolicyRecord
			b.readable(key, value, &policy)
			b.trail.policy = policy.Policy.Approval
		}
	}
}

// keepRecords notes what the transaction has left in the fund's records. Of one
// that was booked, it reports those for which the command does not account.
func (b *Books) keepRecords(booked bool) {
	for _, key := range slices.Sorted(maps.Keys(b.transaction.Writes)) {
		if !fundRecord(key) {
			continue
		}
		b.trail.kept[key] = b.transaction.Writes[key]
		if booked && !b.trail.explained[key] {
			b.problem(key, "the command does not write this record", "", string(b.transaction.Writes[key]))
		}
	}
}

// closeRecord compares a record of the fund with what the commands have left.
func (b *Books) closeRecord(key string, value []byte, seen map[string]bool) {
	if !fundRecord(key) {
		return
	}
	seen[key] = true
	if kept, known := b.trail.kept[key]; !known {
		b.problem(key, "no command wrote this record", "", string(value))
	} else if !bytes.Equal(kept, value) {
		b.problem(key, "the record is not as the last command left it", string(kept), string(value))
	}
}

func (b *Books) closeTrail(seen map[string]bool) {
	for _, key := range slices.Sorted(maps.Keys(b.trail.kept)) {
		if !seen[key] {
			b.problem(key, "the record is gone", string(b.trail.kept[key]), "")
		}
	}
}

// agreed checks those who decided by the policy: enough different persons, one
// of them of the owner, and above the threshold of enough organisations.
func (b *Books) agreed(key string, amount money.Amount, approvals []tape.Approval, owner string) {
	organisations := b.decided(key, approvals, owner)
	policy := b.trail.policy
	at := slices.IndexFunc(policy.Thresholds, func(t party.Threshold) bool { return t.Amount.Currency == amount.Currency })
	if at < 0 {
		b.problem(key, "the policy has no threshold for "+string(amount.Currency), "", "")
		return
	}
	if t := policy.Thresholds[at]; amount.Units > t.Amount.Units && len(organisations) < int(t.Organisations) {
		b.problem(key, "of how many organisations those are who decided on "+amount.String(), fmt.Sprintf("%d or more", t.Organisations), fmt.Sprint(len(organisations)))
	}
}

// decided checks that enough different persons of the staff decided, one of them
// of the owner, and returns their organisations.
func (b *Books) decided(key string, approvals []tape.Approval, owner string) map[string]bool {
	persons, organisations := map[tape.ID]bool{}, map[string]bool{}
	for _, a := range approvals {
		if ofStaff(a) {
			persons[a.Person], organisations[a.Organisation] = true, true
		}
	}
	if least := int(b.trail.policy.Approvers); len(persons) < least {
		b.problem(key, "how many different persons of the staff decided", fmt.Sprintf("%d or more", least), fmt.Sprint(len(persons)))
	}
	if !organisations[owner] {
		b.problem(key, "a person of the owner decides too", owner, people(approvals))
	}
	return organisations
}

// ofStaff reports whether a signature decides: that of staff, by a key that no agent holds.
func ofStaff(a tape.Approval) bool { return a.Duty == "staff" && a.Custody != "agent-held" }

// signers compares what an entry says about those who signed with what the
// ledger knows of these persons.
func (b *Books) signers() {
	for _, a := range b.entry.Intents {
		person, key := b.person(a.Person)
		b.differs(party.PersonKey(a.Person), "whose person signed, as what, and who holds its key",
			person.Organisation+", "+string(key.Duty)+", "+string(key.Custody), a.Organisation+", "+a.Duty+", "+a.Custody)
	}
}

// person is somebody as the ledger knows it, and the key that is in turn now.
func (b *Books) person(id tape.ID) (party.Person, party.Key) {
	person := b.trail.persons[id]
	if next := person.Next; next != nil && next.Witness != "" && b.entry.At >= next.From {
		return person, *next
	}
	return person, person.Key
}

// signedBy reports a command that no person of an organisation has signed.
func (b *Books) signedBy(key, organisation string) {
	if !slices.ContainsFunc(b.entry.Intents, func(a tape.Approval) bool { return ofStaff(a) && a.Organisation == organisation }) {
		b.problem(key, "one of the staff of the organisation signs", organisation, people(b.entry.Intents))
	}
}

func people(approvals []tape.Approval) string {
	var names []string
	for _, a := range approvals {
		names = append(names, fmt.Sprintf("%s, %s of %s", a.Person, a.Duty, a.Organisation))
	}
	return strings.Join(names, ", ")
}
