package books

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// settle lays pages and inflows at the end of a tape, in the order of the
// command; the entry names evidence in that order, and postings for the pages.
func (b *Books) settle() error {
	c, err := command[tape.Settle](b)
	if err != nil {
		return err
	}
	a, err := b.account(c.Account)
	if err != nil {
		return err
	}
	if len(b.entry.Evidence) != len(c.Items) {
		return fmt.Errorf("%d items have %d pieces of evidence", len(c.Items), len(b.entry.Evidence))
	}
	postings := b.entry.Postings
	next := func() tape.Posting {
		if len(postings) == 0 {
			b.problem(string(a.id), "the entry has too few postings", "", "")
			return tape.Posting{}
		}
		first := postings[0]
		postings = postings[1:]
		return first
	}
	for i, item := range c.Items {
		b.once("settlement of", tape.SettledKey(a.id, item.Source))
		b.oneWord(a, item)
		amount, err := b.source(a, item, b.entry.Evidence[i])
		if err != nil {
			return err
		}
		span, fee := a.lay(amount.Units), b.feeOf(a, item)
		b.chain(a, item.Source, span, fee, b.entry.Evidence[i])
		b.given(a, item, amount.Units)
		if item.Inflow() {
			b.inflows[tape.InflowKey(a.id, item.Source)].span = span
			continue
		}
		b.laid(a, next(), amount, span)
		if fee != nil {
			if err := b.keepFee(a, next(), *fee, span); err != nil {
				return err
			}
			a.withdrawn += fee.Units
		}
	}
	if len(postings) > 0 {
		b.problem(string(a.id), "the entry has postings that nothing explains", "", fmt.Sprint(len(postings)))
	}
	return nil
}

// declare lays one page at the end of a campaign's tape on the word of those who signed.
func (b *Books) declare() error {
	c, campaign, err := about(b, func(c fund.Declare) tape.AccountID { return c.Account })
	if err != nil {
		return err
	}
	a, key, source := campaign.account, tape.PageKey(c.Account, c.Page), string(c.Page)
	b.once("settlement of", tape.SettledKey(a.id, source))
	item := tape.SettleItem{SelfDeclared: true, Source: source}
	if len(b.entry.Evidence) != 1 || len(b.entry.Postings) != 1 {
		return fmt.Errorf("a declaration has %d pieces of evidence and %d postings", len(b.entry.Evidence), len(b.entry.Postings))
	}
	b.differs(key, "what a declared page rests on", tape.SelfDeclared, b.entry.Evidence[0].Kind)
	amount, err := b.source(a, item, b.entry.Evidence[0])
	if err != nil {
		return err
	}
	b.signers()
	b.agreed(key, amount, b.entry.Intents, campaign.organisation)
	span := a.lay(amount.Units)
	b.chain(a, source, span, nil, b.entry.Evidence[0])
	b.given(a, item, amount.Units)
	b.laid(a, b.entry.Postings[0], amount, span)
	return nil
}

// oneWord reports a campaign's page that its organisation alone has declared:
// money that can be spent would rest on one person's word.
func (b *Books) oneWord(a *account, item tape.SettleItem) {
	if item.SelfDeclared && b.trail.campaigns[a.id] != nil {
		b.problem(tape.PageKey(a.id, tape.ID(item.Source)), "a campaign's page is declared without maker and checker", "", b.entry.Reference())
	}
}

// given counts what an item adds to the figures, and what of it rests on its receiver's word alone.
func (b *Books) given(a *account, item tape.SettleItem, units int64) {
	declared, home := item.SelfDeclared, onLines(nil)
	if item.Inflow() {
		came := b.inflows[tape.InflowKey(a.id, item.Source)]
		declared, home = b.onWord(a, came), came.home
		b.moves(a.id, raised, "", units-home.total())
		b.takesHome(a.id, home)
	} else if declared {
		b.pages[tape.PageKey(a.id, tape.ID(item.Source))].declared = true
	}
	b.moves(a.id, settled, "", units-home.total())
	if declared {
		a.declared += units
	}
}

// onWord reports whether nobody else than an account's organisation has shown what
// came in: a gift that was only declared, or what the organisation itself passes
// on from an account of its own that no other rules than the tape's govern.
func (b *Books) onWord(a *account, came *inflow) bool {
	if came.gift != nil {
		return b.declared(*came.gift)
	}
	from := b.accounts[came.from]
	return from != nil && from.organisation == a.organisation && from.plain
}

// declared reports whether a gift was first settled on its receiver's word.
func (b *Books) declared(gift tape.GiftName) bool {
	page := b.pages[tape.PageKey(gift.Account, gift.Page)]
	return page != nil && page.declared
}

