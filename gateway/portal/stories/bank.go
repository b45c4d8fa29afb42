package stories

import (
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/importing"
	"github.com/lianbao/lianbao/gateway/portal/views"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// banks are what the bank has shown: before its staff, before everybody, and nothing yet.
func banks() []Story {
	f := facts()
	line := func(side tape.Side, number int32, day tape.Date, amount string, fits ...views.BankFit) views.BankLine {
		return views.BankLine{Line: readmodel.Line{Account: bank, Statement: "E59HF5", Side: side, Number: number, Date: day, Amount: yuan(amount)}, Fits: fits}
	}
	fit := func(kind string, id tape.ID, path, act string) views.BankFit {
		return views.BankFit{Kind: kind, ID: id, Path: path, Act: &views.GiftAct{Act: act, Path: "/campaigns/" + string(training) + "/acts/" + act}}
	}
	fee := yuan("186.00")
	page := views.Bank{Account: training, Title: &f.Title, Custodian: bank, Orders: 24, Ordered: yuan("34120.00"), File: true, Receivable: yuan("100.00"),
		Acts: []string{"execute-payouts", "return-payout", "charge-back", "expire-payout"},
		Processors: []views.ProcessorFile{
			{Processor: tape.Processor{Account: training, ID: "P7Q2F31KM4XZ", Page: "P7Q2F31KM4XZ.page", Count: 1240, Total: yuan("31000.00"), Fee: &fee, FeeTo: "outside:processor:examplepay", Line: tape.Evidence{Line: 17}, Entry: "charity/P7Q2F31KM4XZ"}, Net: yuan("30814.00"), Statement: "E59HF5", Settled: true},
			{Processor: tape.Processor{Account: training, ID: "PM4XZ7Q2F31K", Page: "PM4XZ7Q2F31K.page", Count: 2, Total: yuan("90071992547409.91"), Line: tape.Evidence{Line: 3}, Entry: "charity/PM4XZ7Q2F31K"}, Net: yuan("90071992547409.91"), Statement: "KG7K19"}},
		Waiting: []views.WaitingPage{{ID: "PX31K7Q2FM4Z.page", Count: 312, Total: yuan("9420.00"), Since: "2026-03-02", Days: 8}, {ID: "page-7", Count: 1, Total: yuan("50.00"), Since: "2026-02-01", Days: 37}},
		Credits: []views.BankLine{line(tape.CreditSide, 12, "2026-03-03", "1200.00", fit("paid", "speech-1.0.4", "/payouts/x/y", "return-payout")), line(tape.CreditSide, 14, "2026-03-04", "88.00")},
		Debits:  []views.BankLine{line(tape.DebitSide, 13, "2026-03-03", "640.00", fit("payout", "speech-2.0.1", "/payouts/x/y", "execute-payouts"), fit("payout", "speech-2.0.9", "/payouts/x/y", "execute-payouts")), line(tape.DebitSide, 15, "2026-03-05", "15.00")},
		Back:    []views.BackRow{{Kind: "refund", Amount: yuan("50.00"), Path: "/campaigns/x/gifts?page=page-1", Entry: "charity/refund-1"}, {Kind: "chargeback", Amount: yuan("100.00"), Path: "/campaigns/x/gifts?page=page-1", Entry: "bank/charge-back-1"}, {Kind: "corrected", Amount: yuan("20.00"), Entry: "charity/correct-1"}}, MoreDebits: true}
	page.Debits[1].Act = &views.GiftAct{Act: "charge-back", Path: "/campaigns/x/acts/charge-back"}
	public := page
	page.Bring = true
	public.Acts, public.Title, public.MoreDebits = nil, nil, false
	public.Credits = []views.BankLine{line(tape.CreditSide, 14, "2026-03-04", "88.00")}
	public.Debits = []views.BankLine{line(tape.DebitSide, 13, "2026-03-03", "640.00", views.BankFit{Kind: "payout", ID: "speech-2.0.1", Path: "/payouts/x/y"})}
	nothing := views.Bank{Account: long, Custodian: bank, Ordered: yuan("0.00"), Receivable: yuan("0.00")}
	return append(processors(), Story{"bank", "What the bank has shown, before its staff", page}, Story{"bank-public", "What the bank has shown, before everybody", public}, Story{"bank-none", "The bank has shown nothing yet", nothing})
}

// processors are the pages on which staff bring payment processors' files.
func processors() []Story {
	f := facts()
	acting := views.Acting{Person: "invented-maker", Token: "form"}
	result := importing.ProcessorResult{File: "march-settlement.csv", ID: "PQ2F31KM4XZ7", Account: training, BankAccount: bank, Page: "PQ2F31KM4XZ7.page", Gifts: 312, Total: yuan("9420.00"), Fee: yuan("94.20"), Net: yuan("9325.80"), Announced: 41, Ignored: 3}
	standing := importing.Standing{ProcessorResult: result, Processor: "outside:processor:examplepay"}
	file := views.ProcessorImport{Account: training, Title: &f.Title, Acting: acting, Standing: standing}
	running, waits, several, broke, settled := file, file, file, file, file
	running.Running = true
	waits.Received, waits.Again = true, true
	several.Received, several.Candidates = true, []string{"KG7K19:12", "KG7K19:40"}
	broke.Refusal = &views.Refusal{Code: "insufficient", Text: "field line: line 12 of KG7K19 carries other gifts"}
	settled.Received, settled.Filed, settled.Settled, settled.Statement, settled.Line = true, true, true, "KG7K19", 12
	form := views.ProcessorBring{Account: training, Title: &f.Title, Acting: acting, Processor: "outside:processor:", Waiting: []views.ProcessorImport{running, several}}
	refused := form
	refused.Waiting, refused.Processor, refused.Reference = nil, "outside:processor:examplepay", "EXAMPLEPAY-20260301"
	refused.Refusal = &views.Refusal{Code: "conflict", Text: "row 9, column net: a total of 154.44 CNY is stated; the rows of gifts give 155.43 CNY"}
	return []Story{{"processor-bring", "Bring a payment processor's file", form}, {"processor-refused", "A processor's file whose sums differ", refused}, {"processor-running", "A processor's file on its way", running},
		{"processor-waits", "A processor's file that came twice and waits for the bank", waits}, {"processor-several", "Several lines of the bank fit a processor's file", several},
		{"processor-broke", "A processor's file that did not get further", broke}, {"processor-settled", "A processor's file that is settled", settled}}
}
