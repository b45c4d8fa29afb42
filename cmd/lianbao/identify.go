package main

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"

	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/cmd/lianbao/founding"
	"github.com/lianbao/lianbao/cmd/lianbao/speak"
	"github.com/lianbao/lianbao/gateway/giving"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

type identifyCommand struct {
	Gift    string `arg:"" help:"Money that nobody had claimed, such as line-140."`
	To      string `required:"" help:"Campaign that it was meant for." placeholder:"CAMPAIGN"`
	Code    string `help:"Gift code of who claims it, whose page then shows it. Other users of this machine can see what is typed here; LIANBAO_GIFT_CODE keeps it from them." env:"LIANBAO_GIFT_CODE" placeholder:"CODE"`
	Account string `help:"Account of unidentified money, where several gifts have this id." placeholder:"ACCOUNT"`
	Page    string `help:"Page of the gift, where several gifts have this id." placeholder:"PAGE"`
	At      string `help:"Organisation that identifies." default:"charity" placeholder:"ORG"`
}

// identified is the result of an identification.
type identified struct {
	tape.Identify
	Amount money.Amount `json:"amount"`
	// Coded says that it stands on the page of a gift code now.
	Coded bool   `json:"coded"`
	Block uint64 `json:"block"`
}

func (c *identifyCommand) Run(app *application) error {
	at, err := app.seat(c.At)
	if err != nil {
		return err
	}
	staff, err := at.staff(string(founding.Maker), string(founding.Checker))
	if err != nil {
		return err
	}
	if err := c.claimed(app, at.gateway); err != nil {
		return err
	}
	command, gift, err := c.command(app, at.gateway)
	if err != nil {
		return err
	}
	decision := founding.Decision{Action: "identify", Subject: string(command.Account), Amount: gift.Amount.String()}
	done := identified{Identify: command, Amount: gift.Amount, Coded: c.Code != ""}
	if done.Block, err = at.decide(app.context, "Tape:Identify", command, decision, staff...); err != nil {
		return err
	}
	if c.Code != "" { // the money has moved: now the code can find it
		if err := at.gateway.Attach(app.context, c.Code, giving.Use{Account: gift.Account, Gift: gift.ID, Page: gift.Page}); err != nil {
			return err
		}
	}
	app.console.result(done)
	app.console.say("  ✓ %-10s %s of %s, page %s, is %s's now", "identified", groupedAmount(gift.Amount), gift.ID, gift.Page, c.To)
	app.console.say("  Next      %s", app.again("trace "+string(gift.ID)+" --account "+string(gift.Account)+" --page "+string(gift.Page)))
	return nil
}

// claimed refuses a code that was given for another campaign.
func (c *identifyCommand) claimed(app *application, g *speak.Gateway) error {
	if c.Code == "" {
		return nil
	}
	account, err := g.CodeAccount(app.context, c.Code)
	if err != nil {
		return err
	}
	if account != tape.AccountID(c.To) {
		return rule.Field("to", rule.Refuse(rule.Conflict, "the code was given for %s, the money would go to %s", account, c.To))
	}
	return nil
}

// command names the gift with its proof. Its id follows from the place of the
// gift: asked again, nothing moves twice.
func (c *identifyCommand) command(app *application, g *speak.Gateway) (tape.Identify, readmodel.Gift, error) {
	var gift readmodel.Gift
	query := url.Values{}
	for name, value := range map[string]string{"account": c.Account, "page": c.Page} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if err := g.Get(app.context, "/gifts/"+url.PathEscape(c.Gift), query, 0, &gift); err != nil {
		return tape.Identify{}, gift, err
	}
	trace, err := speak.Books{Gateway: g}.TraceGift(app.context, readmodel.GiftAt{Account: gift.Account, Page: gift.Page, Index: gift.Index})
	if err != nil {
		return tape.Identify{}, gift, err
	}
	gifts, err := g.GiftsOf(app.context, gift.Account, gift.Page)
	if err != nil {
		return tape.Identify{}, gift, err
	}
	proof, err := tape.NewGiftProof(gift.Page, gifts, gift.Index)
	account, moved := placeBefore(trace, tape.AccountID(c.To))
	name := "lianbao identify 1\n" + string(gift.Account) + "\n" + string(gift.Page) + "\n" + string(gift.ID)
	if proof.Moved = moved; moved != nil { // it was another campaign's in between
		name += "\n" + moved.Inflow
	}
	digest := sha256.Sum256([]byte(name))
	return tape.Identify{Account: account, Gift: proof, ID: tape.ID("identify-" + hex.EncodeToString(digest[:8])), To: tape.AccountID(c.To)}, gift, err
}

// placeBefore is where a gift stands, with what its proof says of its way there;
// for one that stands on the account it is to come to, where it stood before.
func placeBefore(trace readmodel.Trace, to tape.AccountID) (tape.AccountID, *tape.Moved) {
	last := len(trace.Moves) - 1
	if trace.Stands.Account != to || last < 0 {
		return trace.Stands.Account, trace.Stands.Moved
	}
	if last == 0 {
		return trace.Moves[0].Account, nil
	}
	return trace.Moves[last].Account, &tape.Moved{Account: trace.Gift.Account, Inflow: trace.Moves[last-1].Inflow}
}
