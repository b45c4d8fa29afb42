// Package signing is how commands get their signatures: drafts that people read
// in plain words and sign, here by a key that the gateway holds or on a device
// of their own, and the door through which a person's own commands come in.
package signing

import (
	"slices"
	"strconv"
	"strings"

	"github.com/lianbao/lianbao/chaincode/assessment"
	"github.com/lianbao/lianbao/chaincode/bookkeeping"
	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/pool"
	"github.com/lianbao/lianbao/chaincode/recourse"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/settlement"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/login"
	"github.com/lianbao/lianbao/gateway/message"
)

// Act is what a command is about, read out of the command itself. Nothing that
// is shown to who signs is taken from another's words about it, but the amount
// where the command names none: the ledger then knows it, and refuses a
// signature over any other.
type Act struct {
	Action  string
	Subject string
	Amount  string
	// Message says the command in a sentence.
	Message message.Message
}

// measure is where the amount of an action comes from.
type measure int

const (
	stated  measure = iota // the command's own
	nothing                // zero of the campaign's currency
	known                  // the ledger knows it, the draft repeats it
	absent                 // there is none
)

// form is how a command of one function is read.
type form struct {
	action  string
	measure measure
	// persons is the fewest that sign; where it is two, maker and checker, the voted policy may ask for more.
	persons int
	read    func(command []byte) (gist, error)
}

// gist is what the reader of one function takes out of a command.
type gist struct {
	subject string
	amount  money.Amount
	figures []string // of the message
}

// of makes a form; say takes the gist out of a command that was decoded strictly.
func of[C any](action string, m measure, persons int, say func(C) gist) form {
	return form{action, m, persons, func(data []byte) (gist, error) {
		var command C
		if err := canonical.Decode(data, &command); err != nil {
			return gist{}, err
		}
		return say(command), nil
	}}
}

func about(subject tape.AccountID, figures ...string) gist {
	return gist{subject: string(subject), figures: append([]string{"Account", string(subject)}, figures...)}
}

func (g gist) worth(amount money.Amount) gist {
	g.amount = amount
	return g
}

// worth is an amount that a command may leave out.
func worth(amount money.Amount) string {
	if amount == (money.Amount{}) {
		return ""
	}
	return amount.String()
}

func count(n int) string { return strconv.Itoa(n) }

// since is the day from which a loan ran before it was taken over.
func since(c loan.TakeOver) string {
	if len(c.Advances) == 0 {
		return ""
	}
	return string(c.Advances[0].Date)
}

// turned is what was debited, and credited, in a month, currency by currency; accruals stand in brackets.
func turned(totals []bookkeeping.Total) string {
	if len(totals) == 0 {
		return "0"
	}
	sums := make([]string, len(totals))
	for i, t := range totals {
		if sums[i] = money.New(t.Debit, t.Currency).String(); t.Memo {
			sums[i] = "(" + sums[i] + ")"
		}
	}
	return strings.Join(sums, ", ")
}

func grams(n int64) string { return strconv.FormatInt(n, 10) }

// organisationOf is whose account a name of three parts is.
func organisationOf(account tape.AccountID) string {
	parts := strings.Split(string(account), ":")
	return parts[min(1, len(parts)-1)]
}

// offered are the figures of a pool's terms that decide what it costs.
func offered(t pool.Terms) []string {
	most := int32(0)
	for _, tier := range t.Tiers {
		most = max(most, tier.RatioPartsPerMillion)
	}
	return []string{"Agreement", t.Agreement.String(), "Count", count(len(t.Tiers)), "Max", t.LoanMax.String(), "Ratio", count(int(most)), "Year", count(int(t.AnnualPartsPerMillion))}
}

// total adds payments; a sum that is malformed stays zero and is refused by Read.
func total(payments []tape.Payment) money.Amount {
	var sum money.Amount
	for i, payment := range payments {
		if i == 0 {
			sum.Currency = payment.Amount.Currency
		}
		added, err := sum.Add(payment.Amount)
		if err != nil {
			return money.Amount{}
		}
		sum = added
	}
	return sum
}

