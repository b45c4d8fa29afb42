package assessment

import (
	"slices"

	"github.com/lianbao/lianbao/chaincode/credit"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Why people look at an application whatever the table says.
const (
	NoScore          = "no-score"
	ScoreOld         = "score-old"
	ConsentWithdrawn = "consent-withdrawn"
	InputContested   = "input-contested"
	OtherCurrency    = "other-currency"
)

// Asked is an application: an amount, what the household owes already, and the
// consents of the score as they stand now, in the order of ConsentKeys.
type Asked struct {
	Amount   money.Amount
	Exposure money.Amount
	// OtherCurrency says that it owes something besides in another currency.
	OtherCurrency bool
	Consents      []*party.Consent
}

// ConsentKeys are those of the consents under which the score was computed; none where there is no score.
func (s *Standing) ConsentKeys() []string {
	if s == nil {
		return nil
	}
	var keys []string
	for _, one := range s.Score.Request.Consents {
		keys = append(keys, party.ConsentKey(one.Person, one.Organisation, one.Purpose, one.About))
	}
	return keys
}

// Judge says what the score means for an application on a day. A score that is too
// old, whose consent was withdrawn, or that comes out otherwise without what the
// household contests decides nothing: people do.
func (s *Standing) Judge(asked Asked, day tape.Date) (loan.Assessment, error) {
	if s == nil {
		return loan.Assessment{Outcome: loan.Refer, Reasons: []string{NoScore}, Limit: money.New(0, asked.Amount.Currency), Model: "none"}, nil
	}
	model, err := credit.ModelOf(s.Score.Model)
	if err != nil {
		return loan.Assessment{}, err
	}
	found := loan.Assessment{Outcome: loan.Refer, Score: s.Score.Points, Limit: s.Limit.Amount, Model: s.Score.Model}
	if why := s.idle(asked, int(model.Decisions.ScoreDays), day); why != "" {
		found.Reasons = []string{why}
		return found, nil
	}
	application := credit.Application{Amount: asked.Amount, Exposure: asked.Exposure, Limit: s.Limit.Amount}
	decision, err := model.Decide(s.Score, application)
	if err != nil {
		return found, rule.Field("amount", err)
	}
	found.Outcome = string(decision.Verdict)
	if s.Without != nil {
		other, err := model.Decide(*s.Without, application)
		if err != nil {
			return found, rule.Field("amount", err)
		}
		if other.Verdict != decision.Verdict {
			found.Outcome, found.Reasons = loan.Refer, []string{InputContested}
		}
	}
	for _, reason := range decision.Reasons {
		found.Reasons = append(found.Reasons, reason.Code)
	}
	return found, nil
}

// idle is why a score decides nothing today, "" where it does.
func (s *Standing) idle(asked Asked, scoreDays int, day tape.Date) string {
	switch {
	case slices.ContainsFunc(asked.Consents, func(one *party.Consent) bool { return one == nil || !one.Stands(day) }):
		return ConsentWithdrawn
	case s.Date.AddDays(scoreDays) < day:
		return ScoreOld
	case asked.OtherCurrency:
		return OtherCurrency
	}
	return ""
}
