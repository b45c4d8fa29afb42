package main

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/cmd/lianbao/speak"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

type traceCommand struct {
	Gift    string `arg:"" help:"Gift, such as E59HF5-17; or an account or a payee outside the ledger, to see where its money came from."`
	Account string `help:"Account of the gift, where several gifts have this id." placeholder:"ACCOUNT"`
	Page    string `help:"Page of the gift, where several gifts have this id." placeholder:"PAGE"`
	Span    string `help:"With an account: units of its tape, such as 500000..510000; all without it." placeholder:"FROM..TO"`
	At      string `help:"Organisation whose gateway is asked; ${default} when left out." default:"charity" placeholder:"ORG"`
}

func (c *traceCommand) Run(app *application) error {
	gateway, err := app.speaker(c.At)
	if err != nil {
		return err
	}
	switch account := tape.AccountID(c.Gift); {
	case !strings.Contains(c.Gift, ":"):
		return c.forward(app, gateway)
	case account.Outside():
		return app.received(gateway, account)
	}
	return c.back(app, gateway)
}

// reached is what one payout brought to a payee, and whose gifts are in it.
type reached struct {
	Payout readmodel.Payout `json:"payout"`
	Back   []readmodel.Back `json:"back"`
}

// received looks back from a payee outside the ledger, payout by payout.
func (a *application) received(g *speak.Gateway, payee tape.AccountID) error {
	found := []reached{}
	query := url.Values{"payee": {string(payee)}}
	for more := true; more; {
		var list readmodel.List[readmodel.Payout]
		if err := g.Get(a.context, "/payouts", query, 0, &list); err != nil {
			return err
		}
		for _, payout := range list.Items {
			one := reached{Payout: payout, Back: []readmodel.Back{}}
			for _, span := range payout.Captured {
				back, err := origin(a, g, payout.Account, span)
				if err != nil {
					return err
				}
				one.Back = append(one.Back, back)
			}
			found = append(found, one)
		}
		query.Set("after", list.Next)
		more = list.Next != ""
	}
	if len(found) == 0 {
		return rule.Field("payee", rule.Refuse(rule.NotFound, "nothing was ordered for %s", payee))
	}
	a.console.result(found)
	a.tellReceived(payee, found)
	return nil
}

func (a *application) tellReceived(payee tape.AccountID, found []reached) {
	a.console.say("  %s", payee)
	a.console.say("  Rule: %s", ruleOf(tape.FIFO))
	for _, one := range found {
		p := one.Payout
		a.console.say("")
		a.console.say("  payout %s of %s   %s   %s%s", p.ID, p.Account, groupedAmount(p.Amount), p.State, wordOf(p.Confirmation))
		rows := [][]string{{"  BACK FROM", "UNITS", "AMOUNT", "TO"}}
		for _, back := range one.Back {
			rows = append(rows, backRows(back)...)
		}
		if len(rows) > 1 {
			a.console.table(rows)
		}
	}
}

// wordOf is what the receiver said.
func wordOf(c *fund.Confirmation) string {
	if c == nil {
		return ""
	}
	return ", " + c.Outcome + " says its receiver (key: " + c.By.Custody + ")"
}

// traced is the result of following a gift in both directions.
type traced struct {
	readmodel.Trace
	// Back is, for each place where the gift's money is, what stands there.
	Back []readmodel.Back `json:"back"`
}

// forward follows a gift, and looks back from each place that it has reached.
func (c *traceCommand) forward(app *application, g *speak.Gateway) error {
	query := url.Values{}
	for name, value := range map[string]string{"account": c.Account, "page": c.Page} {
		if value != "" {
			query.Set(name, value)
		}
	}
	found := traced{Back: []readmodel.Back{}}
	if err := g.Get(app.context, "/gifts/"+url.PathEscape(c.Gift)+"/trace", query, 0, &found.Trace); err != nil {
		return err
	}
	places := endsOf(found.Root, nil)
	for _, p := range places {
		if p.Span == nil || p.Account.Outside() || p.State == readmodel.Shared || p.State == readmodel.More {
			continue
		}
		back, err := origin(app, g, p.Account, *p.Span)
		if err != nil {
			return err
		}
		found.Back = append(found.Back, back)
	}
	app.console.result(found)
	app.tellTrace(found, places)
	return nil
}

func origin(app *application, g *speak.Gateway, account tape.AccountID, span tape.Span) (readmodel.Back, error) {
	var back readmodel.Back
	err := g.Get(app.context, "/accounts/"+url.PathEscape(string(account))+"/origin", url.Values{"span": {span.String()}}, 0, &back)
	return back, err
}

// endsOf lists the pieces that go no further, in the order of the gift's units.
// A piece that waits has been there since what brought it to its account.
func endsOf(n readmodel.Node, ends []readmodel.Node) []readmodel.Node {
	if len(n.Children) == 0 {
		return append(ends, n)
	}
	for _, child := range n.Children {
		if child.Via == nil {
			child.Via = n.Via
		}
		ends = endsOf(child, ends)
	}
	return ends
}