// forms are the commands that can be put into words. What is not here is not
// signed by this program: nobody signs what it cannot read.
var forms = map[string]form{
	"Fund:OpenCampaign": of("open-campaign", stated, 2, func(c fund.OpenCampaign) gist {
		return about(c.Account, "Title", title(c.Plan.Title), "Goal", c.Plan.Goal.String()).worth(c.Zero())
	}),
	"Fund:AmendCampaign": of("amend-campaign", nothing, 2, func(c fund.AmendCampaign) gist {
		return about(c.Account, "Title", title(c.Plan.Title), "Goal", c.Plan.Goal.String())
	}),
	"Fund:AcceptFiling":  of("accept-filing", nothing, 1, func(c fund.AcceptFiling) gist { return about(c.Account, "Number", c.Number) }),
	"Fund:CloseCampaign": of("close-campaign", nothing, 2, func(c fund.CloseCampaign) gist { return about(c.Account) }),
	"Fund:Carry":         of("carry", stated, 2, func(c fund.Carry) gist { return about(c.Account).worth(c.Amount) }),
	"Fund:Invite": of("invite", nothing, 2, func(c fund.Invite) gist {
		return about(c.Account, "Partner", string(c.Partner), "Withdraw", strconv.FormatBool(c.Withdraw))
	}),
	"Fund:Enrol": of("enrol", nothing, 1, func(c fund.Enrol) gist { return about(c.Account, "Count", count(len(c.Payees))) }),
	"Fund:AppointAgent": of("appoint-agent", nothing, 2, func(c fund.AppointAgent) gist {
		return about(c.Account, "Person", string(c.Person), "Count", count(int(c.PayeesMax)), "End", strconv.FormatBool(c.End))
	}),
	"Fund:ReplacePerson": of("replace-person", nothing, 2, func(c fund.ReplacePerson) gist {
		return about(c.Account, "Payee", string(c.Payee), "Person", string(c.Person), "Reason", c.Reason)
	}),
	"Fund:SetFlag": of("set-flag", nothing, 1, func(c fund.SetFlag) gist {
		return about(c.Account, "Payee", string(c.Payee), "Raise", strconv.FormatBool(c.Raise), "Reason", c.Reason)
	}),
	"Fund:CallBackPayee": of("call-back-payee", nothing, 1, func(c fund.CallBackPayee) gist {
		return about(c.Account, "Payee", string(c.Payee), "Outcome", c.Outcome)
	}),
	"Fund:Confirm": of("confirm", stated, 1, func(c fund.Confirm) gist {
		return about(c.Account, "Hold", string(c.Hold), "Outcome", c.Outcome, "Reason", c.Reason).worth(c.Amount)
	}),
	"Fund:Cite": of("cite", nothing, 1, func(c fund.Cite) gist { return about(c.Account, "Count", count(len(c.Evidence)), "For", c.For) }),
	"Fund:Publish": of("publish", nothing, 1, func(c fund.Publish) gist {
		return about(c.Account, "N", count(int(c.N)), "From", string(c.From), "To", string(c.To))
	}),
	"Fund:Propose": of("propose", stated, 1, func(c fund.Propose) gist {
		return about(c.Account, "Disbursement", string(c.ID), "Count", count(int(c.Count)), "Line", string(c.Line)).worth(c.Amount)
	}),
	"Fund:Approve": of("approve", known, 1, func(c fund.Approve) gist { return about(c.Account, "Disbursement", string(c.Disbursement)) }),
	"Fund:Reject": of("reject", known, 1, func(c fund.Reject) gist {
		return about(c.Account, "Disbursement", string(c.Disbursement), "Reason", c.Reason)
	}),
	"Fund:NamePublisher": of("name-publisher", absent, 2, func(c fund.NamePublisher) gist {
		return gist{subject: c.Organisation, figures: []string{"Organisation", c.Organisation, "Title", title(c.Imprint.Name), "Identifier", c.Imprint.Identifier}}
	}),
	"Books:CloseMonth": of("close-month", absent, 2, func(c bookkeeping.CloseMonth) gist {
		return gist{subject: c.Organisation, figures: []string{"Organisation", c.Organisation, "Month", string(c.Month), "Count", grams(c.Entries), "Sums", turned(c.Totals), "Sheet", c.Sheet.String()}}
	}),
	"Fund:ReceiveGoods": of("receive-goods", nothing, 1, func(c fund.ReceiveGoods) gist {
		return about(c.Account, "Item", c.Item, "Quantity", strconv.FormatInt(c.Quantity, 10), "Unit", c.Unit)
	}),
	"Fund:GiveGoods": of("give-goods", nothing, 2, func(c fund.GiveGoods) gist {
		return about(c.Account, "Goods", string(c.Goods), "Quantity", strconv.FormatInt(c.Quantity, 10), "Payee", string(c.To))
	}),
	"Harvest:Agree": of("agree", absent, 2, func(c harvest.Agree) gist {
		return about(c.Account, "Commodity", c.Agreement.Commodity, "Processes", count(len(c.Agreement.Processes)), "Stores", count(len(c.Agreement.Stores)))
	}),
	"Harvest:Deliver": of("deliver", absent, 2, func(c harvest.Deliver) gist {
		return about(c.Account, "Household", string(c.Household), "Grams", grams(c.NetGrams), "Gross", grams(c.GrossGrams), "Form", c.Form, "Grade", c.Grade, "Store", c.Store)
	}),
	"Harvest:Merge": of("merge", absent, 1, func(c harvest.Merge) gist { return about(c.Account, "Count", count(len(c.Lots)), "Lot", string(c.ID)) }),
	"Harvest:Process": of("process", absent, 1, func(c harvest.Run) gist {
		return about(c.Account, "Count", count(len(c.Lots)), "Process", c.Process, "Outputs", count(len(c.Outputs)), "Grams", grams(c.LossGrams))
	}),
	"Harvest:Bag":  of("bag", absent, 1, func(c harvest.Bag) gist { return about(c.Account, "Lot", string(c.Lot), "Count", count(len(c.Units))) }),
	"Harvest:Ship": of("ship", absent, 1, func(c harvest.Ship) gist { return about(c.Account, "Count", count(len(c.Lots)), "Store", c.Store) }),
	"Harvest:Arrive": of("arrive", absent, 1, func(c harvest.Arrive) gist {
		return about(c.Account, "Count", count(len(c.Lots)), "Arrival", string(c.ID))
	}),
	"Harvest:Sell": of("sell", stated, 2, func(c harvest.Sell) gist {
		return about(c.Account, "Count", count(len(c.Lots)), "Buyer", string(c.Buyer), "Price", c.PricePerTonne.String()).worth(c.Proceeds)
	}),
	"Harvest:Pledge": of("pledge", absent, 2, func(c harvest.Pledge) gist {
		return about(c.Account, "Lot", string(c.Lot), "Lender", c.Lender, "Loan", string(c.Loan), "Cover", count(int(c.CoverPartsPerMillion)), "Worth", worth(c.ValuePerTonne))
	}),
	"Harvest:ReleasePledge": of("release-pledge", absent, 1, func(c harvest.ReleasePledge) gist {
		return about(c.Account, "Lot", string(c.Lot), "Grams", grams(c.Grams))
	}),
	"Harvest:CorrectDelivery": of("correct-delivery", absent, 2, func(c harvest.CorrectDelivery) gist {
		return about(c.Account, "Lot", string(c.Lot), "Reason", c.Reason)
	}),
	"Harvest:CorrectStep": of("correct-step", absent, 2, func(c harvest.CorrectStep) gist {
		return about(c.Account, "Step", string(c.Step), "Reason", c.Reason)
	}),
	"Harvest:CorrectSale": of("correct-sale", known, 2, func(c harvest.CorrectSale) gist {
		return about(c.Account, "Sale", string(c.Sale), "Reason", c.Reason)
	}),
	"Loan:OpenLending": of("open-lending", absent, 2, func(c tape.Open) gist {
		return about(c.Account, "Organisation", organisationOf(c.Account))
	}),
	"Loan:OfferProduct": of("offer-product", absent, 2, func(c loan.OfferProduct) gist {
		t := c.Conditions.Terms
		return about(c.Account, "Product", string(c.Product), "Version", count(int(c.Version)), "Min", c.Conditions.PrincipalMin.String(), "Max", c.Conditions.PrincipalMax.String(),
			"Rate", count(int(t.RatePartsPerMillion)), "Method", string(t.Method), "Instalments", count(int(t.Instalments)), "Revolving", strconv.FormatBool(t.Revolving))
	}),
	"Loan:WithdrawProduct": of("withdraw-product", absent, 2, func(c loan.WithdrawProduct) gist { return about(c.Account, "Product", string(c.Product)) }),
	"Loan:ApplyForLoan": of("apply-for-loan", stated, 1, func(c loan.Apply) gist {
		return about(c.Account, "Loan", string(c.ID), "Household", string(c.Household), "Group", string(c.Group), "Product", string(c.Product), "Purpose", c.Purpose, "Revolving", strconv.FormatBool(c.Terms.Revolving)).worth(c.Amount)
	}),
	"Loan:GuaranteeLoan": of("guarantee-loan", known, 1, func(c loan.Guarantee) gist {
		return about(c.Account, "Loan", string(c.Loan), "Application", c.Application)
	}),
	"Loan:DecideLoan": of("decide-loan", stated, 2, func(c loan.Decide) gist {
		return about(c.Account, "Loan", string(c.Loan), "Reason", c.Reason).worth(c.Amount)
	}),
	"Loan:WithdrawLoan": of("withdraw-loan", known, 1, func(c loan.WithdrawLoan) gist { return about(c.Account, "Loan", string(c.Loan)) }),
	"Loan:ContractLoan": of("contract-loan", known, 1, func(c loan.ContractLoan) gist {
		return about(c.Account, "Loan", string(c.Loan), "Quote", c.Quote.String(), "Count", count(len(c.Advances)))
	}),
	"Loan:DisburseLoan": of("disburse-loan", stated, 2, func(c loan.Disburse) gist {
		return about(c.Account, "Loan", string(c.Loan), "To", string(c.To), "Tranche", count(int(c.Tranche))).worth(c.Amount)
	}),
	"Loan:DrawLoan": of("draw-loan", stated, 1, func(c loan.DrawLoan) gist {
		return about(c.Account, "Loan", string(c.Loan), "Tranche", count(int(c.Tranche)), "Cancel", strconv.FormatBool(c.Cancel), "Paying", string(c.Order)).worth(c.Amount)
	}),
	"Loan:OrderSupplies": of("order-supplies", stated, 1, func(c loan.OrderSupplies) gist {
		return about(c.Account, "Loan", string(c.Loan), "Supplier", string(c.Supplier), "Category", c.Category).worth(c.Amount)
	}),
	"Loan:ConfirmDelivery": of("confirm-delivery", known, 1, func(c loan.ConfirmDelivery) gist {
		return about(c.Account, "Order", string(c.Order), "Cancel", strconv.FormatBool(c.Cancel))
	}),
	"Loan:ChooseOverpayment": of("choose-overpayment", known, 1, func(c loan.ChooseOverpayment) gist {
		return about(c.Account, "Loan", string(c.Loan), "Kept", string(c.For))
	}),
	"Loan:PayOverpayment": of("pay-overpayment", known, 2, func(c loan.PayOverpayment) gist {
		return about(c.Account, "Loan", string(c.Loan), "Count", count(int(c.N)))
	}),
	"Loan:ReturnPart": of("return-part", known, 2, func(c loan.ReturnPart) gist { return about(c.Account, "Loan", string(c.Loan)) }),
	"Loan:GiveNotice": of("give-notice", absent, 1, func(c loan.GiveNotice) gist {
		return about(c.Account, "Loan", string(c.Loan), "Instalment", count(int(c.Instalment)), "Days", count(int(c.Days)))
	}),
	"Loan:DefaultLoan": of("default-loan", absent, 2, func(c loan.Default) gist { return about(c.Account, "Loan", string(c.Loan)) }),
	"Loan:DeclareStay": of("declare-stay", absent, 1, func(c loan.DeclareStay) gist {
		return about(c.Account, "Kind", c.Kind, "From", string(c.From), "To", string(c.To))
	}),
	"Loan:RestructureLoan": of("restructure-loan", known, 2, func(c loan.Restructure) gist {
		return about(c.Account, "Loan", string(c.Loan), "Method", string(c.Terms.Method), "Instalments", count(int(c.Terms.Instalments)), "End", string(c.TermEnd))
	}),
	"Loan:TakeOverLoan": of("take-over-loan", known, 2, func(c loan.TakeOver) gist {
		return about(c.Account, "Loan", string(c.Loan), "From", since(c), "Payments", count(len(c.Payments)), "Evidence", c.Evidence.String())
	}),
	"Loan:WriteOffLoan": of("write-off-loan", known, 2, func(c loan.WriteOff) gist { return about(c.Account, "Loan", string(c.Loan)) }),
	"Loan:AddCosts":     of("add-costs", stated, 2, func(c loan.AddCosts) gist { return about(c.Account, "Loan", string(c.Loan)).worth(c.Amount) }),
	"Credit:Attest": of("attest", absent, 1, func(c assessment.Attest) gist {
		return about(c.Account, "Lender", c.Lender, "Indicator", c.Indicator, "Household", string(c.Household), "Value", count(int(c.Value)), "Day", string(c.Day))
	}),
	"Credit:Retract": of("retract", absent, 1, func(c assessment.Retract) gist {
		return about(c.Account, "Lender", c.Lender, "Indicator", c.Indicator, "Household", string(c.Household), "Source", c.Source)
	}),
	"Credit:Assess": of("assess", absent, 2, func(c assessment.Assess) gist {
		return about(c.Account, "Household", string(c.Household), "IncomeMax", c.IncomeMax.String())
	}),
	"Credit:DisputeInput": of("dispute-input", absent, 1, func(c assessment.DisputeInput) gist {
		return about(c.Account, "Indicator", c.Indicator, "Household", string(c.Household), "Source", c.Source, "Lender", c.Lender)
	}),
	"Recourse:MakeCall": of("make-call", stated, 2, func(c recourse.MakeCall) gist {
		return about(c.Account, "Loan", string(c.Loan), "Count", count(len(c.Guarantors))).worth(c.Amount)
	}),
	"Recourse:RespreadCall": of("respread-call", absent, 1, func(c recourse.Respread) gist {
		return about(c.Account, "Loan", string(c.Loan), "Household", string(c.Guarantor))
	}),
	"Recourse:DeclareUnable": of("declare-unable", absent, 2, func(c recourse.DeclareUnable) gist {
		return about(c.Account, "Loan", string(c.Loan), "Household", string(c.Guarantor), "Count", count(len(c.Evidence)), "Lift", strconv.FormatBool(c.Lift))
	}),
	"Recourse:ReleaseGuarantor": of("release-guarantor", absent, 2, func(c recourse.Release) gist {
		return about(c.Account, "Loan", string(c.Loan), "Household", string(c.Guarantor))
	}),
	"Recourse:WithdrawCall": of("withdraw-call", absent, 2, func(c recourse.WithdrawCall) gist {
		return about(c.Account, "Loan", string(c.Loan), "Call", string(c.Call))
	}),
	"Recourse:ReimburseCall": of("reimburse-call", stated, 1, func(c recourse.Reimburse) gist {
		return about(c.Account, "Loan", string(c.Loan), "Parts", handed(c.Parts)).worth(c.Amount)
	}),
	"Recourse:ContributeCall": of("contribute-call", stated, 1, func(c recourse.Contribute) gist {
		return about(c.Account, "Loan", string(c.Loan), "Household", string(c.From), "Other", string(c.To)).worth(c.Amount)
	}),
	"Settlement:OpenSettlement": of("open-settlement", known, 2, func(c settlement.OpenSettlement) gist {
		return about(c.Account, "Sale", string(c.Sale))
	}),
	"Settlement:AbandonSettlement": of("abandon-settlement", known, 2, func(c settlement.AbandonSettlement) gist {
		return about(c.Account, "Sale", string(c.Sale))
	}),
	"Settlement:PayAgain": of("pay-again", known, 2, func(c settlement.PayAgain) gist {
		return about(c.Account, "Sale", string(c.Sale), "Payout", string(c.Hold))
	}),
	"Settlement:ChoosePrepayment": of("choose-prepayment", stated, 1, func(c settlement.ChoosePrepayment) gist {
		return about(c.Account, "Household", string(c.Household), "Loan", string(c.Loan)).worth(c.Amount)
	}),
	"Pool:OpenPoolAccount": of("open-pool-account", absent, 2, func(c tape.Open) gist {
		return about(c.Account, "Organisation", organisationOf(c.Account))
	}),
	"Pool:OpenPool": of("open-pool", absent, 2, func(c pool.OpenPool) gist {
		return about(c.Account, offered(c.Terms)...)
	}),
	"Pool:AmendPool": of("amend-pool", absent, 2, func(c pool.AmendPool) gist {
		return about(c.Account, offered(c.Terms)...)
	}),
	"Pool:AcceptPool": of("accept-pool", absent, 2, func(c pool.AcceptTerms) gist { return about(c.Account, "Version", count(int(c.Version))) }),
	"Pool:FreezeQuarter": of("freeze-quarter", absent, 2, func(c pool.Freeze) gist {
		return about(c.Account, "Lender", c.Lender, "Quarter", string(c.Quarter), "Gross", grams(c.Figures.Gross), "NonPerforming", grams(c.Figures.NonPerforming), "WrittenOff", grams(c.Figures.WrittenOff))
	}),
	"Pool:AdmitPoolLoan": of("admit-pool-loan", absent, 2, func(c pool.AdmitLoan) gist {
		return about(c.Account, "Lender", c.Lender, "Loan", string(c.Loan), "Scheme", string(c.Scheme))
	}),
	"Pool:SubmitPoolClaim": of("submit-pool-claim", absent, 2, func(c pool.SubmitClaim) gist {
		return about(c.Account, "Claim", string(c.Claim), "Loan", string(c.Loan), "Scheme", string(c.Scheme), "Count", count(len(c.Evidence)))
	}),
	"Pool:VerifyPoolClaim":  of("verify-pool-claim", absent, 1, func(c pool.Step) gist { return about(c.Account, "Claim", string(c.Claim)) }),
	"Pool:ReviewPoolClaim":  of("review-pool-claim", absent, 1, func(c pool.Step) gist { return about(c.Account, "Claim", string(c.Claim)) }),
	"Pool:ApprovePoolClaim": of("approve-pool-claim", known, 2, func(c pool.Step) gist { return about(c.Account, "Claim", string(c.Claim)) }),
	"Pool:ReturnPoolClaim": of("return-pool-claim", absent, 1, func(c pool.Decline) gist {
		return about(c.Account, "Claim", string(c.Claim), "Reason", c.Reason)
	}),
	"Pool:RejectPoolClaim": of("reject-pool-claim", known, 2, func(c pool.Decline) gist {
		return about(c.Account, "Claim", string(c.Claim), "Reason", c.Reason)
	}),
	"Pool:ShareRecovery": of("share-recovery", stated, 2, func(c pool.Recover) gist {
		return about(c.Account, "Claim", string(c.Claim), "Recovered", c.Amount.String()).worth(c.Cost)
	}),
	"Pool:ClosePoolClaim": of("close-pool-claim", absent, 2, func(c pool.CloseClaim) gist {
		return about(c.Account, "Claim", string(c.Claim), "Reason", c.Reason)
	}),
	"Tape:Spend": of("spend", stated, 2, func(c tape.Spend) gist {
		return about(c.Account, "Count", count(len(c.Payments))).worth(total(c.Payments))
	}),
	"Tape:Hold": of("hold", stated, 2, func(c tape.OrderHolds) gist {
		payments := make([]tape.Payment, len(c.Holds))
		for i, order := range c.Holds {
			payments[i].Amount = order.Amount
		}
		return about(c.Account, "Count", count(len(c.Holds))).worth(total(payments))
	}),
	"Tape:Memo": of("memo", stated, 2, func(c tape.Memo) gist {
		payments := make([]tape.Payment, len(c.Postings))
		for i, posting := range c.Postings {
			payments[i].Amount = posting.Amount
		}
		return about(c.Account, "Count", count(len(c.Postings))).worth(total(payments))
	}),
	// Of a gift from which a processor kept a fee, less stands on the account than was given.
	"Tape:Refund": of("refund", known, 2, func(c tape.Refund) gist { return about(c.Account, "Gift", c.Gift.Gift[0], "Payee", string(c.To)) }),
	"Tape:Identify": of("identify", known, 2, func(c tape.Identify) gist {
		return about(c.Account, "Gift", c.Gift.Gift[0], "To", string(c.To), "Hold", string(c.Hold))
	}),
	"Tape:Correct": of("correct", known, 2, func(c tape.Correct) gist {
		return about(c.Account, "Gift", c.Gift.Gift[0], "To", string(c.To), "Reason", c.Reason)
	}),
	"Fund:Declare":  of("declare", known, 2, func(c fund.Declare) gist { return about(c.Account, "Page", string(c.Page)) }),
	"Tape:Withdraw": of("withdraw", known, 2, func(c tape.Withdraw) gist { return about(c.Account, "Page", string(c.Page), "Reason", c.Reason) }),
	"Tape:OpenJob":  of("open-job", stated, 2, func(c tape.OpenJob) gist { return about(c.Account, "Job", string(c.ID)).worth(c.Amount) }),
	"Tape:Release":  of("release", known, 2, func(c tape.Release) gist { return about(c.Account, "Hold", string(c.Hold)) }),
	"Group:OpenScheme": of("open-scheme", absent, 2, func(c group.OpenScheme) gist {
		return about(c.Account, "Lenders", strings.Join(c.Lenders, ", "))
	}),
	"Group:AmendScheme": of("amend-scheme", absent, 2, func(c group.AmendScheme) gist {
		return about(c.Account, "Lenders", strings.Join(c.Lenders, ", "))
	}),
	"Group:AcceptScheme": of("accept-scheme", absent, 2, func(c group.AcceptScheme) gist { return about(c.Account, "Proposal", c.Proposal) }),
	"Group:NameSupplier": of("name-supplier", absent, 2, func(c group.NameSupplier) gist {
		return about(c.Account, "Supplier", string(c.Supplier), "Categories", strings.Join(c.Categories, ", "), "Withdraw", strconv.FormatBool(c.Withdraw))
	}),
	"Group:Relate": of("relate", absent, 2, func(c group.Relate) gist {
		return about(c.Account, "Household", string(c.Household), "Other", string(c.Other), "Withdraw", strconv.FormatBool(c.Withdraw))
	}),
	"Group:Admit": of("admit", absent, 2, func(c group.Admit) gist {
		return about(c.Account, "Household", string(c.Household), "Person", string(c.Person))
	}),
	"Group:ReplaceSigner": of("replace-signer", absent, 2, func(c group.ReplaceSigner) gist {
		return about(c.Account, "Household", string(c.Household), "Person", string(c.Person), "Reason", c.Reason)
	}),
	"Group:Leave": of("leave", absent, 1, func(c group.Leave) gist { return about(c.Account, "Household", string(c.Household)) }),
	"Group:FormGroup": of("form-group", absent, 2, func(c group.FormGroup) gist {
		a := c.Agreement
		return about(c.Account, "Group", string(c.Group), "Count", count(len(a.Members)), "Most", a.GroupMax.String(), "Member", a.MemberMax.String(), "Until", string(a.Expiry))
	}),
	"Group:SignGroup": of("sign-group", absent, 1, func(c group.SignGroup) gist {
		return about(c.Account, "Group", string(c.Group), "Household", string(c.Household), "Agreement", c.Agreement.String(), "Joining", string(c.Joining))
	}),
	"Group:Endorse":      of("endorse", absent, 2, func(c group.Endorse) gist { return about(c.Account, "Group", string(c.Group)) }),
	"Group:ApproveGroup": of("approve-group", absent, 2, func(c group.ApproveGroup) gist { return about(c.Account, "Group", string(c.Group)) }),
	"Group:RejectGroup": of("reject-group", absent, 2, func(c group.RejectGroup) gist {
		return about(c.Account, "Group", string(c.Group), "Reason", c.Reason)
	}),
	"Group:Exit": of("exit", absent, 1, func(c group.Exit) gist {
		return about(c.Account, "Group", string(c.Group), "Household", string(c.Household), "Tail", strconv.FormatBool(c.Tail))
	}),
	// All others sign to expel one, or to wind a group down: who prepares it says how many they are.
	"Group:Expel": of("expel", absent, 1, func(c group.Expel) gist {
		return about(c.Account, "Group", string(c.Group), "Household", string(c.Household), "Assume", strconv.FormatBool(c.Assume))
	}),
	"Group:Refill": of("refill", absent, 2, func(c group.Refill) gist {
		return about(c.Account, "Group", string(c.Group), "Household", string(c.Household))
	}),
	"Group:MemberDied": of("member-died", absent, 2, func(c group.MemberDied) gist { return about(c.Account, "Household", string(c.Household)) }),
	"Group:WindDown": of("wind-down", absent, 1, func(c group.WindDown) gist {
		return about(c.Account, "Group", string(c.Group), "Reason", c.Reason)
	}),
	"Party:Suspend": of("suspend", absent, 1, func(c party.SuspendCommand) gist { return ofPerson(c.Person, "Address", c.Address.String()) }),
	"Party:Revoke":  of("revoke", absent, 1, func(c party.RevokeCommand) gist { return ofPerson(c.Person) }),
	"Party:Consent": of("consent", absent, 1, func(c party.ConsentCommand) gist {
		return ofPerson(c.Person, "Organisation", c.Organisation, "Purpose", c.Purpose, "About", c.About, "Until", string(c.Until))
	}),
	"Party:WithdrawConsent": of("withdraw-consent", absent, 1, func(c party.WithdrawCommand) gist {
		return ofPerson(c.Person, "Organisation", c.Organisation, "Purpose", c.Purpose, "About", c.About)
	}),
	// The contract asks no intent of a rotation. The door does, so that nobody
	// brings a key for somebody else; see Door.
	"Party:Rotate": of("rotate", absent, 1, func(c party.RotateCommand) gist {
		return ofPerson(c.Person, "Address", c.Address.String(), "Custody", string(c.Custody), "Duty", string(c.Duty))
	}),
}

