package contract_test

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// crafted sends, before the first command of each function is done, every
// command that differs from it in one value. Each must be judged: a panic would
// end the chaincode of every peer that the client asks, and an error that is no
// refusal would be taken for a fault of the network and sent again for ever.
type crafted struct {
	seen map[string]bool
	sent int
}

// signature is what the last signed command was signed as.
type signature struct {
	action  string
	subject tape.AccountID
	amount  money.Amount
	persons []tape.ID
}

func TestCraftedValuesAreRefused(t *testing.T) {
	craft = &crafted{seen: map[string]bool{}}
	defer func() { craft = nil }()
	for _, story := range []func(*testing.T){TestTwoHops, TestPayoutLeavesAndComesBack, TestMatchSplitsAPage, TestProcessor, TestRefundAndChargeBack,
		TestJob, TestPooledReturn, TestMemoOfOthers, TestAnotherFunctionIsNoReplay, TestFundTrail, TestFundRefusals, TestPartnerAndEarmark, TestPlanChanges,
		TestCloseAndCarry, TestGrantComesHome, TestAgentsAndCallBacks, TestPublicationsAndGoods, TestReturnedPayoutFreesItsBudget, TestCorrect, TestWithdraw, TestDeclare, TestNamePublisher,
		TestGroupsOfASeason, TestAHouseholdIsInOneGroup, TestWhoMayNotGuarantee, TestTermsWaitForTheLender, TestHarvest, TestHarvestCorrections, TestASeason, TestWhatTheBankUndoes, TestASettlementIsAbandoned, TestLoansAreRefused, TestPurposeLocked, TestALine,
		TestScores, TestContested, TestCompensation, whoCarriesPools, TestGuarantorsAreCalled, TestCallsAreRefused, TestTakenOver, TestCloseMonth} {
		story(t)
	}
	t.Logf("%d crafted commands to %v", craft.sent, slices.Sorted(maps.Keys(craft.seen)))
	for _, function := range strings.Fields(`OpenCampaign AmendCampaign AcceptFiling CloseCampaign Carry Invite Enrol AppointAgent SetFlag CallBackPayee Confirm Cite Publish
		Propose List Approve Reject Order Pay CloseDisbursement Restore RecordPledge SettlePledge ReceiveGoods GiveGoods Declare NamePublisher`) {
		if !craft.seen["Fund:"+function] {
			t.Errorf("no command of Fund:%s was crafted", function)
		}
	}
	for _, function := range strings.Fields("Agree Deliver Merge Process Bag Ship Arrive Sell Pledge ReleasePledge CorrectDelivery CorrectStep CorrectSale") {
		if !craft.seen["Harvest:"+function] {
			t.Errorf("no command of Harvest:%s was crafted", function)
		}
	}
	for _, function := range strings.Fields(`OpenScheme AmendScheme AcceptScheme NameSupplier Relate Admit ReplaceSigner Leave FormGroup SignGroup Endorse ApproveGroup RejectGroup
		Freeze Cure Exit Expel Refill MemberDied WindDown CloseGroup`) {
		if !craft.seen["Group:"+function] {
			t.Errorf("no command of Group:%s was crafted", function)
		}
	}
	for _, function := range strings.Fields(`Loan:OpenLending Loan:OfferProduct Loan:WithdrawProduct Loan:ApplyForLoan Loan:GuaranteeLoan Loan:DecideLoan Loan:WithdrawLoan Loan:ContractLoan
		Loan:DrawLoan Loan:DisburseLoan Loan:BookTranche Loan:RepayLoan Loan:TakeBackRepayment Loan:ReturnPart Loan:ChooseOverpayment Loan:PayOverpayment Loan:GiveNotice Loan:DefaultLoan Loan:DeclareStay Loan:RestructureLoan Loan:TakeOverLoan Loan:WriteOffLoan Loan:AddCosts Loan:OrderSupplies Loan:ConfirmDelivery
		Settlement:OpenSettlement Settlement:SettleHouseholds Settlement:CloseSettlement Settlement:ChoosePrepayment Settlement:AbandonSettlement Settlement:PayAgain
		Credit:Attest Credit:Retract Credit:Assess Credit:DisputeInput
		Pool:OpenPoolAccount Pool:OpenPool Pool:AmendPool Pool:AcceptPool Pool:FreezeQuarter Pool:AdmitPoolLoan Pool:SubmitPoolClaim Pool:VerifyPoolClaim Pool:ReviewPoolClaim Pool:ApprovePoolClaim
		Pool:ReturnPoolClaim Pool:RejectPoolClaim Pool:PayPoolClaim Pool:ShareRecovery Pool:ClosePoolClaim
		Recourse:MakeCall Recourse:RespreadCall Recourse:DeclareUnable Recourse:ReleaseGuarantor Recourse:WithdrawCall Recourse:ReimburseCall Recourse:ContributeCall
		Books:CloseMonth`) {
		if !craft.seen[function] {
			t.Errorf("no command of %s was crafted", function)
		}
	}
	for _, function := range []string{"Open", "Receive", "FileStatement", "FileLines", "FileProcessor", "Settle", "Match", "ReceiveUnidentified", "Identify", "Spend",
		"Hold", "Capture", "Release", "Expire", "Reclaim", "OpenJob", "RunChunk", "CloseJob", "Refund", "Return", "ChargeBack", "Memo", "Correct", "Withdraw"} {
		if !craft.seen["Tape:"+function] {
			t.Errorf("no command of Tape:%s was crafted", function)
		}
	}
}