// feeOf is what a processor kept of the page that an item settles, nil for none.
func (b *Books) feeOf(a *account, item tape.SettleItem) *money.Amount {
	if file := b.processors[tape.ProcessorKey(a.id, tape.ID(item.Source))]; file != nil && !item.Inflow() {
		return file.fee
	}
	return nil
}

// keepFee spends the last units of a page on what its processor kept.
func (b *Books) keepFee(a *account, p tape.Posting, fee money.Amount, page tape.Span) error {
	kept := tape.Span{Start: page.End - fee.Units, End: page.End}
	b.differs(string(a.id), "the account that pays", string(a.id), string(p.From))
	b.differs(string(a.id), "what the processor kept", fee.String(), p.Amount.String())
	b.differs(string(a.id), "a processor's fee comes out of its own page", kept.String(), spell(p.Taken))
	return a.change(tape.Spans{kept}, free, spent)
}

func (b *Books) laid(a *account, p tape.Posting, amount money.Amount, span tape.Span) {
	b.differs(string(a.id), "a settled page comes from the custodian", string(a.custodian), string(p.From))
	b.differs(string(a.id), "a settled page is laid with its own total", amount.String(), p.Amount.String())
	b.differs(string(a.id), "a settled page is laid at the end of the tape", span.String(), spell(p.Laid))
}

// source finds what an item settles and uses up what it rests on.
func (b *Books) source(a *account, item tape.SettleItem, evidence tape.Evidence) (money.Amount, error) {
	if item.Inflow() {
		waiting := b.inflows[tape.InflowKey(a.id, item.Source)]
		if waiting == nil {
			return money.Amount{}, fmt.Errorf("inflow %s is not there", item.Source)
		}
		waiting.settled = true
		b.differs(string(a.id), "an inflow rests on its own entry", item.Source, evidence.Reference)
		return waiting.amount, nil
	}
	p := b.pages[tape.PageKey(a.id, tape.ID(item.Source))]
	if p == nil {
		return money.Amount{}, fmt.Errorf("page %s is not there", item.Source)
	}
	if p.withdrawn {
		b.problem(tape.PageKey(a.id, tape.ID(item.Source)), "a page that was withdrawn is settled", "", b.entry.Reference())
	}
	key := tape.ProcessorKey(a.id, tape.ID(item.Source))
	file := b.processors[key]
	switch {
	case item.Processor != "":
		if file == nil || file.total != p.total || file.id != item.Processor {
			return p.total, fmt.Errorf("processor's file %s is not there, or of another page", item.Processor)
		}
	case file != nil:
		b.unfiled(a.id, tape.ID(item.Source))
	case p.evidenced || item.SelfDeclared:
	case item.Lines != nil:
		return p.total, b.useAll(p, tape.LinesKey(a.custodian, item.Lines.Statement, item.Lines.N))
	default:
		b.problem(tape.PageKey(a.id, tape.ID(item.Source)), "the page rests on nothing", "", "")
	}
	return p.total, nil
}

// useAll uses a whole page of lines for a whole page of gifts.
func (b *Books) useAll(p *page, key string) error {
	l := b.lines[key]
	if l == nil {
		return fmt.Errorf("%s was not filed", key)
	}
	if l.count != p.count || l.total != p.total || l.matches != p.matches {
		b.problem(key, "the lines do not show the gifts that rest on them", p.String(), l.String())
	}
	for i := range l.used {
		if l.used[i] {
			return b.useLine(key, i, tape.CreditSide) // told once, not for each of 2,000 lines
		}
		if err := b.useLine(key, i, tape.CreditSide); err != nil {
			return err
		}
	}
	return nil
}

// chain compares the settlement that was written and links it to the one before.
func (b *Books) chain(a *account, source string, span tape.Span, fee *money.Amount, evidence tape.Evidence) {
	a.settlements++
	key := tape.SettlementKey(a.id, a.settlements)
	stored, err := record[tape.Settlement](b, key)
	if err != nil {
		b.problem(key, "the settlement cannot be read: "+err.Error(), "", "")
		return
	}
	b.differs(key, "the source of the settlement", source, stored.Source)
	b.differs(key, "what the settlement rests on", rests(evidence), rests(stored.Evidence))
	b.differs(key, "the span of the settlement", span.String(), stored.Span.String())
	kept := int64(0)
	if fee != nil {
		kept = fee.Units
	}
	b.differs(key, "what a processor kept of the settlement", fmt.Sprint(kept), fmt.Sprint(stored.Fee))
	b.differs(key, "the settlement names the hash of the one before", a.chain, stored.Previous)
	digest := sha256.Sum256(b.transaction.Writes[key])
	a.chain = hex.EncodeToString(digest[:])
}

func rests(e tape.Evidence) string { return strings.TrimSpace(e.Kind + " " + e.Reference) }