// guarded are the commands about a person that its guardian may sign too; the
// contract says whether the signer is the one.
var guarded = []string{"Party:Consent", "Party:WithdrawConsent"}

// personal reports whether a command is about the person who signs it, and nobody else.
func personal(function string) bool {
	return strings.HasPrefix(function, "Party:") && forms[function].measure == absent && !slices.Contains(guarded, function)
}

func ofPerson(person tape.ID, figures ...string) gist {
	return gist{subject: string(person), figures: append([]string{"Person", string(person)}, figures...)}
}

func title(t fund.Text) string {
	if t.En == "" {
		return t.Zh
	}
	return t.En
}

// Read says what a command is about. amount is what the draft says; where the
// command has an amount of its own they must agree.
func Read(function string, command []byte, amount string) (Act, error) {
	f, readable := forms[function]
	if !readable {
		return Act{}, rule.Refuse(rule.Unsupported, "%.80q cannot be put into words here, so it is not signed here; a newer version of this program may know it", function)
	}
	g, err := f.read(command)
	if err != nil {
		return Act{}, rule.Field("command", err)
	}
	act := Act{Action: f.action, Subject: g.subject, Amount: amount}
	if err := f.measure.check(amount, g.amount); err != nil {
		return Act{}, rule.Field("amount", err)
	}
	figures := append(g.figures, "Amount", amount)
	for i := 1; i < len(figures); i += 2 {
		figures[i] = Visible(figures[i])
	}
	act.Message = message.New(key(f.action, g.figures), figures...)
	return act, nil
}

