package stories

import (
	"github.com/lianbao/lianbao/chaincode/tape"
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
	public.Acts, public.Title, public.MoreDebits = nil, nil, false
	public.Credits = []views.BankLine{line(tape.CreditSide, 14, "2026-03-04", "88.00")}
	public.Debits = []views.BankLine{line(tape.DebitSide, 13, "2026-03-03", "640.00", views.BankFit{Kind: "payout", ID: "speech-2.0.1", Path: "/payouts/x/y"})}
	nothing := views.Bank{Account: long, Custodian: bank, Ordered: yuan("0.00"), Receivable: yuan("0.00")}
	return []Story{{"bank", "What the bank has shown, before its staff", page}, {"bank-public", "What the bank has shown, before everybody", public}, {"bank-none", "The bank has shown nothing yet", nothing}}
}
