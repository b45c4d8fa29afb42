package lane

// class says how the commands of a function stand to others on the same account.
type class int

const (
	// head commands read and write what belongs to the account as a whole, such
	// as its head or its last statement: one in flight, in the order of acceptance.
	headClass class = iota
	// opening commands must be done before anything else on the account begins.
	opening
	// settlement commands write the head; the lane gathers them itself.
	settlement
	// page commands write one new key and touch nothing else.
	page
	// beside commands touch only what an earlier head command made: they go side
	// by side, after the head commands accepted before them.
	beside
)

// classes lists what is not of the head class. A function that is not known here
// is carried alone, which is never wrong.
var classes = map[string]class{
	"Tape:Open":      opening,
	"Tape:Receive":   page,
	"Tape:Settle":    settlement,
	"Tape:FileLines": beside,
	"Tape:Capture":   beside,
	"Tape:Execute":   beside,
	"Tape:Release":   beside,
	"Tape:Expire":    beside,
	"Tape:RunChunk":  beside,
	"Tape:Memo":      beside,
	// What a campaign decides about single payees and payouts; its plan, its
	// budget and its head are the head class's.
	"Fund:OpenCampaign":  opening,
	"Fund:Invite":        beside,
	"Fund:Enrol":         beside,
	"Fund:AppointAgent":  beside,
	"Fund:ReplacePerson": beside,
	"Fund:SetFlag":       beside,
	"Fund:CallBackPayee": beside,
	"Fund:Propose":       beside,
	"Fund:List":          beside,
	"Fund:Approve":       beside,
	"Fund:Reject":        beside,
	"Fund:Pay":           beside,
	"Fund:Confirm":       beside,
	"Fund:Cite":          beside,
	"Fund:RecordPledge":  beside,
	"Fund:SettlePledge":  beside,
	"Fund:ReceiveGoods":  beside,
	"Fund:GiveGoods":     beside,
	"Fund:NamePublisher": beside,
	// Each scale writes lots of its own.
	"Harvest:Deliver": beside,
	// Households and groups of a scheme; what its terms are is the head class's.
	"Group:OpenScheme":    opening,
	"Group:NameSupplier":  beside,
	"Group:Relate":        beside,
	"Group:Admit":         beside,
	"Group:ReplaceSigner": beside,
	"Group:Leave":         beside,
	"Group:FormGroup":     beside,
	"Group:SignGroup":     beside,
	"Group:Endorse":       beside,
	"Group:ApproveGroup":  beside,
	"Group:RejectGroup":   beside,
	"Group:Freeze":        beside,
	"Group:Cure":          beside,
	"Group:Exit":          beside,
	"Group:Expel":         beside,
	"Group:Refill":        beside,
	"Group:MemberDied":    beside,
	"Group:WindDown":      beside,
	"Group:CloseGroup":    beside,
	// Each loan, order and choice is its own; what moves a lender's head is the head class's.
	"Loan:OpenLending":       opening,
	"Loan:ApplyForLoan":      beside,
	"Loan:GuaranteeLoan":     beside,
	"Loan:DecideLoan":        beside,
	"Loan:WithdrawLoan":      beside,
	"Loan:ContractLoan":      beside,
	"Loan:ChooseOverpayment": beside,
	"Loan:BookTranche":       beside,
	"Loan:TakeBackRepayment": beside,
	"Loan:DrawLoan":          beside,
	"Loan:OrderSupplies":     beside,
	"Loan:ConfirmDelivery":   beside,
	"Loan:GiveNotice":        beside,
	"Loan:DefaultLoan":       beside,
	"Loan:DeclareStay":       beside,
	"Loan:RestructureLoan":   beside,
	"Loan:TakeOverLoan":      beside,
	"Loan:WriteOffLoan":      beside,
	"Loan:AddCosts":          beside,
	// What is attested, scored and contested is of one household with one lender.
	"Credit:Attest":               beside,
	"Credit:Retract":              beside,
	"Credit:Assess":               beside,
	"Credit:DisputeInput":         beside,
	"Recourse:MakeCall":           beside,
	"Recourse:RespreadCall":       beside,
	"Recourse:DeclareUnable":      beside,
	"Recourse:ReleaseGuarantor":   beside,
	"Recourse:WithdrawCall":       beside,
	"Recourse:ReimburseCall":      beside,
	"Recourse:ContributeCall":     beside,
	"Settlement:SettleHouseholds": beside,
	"Settlement:ChoosePrepayment": beside,
	// What lender, cooperative and keeper say of one claim; the lender's cap and the pool's head are the head class's.
	"Pool:OpenPoolAccount":  opening,
	"Pool:AdmitPoolLoan":    beside,
	"Pool:SubmitPoolClaim":  beside,
	"Pool:VerifyPoolClaim":  beside,
	"Pool:ReviewPoolClaim":  beside,
	"Pool:RejectPoolClaim":  beside,
	"Pool:ClosePoolClaim":   beside,
	"Books:CloseMonth":      beside,
	"Party:Register":        beside,
	"Party:Witness":         beside,
	"Party:Rotate":          beside,
	"Party:Suspend":         beside,
	"Party:Revoke":          beside,
	"Party:Guard":           beside,
	"Party:Consent":         beside,
	"Party:WithdrawConsent": beside,
}

func classOf(function string) class { return classes[function] }