// key chooses the sentence of an action; where a figure turns it into its
// opposite there are two.
func key(action string, figures []string) string {
	for i := 0; i+1 < len(figures); i += 2 {
		switch name, value := figures[i], figures[i+1]; {
		case name == "Cancel" && value == "true", name == "Lift" && value == "true", name == "Outcome" && action == "confirm", name == "Withdraw" && value == "true", name == "End" && value == "true", name == "Raise" && value == "false",
			name == "Tail" && value == "true", name == "Assume" && value == "true", name == "Joining" && value != "", name == "Kept" && value != "",
			name == "Paying" && value != "", name == "Worth" && value != "", name == "Revolving" && value == "true",
			name == "Hold" && value != "" && action == "identify":
			return "sign." + action + "." + lower(name, value)
		}
	}
	return "sign." + action
}

// lower names the variant of a sentence.
func lower(name, value string) string {
	if name != "Outcome" {
		return map[string]string{"Cancel": "cancel", "Lift": "lift", "Withdraw": "withdraw", "End": "end", "Raise": "lower", "Hold": "returned", "Tail": "tail", "Assume": "assume", "Joining": "joining", "Kept": "keep", "Paying": "order", "Worth": "worth", "Revolving": "line"}[name]
	}
	if value == fund.Arrived {
		return fund.Arrived
	}
	return fund.Disputed
}

