// Package score answers, offline, what a household's credit score is and why: a question in
// JSON, an answer for programs. It reckons nothing itself; chaincode/credit does.
// docs/credit.md explains every field.
package score

import (
	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/credit"
	"github.com/lianbao/lianbao/chaincode/rule"
)

// Question asks for a household's score and, where they are given, what a
// disputed input does to it, its limit, and what becomes of an application.
type Question struct {
	Application *credit.Application `json:"application,omitempty"`
	Dispute     *Disputed           `json:"dispute,omitempty"`
	Facts       *credit.LimitFacts  `json:"facts,omitempty"`
	Industry    string              `json:"industry"`
	Request     credit.Request      `json:"request"`
}

// Disputed names an input.
type Disputed struct {
	Indicator string `json:"indicator"`
	Source    string `json:"source"`
}

// Answer is the score and what else was asked.
type Answer struct {
	Score    credit.Score     `json:"score"`
	Without  *credit.Score    `json:"without,omitempty"`
	Limit    *credit.Limit    `json:"limit,omitempty"`
	Decision *credit.Decision `json:"decision,omitempty"`
}

// Ask reads a question strictly and answers it.
func Ask(data []byte) (Answer, error) {
	var q Question
	if err := canonical.Read(data, &q); err != nil {
		return Answer{}, err
	}
	return q.answer()
}

func (q Question) answer() (told Answer, err error) {
	if err := q.Request.Day.Check(); err != nil {
		return Answer{}, rule.Field("request", rule.Field("day", err))
	}
	model, err := credit.ModelOn(q.Industry, q.Request.Day)
	if err != nil {
		return Answer{}, rule.Field("industry", err)
	}
	if told.Score, err = model.Score(q.Request); err != nil {
		return Answer{}, rule.Field("request", err)
	}
	if q.Dispute != nil {
		dispute, err := model.Dispute(q.Request, q.Dispute.Indicator, q.Dispute.Source)
		if err != nil {
			return Answer{}, rule.Field("dispute", err)
		}
		told.Without = &dispute.Without
	}
	if q.Facts != nil {
		limit, err := model.Limit(*q.Facts)
		if err != nil {
			return Answer{}, rule.Field("facts", err)
		}
		told.Limit = &limit
	}
	if q.Application != nil {
		decision, err := model.Decide(told.Score, *q.Application)
		if err != nil {
			return Answer{}, rule.Field("application", err)
		}
		told.Decision = &decision
	}
	return told, nil
}

// Verified is the answer about a record that is as it was computed.
type Verified struct {
	Model  string `json:"model"`
	Points int32  `json:"points"`
}

// Verify reads a recorded score and computes it again.
func Verify(data []byte) (Verified, error) {
	var score credit.Score
	if err := canonical.Read(data, &score); err != nil {
		return Verified{}, err
	}
	if err := score.Verify(); err != nil {
		return Verified{}, err
	}
	return Verified{score.Model, score.Points}, nil
}