var craft *crafted

func (c *crafted) try(w *world, as, function, argument string) {
	w.Helper()
	if c == nil || c.seen[function] {
		return
	}
	c.seen[function] = true
	var document any
	if json.Unmarshal([]byte(argument), &document) != nil {
		return
	}
	send := func() { c.send(w, as, function, document) }
	vary(document, func(other any) { document = other }, send)
	envelope, isObject := document.(map[string]any)
	if !isObject || envelope["intents"] == nil || w.last.persons == nil {
		return
	}
	// What was signed differs above. Here the persons sign each crafted command.
	before, signed := w.intents, w.last
	vary(envelope["command"], func(other any) { envelope["command"] = other }, func() {
		command, err := canonical.Encode(envelope["command"])
		if err != nil {
			w.Fatal(err)
		}
		again := w.signed(signed.action, signed.subject, signed.amount, string(command), signed.persons...)
		c.send(w, as, function, json.RawMessage(again))
	})
	w.intents = before
}

// send endorses one crafted command and commits nothing.
func (c *crafted) send(w *world, as, function string, document any) {
	w.Helper()
	if c.sent++; testing.Short() && c.sent%7 != 0 {
		return
	}
	body, err := canonical.Encode(document)
	if err != nil {
		w.Fatal(err)
	}
	_, err = w.Endorse(w.identity(as), function, string(body))
	var refusal *rule.Refusal
	if err != nil && !errors.As(err, &refusal) {
		w.Errorf("%s %.300s: %v", function, body, err)
	}
	if !strings.Contains(string(body), somebody) {
		return
	}
	if err != nil && strings.Contains(err.Error(), "Nobodyname") {
		w.Errorf("%s repeats a name that it refuses: %v", function, err)
	}
	if err == nil && !slices.Contains(statements, function) {
		w.Errorf("%s takes a name: %.300s", function, body)
	}
}

// somebody is the name of a person who does not exist, sent in every place of
// every command. It is taken where an organisation makes a public statement:
// the texts of a plan, a filing's number, what goods are, its own name.
const somebody = "欧阳虚构 Nobodyname"

var statements = []string{"Fund:OpenCampaign", "Fund:AmendCampaign", "Fund:AcceptFiling", "Fund:ReceiveGoods", "Fund:NamePublisher"}

// vary puts one value after another in the place of each value, and back again.
func vary(value any, set func(any), send func()) {
	for _, other := range []any{"", somebody, "a/b", "../x/0", "x\x00", strings.Repeat("9", 300), "0..1", "1.00 CNY", "90071992547409.91 CNY", "1 VND",
		"9999-12-31T23:59:59.999Z", "0000-01-01T00:00:00.000Z", "outside:bank:sunrise", float64(-1), float64(0), float64(1<<31 - 1), float64(-1 << 31), true, []any{}, map[string]any{}} {
		set(other)
		send()
	}
	set(value)
	switch value := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			old := value[name]
			delete(value, name)
			send()
			value[name] = old
			vary(old, func(other any) { value[name] = other }, send)
		}
	case []any:
		for i := range value {
			vary(value[i], func(other any) { value[i] = other }, send)
		}
		if len(value) > 0 {
			set(append(slices.Clone(value), value...))
			send()
			set(value)
		}
	}
}
