package contract_test

import (
	"slices"
	"testing"

	"github.com/lianbao/lianbao/chaincode/assessment"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// allows is a consent of household n's person to the bank; its own key signs.
func (w *world) allows(n int, abouts ...string) {
	w.Helper()
	for _, about := range abouts {
		c := party.ConsentCommand{About: about, ID: tape.ID("allow-" + about + string(seat(n))), Organisation: "bank", Person: seat(n), Purpose: "credit", Until: "2027-12-31"}
		w.must("insurer", "Party:Consent", w.agreed("consent", tape.AccountID(seat(n)), c, seat(n)))
	}
}

// attestation is what the cooperative attests about household n by a paper.
func attestation(n int, indicator string, value int32, id tape.ID) assessment.Attest {
	return assessment.Attest{Account: orchard, Attestation: &party.Hash{byte(len(id)), id[0], id[len(id)-1], byte(n)}, Day: "2026-01-01", Household: house(orchard, n), ID: id, Indicator: indicator, Lender: "bank", Value: value}
}

// shown is the same by an entry of the ledger.
func shown(n int, indicator string, value int32, id tape.ID) assessment.Attest {
	c := attestation(n, indicator, value, id)
	c.Attestation, c.Evidence = nil, "coop/endorse-g1"
	return c
}

// attests lets the cooperative attest all that it can about household 1: 70 points.
func (w *world) attests() {
	w.Helper()
	for _, c := range []assessment.Attest{attestation(1, "meetings-attended", 950_000, "a-meetings"), attestation(1, "training-completed", 2, "a-training"), shown(1, "seasons-delivered", 5, "a-seasons"),
		shown(1, "delivery-kept", 980_000, "a-delivery"), shown(1, "first-grade", 800_000, "a-grade"), attestation(1, "sales-trend", 1_100_000, "a-trend")} {
		w.must("coop", "Credit:Attest", w.agreed("attest", orchard, c, "coop-maker"))
	}
}

// assess scores household 1 with the bank.
func (w *world) assess(id tape.ID, units int64) assessment.Standing {
	w.Helper()
	c := assessment.Assess{Account: orchard, Household: house(orchard, 1), ID: id, IncomeMax: cny(units)}
	w.must("bank", "Credit:Assess", w.agreed("assess", orchard, c, bankStaff...))
	return w.scoreIs()
}

func (w *world) scoreIs() assessment.Standing {
	w.Helper()
	return record[assessment.Standing](w, assessment.Key(orchard, house(orchard, 1), "bank"))
}

// asks applies with the signatures of all four, and returns what was decided in that transaction.
func (w *world) asks(id tape.ID, units int64, state loan.State, reasons ...string) loan.Decision {
	w.Helper()
	w.must("insurer", "Loan:ApplyForLoan", w.signed("apply-for-loan", orchard, cny(units), applyFor(id, 1, units), seat(1), seat(2), seat(3), seat(4)))
	l := record[loan.Loan](w, loan.Key(orchard, id))
	if l.State != state || !slices.Equal(l.Decision.Reasons, reasons) {
		w.Errorf("loan %s is %s, want %s %v: %+v", id, l.State, state, reasons, l.Decision)
	}
	return *l.Decision
}

// TestScores: approved in the transaction of the last consent, referred above the
// limit, refused by the score; nothing without consent, and less once it is withdrawn.
func TestScores(t *testing.T) {
	w := newWorld(t)
	w.groups()
	w.lends()
	w.asks("l0", 12_000_00, loan.Referred, "no-score")

	meetings := func(as string, c assessment.Attest, persons ...tape.ID) string {
		return w.agreed("attest", orchard, c, persons...)
	}
	first := attestation(1, "meetings-attended", 950_000, "a-0")
	w.refused("forbidden: field lender: the person of "+string(house(orchard, 1))+" has not consented", "coop", "Credit:Attest", meetings("coop", first, "coop-maker"))
	w.allows(1, "participation", "trade", "repayment")
	late := attestation(1, "loans-repaid", 3, "a-0")
	w.refused("forbidden: field indicator: loans-repaid is what the ledger knows by itself", "coop", "Credit:Attest", meetings("coop", late, "coop-maker"))
	w.refused("forbidden: regulator (role gateway) does not attest meetings-attended", "regulator", "Credit:Attest", meetings("regulator", first, "regulator-maker"))
	strange := shown(1, "seasons-delivered", 5, "a-0")
	strange.Evidence = "coop/join"
	w.refused("not-found: field evidence: coop/join is no entry about "+string(orchard), "coop", "Credit:Attest", meetings("coop", strange, "coop-maker"))
	county := attestation(1, "training-completed", 1, "county-1")
	w.must("regulator", "Credit:Attest", meetings("regulator", county, "regulator-maker"))
	w.attests()
	again := attestation(1, "meetings-attended", 1, "a-9")
	again.Attestation = attestation(1, "", 0, "a-meetings").Attestation
	w.refused("exists: field evidence: was given for meetings-attended already", "coop", "Credit:Attest", meetings("coop", again, "coop-maker"))
	w.refused("wrong-state: field household: "+string(house(orchard, 5))+" is in no group", "bank", "Credit:Assess",
		w.agreed("assess", orchard, assessment.Assess{Account: orchard, Household: house(orchard, 5), ID: "x", IncomeMax: cny(1)}, bankStaff...))

	s := w.assess("assess-1", 60_000_00)
	if s.Score.Points != 70 || s.Limit.Amount != cny(20_000_00) || s.Limit.Change != "first" || len(s.Score.Request.Inputs) != 7 || s.Score.Verify() != nil {
		t.Errorf("the score: %d points, %+v, %d inputs, %v", s.Score.Points, s.Limit, len(s.Score.Request.Inputs), s.Score.Verify())
	}
	w.Advance(3600e9)
	if d := w.asks("l1", 12_000_00, loan.Approved); d.Score != 70 || d.Model != "coffee-2026-01-01" || d.Limit != cny(20_000_00) {
		t.Errorf("the decision: %+v", d)
	}
	w.assess("assess-2", 10_000_00)
	w.asks("l2", 12_000_00, loan.Referred, "over-limit")
	w.asks("l3", 16_000_00, loan.Refused, "over-limit")

	withdraw := party.WithdrawCommand{About: "trade", ID: "no-trade", Organisation: "bank", Person: seat(1), Purpose: "credit"}
	w.must("insurer", "Party:WithdrawConsent", w.agreed("withdraw-consent", tape.AccountID(seat(1)), withdraw, seat(1)))
	w.asks("l4", 1_000_00, loan.Referred, "consent-withdrawn")
	w.refused("forbidden: field lender: the person of", "coop", "Credit:Attest", meetings("coop", attestation(1, "sales-trend", 1, "a-8"), "coop-maker"))
	if s = w.assess("assess-3", 60_000_00); len(s.Score.Request.Inputs) != 3 || s.Score.Points != 30 {
		t.Errorf("without what trade says: %d inputs, %d points", len(s.Score.Request.Inputs), s.Score.Points)
	}
	w.asks("l5", 1_000_00, loan.Refused, "score-low", "thin-file")
	w.Advance(31 * 24 * 3600e9)
	w.asks("l6", 1_000_00, loan.Referred, "score-old")
}

// TestContested: a household contests an input; both scores stand, and people decide where they differ.
func TestContested(t *testing.T) {
	w := newWorld(t)
	w.groups()
	w.lends()
	w.allows(1, "participation", "trade", "repayment")
	w.attests()
	breach := shown(1, "agreement-breaches", 2, "a-breach")
	w.must("coop", "Credit:Attest", w.agreed("attest", orchard, breach, "coop-maker"))
	if s := w.assess("assess-1", 60_000_00); s.Score.Points != 60 {
		t.Errorf("with breaches: %d points", s.Score.Points)
	}
	contest := assessment.DisputeInput{Account: orchard, Household: house(orchard, 1), ID: "contest-1", Indicator: "agreement-breaches", Lender: "bank", Source: "entry/coop/endorse-g1"}
	w.refused("forbidden: farmer-1, who signs for", "insurer", "Credit:DisputeInput", w.agreed("dispute-input", orchard, contest, seat(2)))
	w.must("insurer", "Credit:DisputeInput", w.agreed("dispute-input", orchard, contest, seat(1)))
	contest.ID = "contest-2"
	w.refused("exists: field source: is contested already, by entry insurer/contest-1", "insurer", "Credit:DisputeInput", w.agreed("dispute-input", orchard, contest, seat(1)))
	if s := w.scoreIs(); s.Score.Points != 60 || s.Without.Points != 70 || s.Without.Verify() != nil {
		t.Errorf("contested: %d and %+v", s.Score.Points, s.Without)
	}
	w.asks("l1", 12_000_00, loan.Referred, "input-contested", "score-low")
	if s := w.assess("assess-2", 60_000_00); len(s.Contested) != 1 || s.Without.Points != 70 {
		t.Errorf("computed again, it is contested all the same: %+v", s.Contested)
	}

	retract := assessment.Retract{Account: orchard, Household: house(orchard, 1), ID: "retract-1", Indicator: "agreement-breaches", Lender: "bank", Source: "entry/coop/endorse-g1"}
	w.refused("forbidden: field source: was attested by coop, who alone takes it back", "regulator", "Credit:Retract", w.agreed("retract", orchard, retract, "regulator-maker"))
	w.must("coop", "Credit:Retract", w.agreed("retract", orchard, retract, "coop-maker"))
	if s := w.assess("assess-3", 60_000_00); len(s.Contested) != 0 || s.Without != nil || s.Score.Points != 70 {
		t.Errorf("once it is taken back: %d points, %+v", s.Score.Points, s.Contested)
	}
	w.asks("l2", 12_000_00, loan.Approved)
}

// TestScoresOfLoans: what a household repaid is an input that nobody attests, and a clean cycle lets its limit grow.
func TestScoresOfLoans(t *testing.T) {
	w := newWorld(t)
	w.groups()
	w.lends()
	l := w.borrows()
	w.allows(1, "repayment")
	if s := w.assess("assess-1", 60_000_00); s.Score.Points != 0 || s.Limit.Amount != cny(20_000_00) || len(s.Score.Request.Inputs) != 0 {
		t.Errorf("before its first loan is repaid: %+v, %+v", s.Score, s.Limit)
	}
	w.Advance(9 * 24 * 3600e9)
	w.paysOff(l, "2026-01-09")
	if past := w.debtsOf(1).Past; len(past) != 1 || past[0].Application != "insurer/l1" || past[0].Organisation != "bank" || past[0].Closed != "2026-01-11" || past[0].DaysPastDueMax != 0 {
		t.Errorf("how it repaid: %+v", past)
	}
	s := w.assess("assess-2", 60_000_00)
	if s.Limit.Change != "kept" || s.Limit.Reasons[0] != "season" {
		t.Errorf("within a season: %+v", s.Limit)
	}
	w.Advance(300 * 24 * 3600e9)
	s = w.assess("assess-3", 60_000_00)
	if s.Limit.Change != "grown" || s.Limit.Amount != cny(23_000_00) || s.Score.Points != 25 || s.Score.Request.Inputs[0].Source != "entry/insurer/l1" {
		t.Errorf("after a clean cycle: %d points by %+v, %+v", s.Score.Points, s.Score.Request.Inputs, s.Limit)
	}
}

// whoCarriesCredit: every command by every role of every organisation, then by who may.
func whoCarriesCredit(t *testing.T) {
	w := newWorld(t)
	w.groups()
	w.Advance(31 * 24 * 3600e9) // then whoever registered a key may carry what it signs
	w.allows(1, "participation", "trade", "repayment")
	meetings := attestation(1, "meetings-attended", 950_000, "a-meetings")
	w.onlyFor(carrying{"Credit:Attest", "attest", noAmount, meetings, "coop", nil})
	w.onlyFor(carrying{"Credit:Assess", "assess", noAmount, assessment.Assess{Account: orchard, Household: house(orchard, 1), ID: "assess-1", IncomeMax: cny(60_000_00)}, "bank", nil})
	source := w.scoreIs().Score.Request.Inputs[0].Source
	w.onlyFor(carrying{"Credit:DisputeInput", "dispute-input", noAmount,
		assessment.DisputeInput{Account: orchard, Household: house(orchard, 1), ID: "contest-1", Indicator: "meetings-attended", Lender: "bank", Source: source}, "", []tape.ID{seat(1)}})
	w.onlyFor(carrying{"Credit:Retract", "retract", noAmount,
		assessment.Retract{Account: orchard, Household: house(orchard, 1), ID: "retract-1", Indicator: "meetings-attended", Lender: "bank", Source: source}, "coop", nil})
}
