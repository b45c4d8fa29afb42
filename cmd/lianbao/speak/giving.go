package speak

import (
	"context"
	"crypto/rand"
	"encoding/hex"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/donation"
	"github.com/lianbao/lianbao/gateway/giving"
)

// Claims asks which announced gifts the memos of bank lines name.
func (g *Gateway) Claims(ctx context.Context, memos []giving.Memo) ([]giving.Claim, error) {
	var answer struct {
		Claims []giving.Claim `json:"claims"`
	}
	err := g.Post(ctx, "/giving/claims", map[string]any{"memos": memos}, &answer)
	return answer.Claims, err
}

// Take tells which lines became gifts of announcements.
func (g *Gateway) Take(ctx context.Context, takings []giving.Taking) error {
	return g.Post(ctx, "/giving/takings", map[string]any{"takings": takings}, new(struct{}))
}

// Announced is a gift that was announced. Code is told once.
type Announced struct {
	Code      string             `json:"code"`
	Reference donation.Reference `json:"reference"`
	Account   tape.AccountID     `json:"account"`
	Amount    money.Amount       `json:"amount"`
	PayTo     string             `json:"payTo"`
}

// Giver is who gives, as far as it is said; an empty name is an anonymous one.
type Giver struct {
	Name string `json:"name,omitempty"`
	// Publish says that the name may be published, Waived that no receipt is wanted.
	Publish bool `json:"publish,omitempty"`
	Waived  bool `json:"waived,omitempty"`
}

// Announce announces a gift for somebody.
// An empty attempt draws one; who gives it can ask again and is answered as before.
func (g *Gateway) Announce(ctx context.Context, attempt string, account tape.AccountID, amount money.Amount, giver Giver) (Announced, error) {
	if attempt == "" {
		var drawn [16]byte
		if _, err := rand.Read(drawn[:]); err != nil {
			return Announced{}, err
		}
		attempt = hex.EncodeToString(drawn[:])
	}
	var made Announced
	err := g.Post(ctx, "/giving/announcements", struct {
		Attempt string         `json:"attempt"`
		Account tape.AccountID `json:"account"`
		Amount  money.Amount   `json:"amount"`
		Giver
	}{attempt, account, amount, giver}, &made)
	return made, err
}

// CodeAccount is the campaign that a gift code was announced for.
func (g *Gateway) CodeAccount(ctx context.Context, code string) (tape.AccountID, error) {
	var found struct {
		Account tape.AccountID `json:"account"`
	}
	err := g.Post(ctx, "/giving/codes", map[string]string{"code": code}, &found)
	return found.Account, err
}

// Attach gives money that somebody has claimed to its code.
func (g *Gateway) Attach(ctx context.Context, code string, u giving.Use) error {
	return g.Post(ctx, "/giving/attachments", struct {
		Account tape.AccountID `json:"account"`
		Code    string         `json:"code"`
		Gift    tape.ID        `json:"gift"`
		Page    tape.ID        `json:"page"`
	}{u.Account, code, u.Gift, u.Page}, new(struct{}))
}