// check refuses an amount that this action cannot have.
func (m measure) check(amount string, command money.Amount) error {
	if m == absent {
		if amount != "" {
			return rule.Refuse(rule.Invalid, "is %.40q; this command has none", amount)
		}
		return nil
	}
	parsed, err := money.Parse(amount)
	if err != nil {
		return err
	}
	if m == nothing && parsed.Units != 0 {
		return rule.Refuse(rule.Conflict, "is %s; this command moves no money", amount)
	}
	if m == stated && parsed != command {
		return rule.Refuse(rule.Conflict, "is %s; the command says %s", amount, command)
	}
	return nil
}

// roles are those of the desk who prepare and sign commands of a function. What
// the people's door takes is everybody's own to sign.
func roles(function string) []login.Role {
	switch function {
	case "Fund:Propose":
		return []login.Role{login.Maker}
	case "Fund:Approve":
		return []login.Role{login.Checker}
	case "Fund:Enrol", "Group:Expel", "Group:WindDown", "Harvest:Deliver", "Loan:ConfirmDelivery", "Recourse:ContributeCall", "Recourse:ReimburseCall": // what an agent prepares for whom it serves
		return []login.Role{login.Maker, login.Checker, login.Agent}
	}
	return []login.Role{login.Maker, login.Checker}
}

// Own is the amount that a command of a function says itself, none where the
// ledger knows it; false where those who sign it sign no amount.
func Own(function string, command []byte) (amount money.Amount, measured bool) {
	f, readable := forms[function]
	if !readable || f.measure == absent {
		return money.Amount{}, false
	}
	if f.measure == stated {
		g, _ := f.read(command) // one that cannot be read is refused by who judges it
		amount = g.amount
	}
	return amount, true
}

// Persons is the fewest persons that may sign a command of a function under any policy; 0 for one
// that cannot be signed here.
func Persons(function string) int { return forms[function].persons }

// handed is what each guarantor has got, as it is read before it is signed.
func handed(parts []recourse.Handed) string {
	each := make([]string, len(parts))
	for i, part := range parts {
		each[i] = string(part.To) + " " + part.Amount.String()
	}
	return strings.Join(each, "; ")
}