func (a *application) tellTrace(t traced, places []readmodel.Node) {
	a.console.say("  Gift %s   %s   %s", t.Gift.ID, groupedAmount(t.Gift.Amount), t.Gift.State)
	if t.Line != nil {
		a.console.say("  shown by line %d of %s, statement %s of %s", t.Line.Number, t.Line.Date, t.Line.Statement, t.Line.Account)
	}
	if t.Reversal != nil {
		a.console.say("  taken back: %s, entry %s", t.Reversal.Kind, t.Reversal.Entry)
	}
	a.console.say("  Rule: %s", ruleOf(t.Attribution))
	a.console.say("")
	a.tellNode(t.Root, "  ", "  ")
	a.console.say("")
	rows := [][]string{{"  AMOUNT", "WHERE IT IS", "SINCE", "ENTRY"}}
	for _, p := range places {
		row := []string{"  " + groupedAmount(p.Amount), stateOf(p), "", ""}
		if p.Via != nil {
			row[2], row[3] = string(p.Via.BusinessDate), p.Via.Entry
		}
		rows = append(rows, row)
	}
	a.console.table(rows)
	if len(t.Back) > 0 {
		a.console.say("")
		rows := [][]string{{"  BACK FROM", "UNITS", "AMOUNT", "TO"}}
		for _, back := range t.Back {
			rows = append(rows, backRows(back)...)
		}
		a.console.table(rows)
	}
}

// tellNode draws a piece of money and what became of it.
func (a *application) tellNode(n readmodel.Node, first, rest string) {
	line := fmt.Sprintf("%s%s  %s", first, groupedAmount(n.Amount), stateOf(n))
	if n.Via != nil {
		line += fmt.Sprintf("   %s %s", n.Via.Entry, n.Via.BusinessDate)
		if n.Via.OnBehalfOf != "" {
			line += " on behalf of " + string(n.Via.OnBehalfOf)
		}
	}
	a.console.say("%s", line)
	for _, back := range n.Returned {
		a.console.say("%s· %s had gone to %s and came back   %s", rest, groupedAmount(back.Amount), back.To, back.Back.Entry)
	}
	for i, child := range n.Children {
		if i == len(n.Children)-1 {
			a.tellNode(child, rest+"└─ ", rest+"   ")
		} else {
			a.tellNode(child, rest+"├─ ", rest+"│  ")
		}
	}
}

// stateOf says in plain words what became of a piece.
func stateOf(n readmodel.Node) string {
	payee := tape.AccountID("")
	if n.Via != nil {
		payee = n.Via.To
	}
	words := map[readmodel.State]string{
		readmodel.Pending:     "waits to be settled at " + string(n.Account),
		readmodel.Unmatched:   "is not shown by the bank's lines",
		readmodel.Laid:        "arrived at " + string(n.Account),
		readmodel.Free:        "waits at " + string(n.Account),
		readmodel.Ordered:     fmt.Sprintf("ordered for %s, waits for the bank", payee),
		readmodel.Released:    "given up, waits to be taken back",
		readmodel.InJob:       "set apart for a job",
		readmodel.Waiting:     "on its way to " + string(n.Account),
		readmodel.Paid:        "paid to " + string(n.Account),
		readmodel.Refunded:    "refunded to " + string(n.Account),
		readmodel.ChargedBack: "charged back by the payer's bank",
		readmodel.Shared:      "is shared in the pool " + string(n.Account),
		readmodel.More:        "went further; ask for these units by themselves",
	}
	if word, known := words[n.State]; known {
		return word
	}
	return string(n.State)
}

func ruleOf(a tape.Attribution) string {
	if a == tape.Pooled {
		return "pooled: the trail ends with the giver's share and all that the pool paid"
	}
	return "first in, first out within each account"
}

// back shows where the money of an account came from.
func (c *traceCommand) back(app *application, g *speak.Gateway) error {
	account := tape.AccountID(c.Gift)
	var stands readmodel.Account
	if err := g.Get(app.context, "/accounts/"+url.PathEscape(c.Gift), nil, 0, &stands); err != nil {
		return err
	}
	span := tape.Span{End: stands.Received.Units}
	if c.Span != "" {
		if err := span.UnmarshalText([]byte(c.Span)); err != nil {
			return err
		}
	}
	found := readmodel.Back{Account: account, Span: span, Origins: []readmodel.Origin{}}
	if span.Length() > 0 {
		var err error
		if found, err = origin(app, g, account, span); err != nil {
			return err
		}
	}
	app.console.result(found)
	app.console.say("  %s   received %s, free %s, held %s", account, groupedAmount(stands.Received), groupedAmount(stands.Free), groupedAmount(stands.Held))
	app.console.say("  Rule: %s", ruleOf(stands.Attribution))
	app.console.say("")
	app.console.table(append([][]string{{"  BACK FROM", "UNITS", "AMOUNT", "TO"}}, backRows(found)...))
	if found.Next != "" {
		app.console.say("  and more; choose a smaller --span")
	}
	return nil
}

func backRows(back readmodel.Back) [][]string {
	var rows [][]string
	for _, o := range back.Origins {
		to := string(o.Kind) + " " + string(o.Account)
		switch {
		case o.Gift != nil:
			to = fmt.Sprintf("gift %s of %s", o.Gift.ID, o.Account)
		case o.Entry != "":
			to = "outside, entry " + o.Entry
		}
		for i := 1; i < len(o.Path); i++ {
			to += " by way of " + string(o.Path[i].Account)
		}
		units := tape.Span{Start: back.Span.Start + o.Offset, End: back.Span.Start + o.Offset + o.Amount.Units}
		rows = append(rows, []string{"  " + string(back.Account), units.String(), groupedAmount(o.Amount), to})
	}
	return rows
}
