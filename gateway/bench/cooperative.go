package bench

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/group"
	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/loan"
	"github.com/lianbao/lianbao/chaincode/merkle"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/client"
	"github.com/lianbao/lianbao/gateway/fabric"
)

const (
	// groupSize is how many households guarantee each other's loans.
	groupSize = 5
	// preparing is how many commands of the preparation go side by side, preparingGroups how many groups:
	// a group's acts follow one another, so that all of them together keep the peers' blocks full.
	preparing, preparingGroups = 160, 96
	// preparedPatience is how long one command of the preparation is repeated: on a busy machine peers lag by minutes.
	preparedPatience = 10 * time.Minute
	// askingMost is how many households ask for loans at once, in as many groups as they make; the others one after the other.
	askingMost = 1000
	// Every household borrows 4,000.00 CNY and delivers 100 kg at 30.00 CNY.
	borrowedUnits = 4_000_00
	soldGrams     = 100_000
	soldUnits     = 3_000_00
	// lentDays is how long ago the loans were lent: two of their instalments fall due in the window of a sale.
	lentDays, windowDays = 7, 30
)

// cooperative is a scheme that a measurement opened. All that comes before what
// is measured goes to the peers directly, in the names of those who would send it.
type cooperative struct {
	*lab
	scheme                tape.AccountID
	coop, bank, regulator *fabric.Ledger
	gateway               *client.Client
	count                 int
	today                 tape.Date
	// commands are those of the preparation, again how often one was sent once more; places bound those in flight.
	commands, again atomic.Int64
	places          chan struct{}
}

func (l *lab) cooperates() (*cooperative, error) {
	c := &cooperative{lab: l, scheme: tape.AccountID("coop:coop:" + l.run), count: l.options.Sellers, places: make(chan struct{}, preparing)}
	var err error
	if c.today, err = l.options.Zone.Date(tape.Instant(time.Now().UnixMilli())); err != nil {
		return c, err
	}
	for organisation, into := range map[string]**fabric.Ledger{"coop": &c.coop, "bank": &c.bank, "regulator": &c.regulator} {
		connection, err := l.network.Connect(organisation)
		if err != nil {
			return c, err
		}
		if *into, err = l.dialAs(connection, connection.Chaincode); err != nil {
			return c, err
		}
	}
	c.gateway, err = l.gatewayOf("coop")
	return c, err
}

func (c *cooperative) close() {
	for _, ledger := range []*fabric.Ledger{c.coop, c.bank, c.regulator} {
		_ = ledger.Close()
	}
}

func cny(units int64) money.Amount { return money.New(units, "CNY") }

// staff are the invented maker and checker of an organisation.
func staff(organisation string) []tape.ID {
	return []tape.ID{tape.ID("invented-" + organisation + "-maker"), tape.ID("invented-" + organisation + "-checker")}
}

func (c *cooperative) person(i int) tape.ID {
	return tape.ID(fmt.Sprintf("invented-%s-%05d", c.run, i))
}

func (c *cooperative) pseudonym(i int) string {
	return string(tape.PseudonymFrom(fmt.Sprintf("%s-%05d", c.run, i)))
}

// reference is 128 bits in base64url, as keyed fingerprints and references of lines are.
func (c *cooperative) reference(what string, i int) string {
	return fmt.Sprintf("%.9s%-7.7s%05dA", c.run, strings.ReplaceAll(what, "-", "_")+"_______", i)
}

func (c *cooperative) household(i int) tape.AccountID {
	return tape.AccountID("household:" + c.pseudonym(i) + ":" + c.run)
}

func (c *cooperative) groupOf(i int) tape.ID {
	return tape.ID(fmt.Sprintf("%s-g%05d", c.run, i/groupSize))
}

func (c *cooperative) loanOf(i int) tape.ID { return tape.ID(fmt.Sprintf("%s-l%05d", c.run, i)) }

// of are the households of a group.
func (c *cooperative) of(g int) []int {
	all := make([]int, groupSize)
	for k := range all {
		all[k] = g*groupSize + k
	}
	return all
}

// guarantors are the persons of a household's group, its own among them.
func (c *cooperative) guarantors(i int) []tape.ID {
	var all []tape.ID
	for _, member := range c.of(i / groupSize) {
		all = append(all, c.person(member))
	}
	return all
}

func (c *cooperative) id(what string, i int) tape.ID {
	return tape.ID(fmt.Sprintf("%s.%s.%d", c.run, what, i))
}

func (c *cooperative) lender() tape.AccountID { return tape.AccountID("lender:bank:" + c.run) }

// signs carries a command that persons sign.
func (c *cooperative) signs(ctx context.Context, ledger *fabric.Ledger, function, action, amount string, command any, persons ...tape.ID) error {
	return c.signsAbout(ctx, ledger, function, action, c.scheme, amount, command, persons...)
}

func (c *cooperative) signsAbout(ctx context.Context, ledger *fabric.Ledger, function, action string, subject tape.AccountID, amount string, command any, persons ...tape.ID) error {
	argument, err := c.options.SignAs(persons, action, subject, amount, command)
	if err != nil {
		return err
	}
	return c.carries(ctx, ledger, function, argument)
}

func (c *cooperative) tells(ctx context.Context, ledger *fabric.Ledger, function string, command any) error {
	argument, err := canonical.Encode(command)
	if err != nil {
		return err
	}
	return c.carries(ctx, ledger, function, argument)
}

// carries repeats a command until endorsers know what the one before it wrote:
// one that lags behind judges by an older state.
func (c *cooperative) carries(ctx context.Context, ledger *fabric.Ledger, function string, argument []byte) error {
	select {
	case c.places <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-c.places }()
	c.commands.Add(1)
	ctx, cancel := context.WithTimeout(ctx, preparedPatience)
	defer cancel()
	for pause := retryPause; ; pause = min(2*pause, retryPauseMost) {
		receipt, err := ledger.Submit(ctx, function, argument, func(string) error { return nil })
		if err == nil {
			c.noted.note(receipt.Block)
			return nil
		}
		var refusal *rule.Refusal
		if errors.As(err, &refusal) && refusal.Code != rule.NotFound && refusal.Code != rule.WrongState && refusal.Code != rule.Insufficient {
			return fmt.Errorf("%s: %w", function, err)
		}
		c.again.Add(1)
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", function, errors.Join(err, ctx.Err()))
		case <-time.After(pause):
		}
	}
}

// retryPauseMost is the longest pause: the preparation carries other groups meanwhile.
const retryPauseMost = 2 * time.Second

// together does something for each, side by side, so many at once.
func together(ctx context.Context, most int, all []int, do func(ctx context.Context, i int) error) error {
	work, working := errgroup.WithContext(ctx)
	work.SetLimit(most)
	for _, i := range all {
		work.Go(func() error { return do(working, i) })
	}
	return work.Wait()
}

// groups does something for the groups from one to before another.
func (c *cooperative) groups(ctx context.Context, from, to int, do func(ctx context.Context, g int) error) error {
	var all []int
	for g := from; g < to; g++ {
		all = append(all, g)
	}
	return together(ctx, preparingGroups, all, do)
}

// ready waits until the cooperative's own peer and gateway have all that was written.
func (c *cooperative) ready(ctx context.Context) error { return sees(ctx, c.gateway, c.noted.block) }

// begins opens the scheme, what the bank lends in it and what a scale knows of coffee.
func (c *cooperative) begins(ctx context.Context) error {
	agreed := group.SchemeTerms{CureDays: 30, DefaultDays: 30, ExclusionMonths: 24, GroupMonthsMax: 36, GroupSizeMax: groupSize, GroupSizeMin: 3, GuaranteeMonths: 24, LivingFloor: cny(0),
		MemberMax: cny(60_000_00), MemberSharePartsPerMillion: 400_000, NoticeDays: []int32{1, 15}, OriginatorPartsPerMillion: 300_000, PoolingDays: 30, RefillDays: 90, StayDaysMax: 180, WindowDays: windowDays}
	open := group.OpenScheme{Account: c.scheme, Custodian: c.custodian(), ID: tape.ID(c.run + ".open"), Lenders: []string{"bank"}, Terms: agreed}
	if err := c.signs(ctx, c.coop, "Group:OpenScheme", "open-scheme", "", open, staff("coop")...); err != nil {
		return err
	}
	accept := group.AcceptScheme{Account: c.scheme, ID: tape.ID(c.run + ".accept"), Proposal: "coop/" + c.run + ".open"}
	if err := c.signs(ctx, c.bank, "Group:AcceptScheme", "accept-scheme", "", accept, staff("bank")...); err != nil {
		return err
	}
	lend := tape.Open{Account: c.lender(), Attribution: tape.FIFO, Currency: "CNY", Custodian: tape.AccountID("outside:bank:" + c.run + "-lend"), ID: tape.ID(c.run + ".lend")}
	if err := c.signsAbout(ctx, c.bank, "Loan:OpenLending", "open-lending", c.lender(), "", lend, staff("bank")...); err != nil {
		return err
	}
	offer := loan.OfferProduct{Account: c.scheme, ID: tape.ID(c.run + ".offer"), Product: product, Version: 1, Conditions: loan.Conditions{
		Lenders: []loan.Lender{{Account: c.lender(), Organisation: "bank", PartsPerMillion: 1_000_000}}, OfferDays: 30, PrincipalMin: cny(1_000_00), PrincipalMax: cny(20_000_00),
		Purposes: []string{"inputs"}, TermDaysMax: 100, Terms: fortnightly(), TranchesMax: 1}}
	if err := c.signs(ctx, c.bank, "Loan:OfferProduct", "offer-product", "", offer, staff("bank")...); err != nil {
		return err
	}
	agreement := harvest.Agreement{Commodity: "coffee", Forms: []harvest.Form{{Form: "cherry", Grades: []string{"ripe"}}}, Stores: []harvest.Store{{Organisation: "coop", Store: "mill"}}}
	return c.signs(ctx, c.coop, "Harvest:Agree", "agree", "", harvest.Agree{Account: c.scheme, Agreement: agreement, ID: tape.ID(c.run + ".agree")}, append(staff("coop"), staff("bank")[0])...)
}

func (c *cooperative) custodian() tape.AccountID {
	return tape.AccountID("outside:bank:" + c.run + "-coop")
}

// admits registers a household's person and makes the household a member.
func (c *cooperative) admits(ctx context.Context, i int) error {
	register, err := c.options.Registers(c.person(i))
	if err != nil {
		return err
	}
	if err := c.tells(ctx, c.regulator, "Party:Register", register); err != nil {
		return err
	}
	if err := c.tells(ctx, c.coop, "Party:Witness", party.WitnessCommand{Address: register.Address, Duty: register.Duty, ID: "witness-" + register.Person, Person: register.Person}); err != nil {
		return err
	}
	admit := group.Admit{Account: c.scheme, Adult: true, Capacity: true, Fingerprint: c.reference("house", i), Household: c.household(i), ID: c.id("admit", i), Person: register.Person}
	return c.signs(ctx, c.coop, "Group:Admit", "admit", "", admit, staff("coop")...)
}

// forms admits the households of a group, has all of them sign its agreement one
// after the other, and brings it to the cooperative's and the bank's yes.
func (c *cooperative) forms(ctx context.Context, g int) error {
	members, id := c.of(g), c.groupOf(g*groupSize)
	if err := together(ctx, groupSize, members, c.admits); err != nil {
		return err
	}
	agreement := group.Agreement{Expiry: c.today.AddMonths(30), Form: "joint-and-several", GroupMax: cny(100_000_00), GuaranteeMonths: 24, Lenders: []string{"bank"}, MemberMax: cny(60_000_00),
		MutualRecourse: true, Shares: group.EqualShares, Terms: 1, TextEn: party.Hash{1}, TextZh: party.Hash{2}}
	for _, i := range members {
		agreement.Members = append(agreement.Members, group.Share{Household: c.household(i)})
	}
	if err := c.signs(ctx, c.coop, "Group:FormGroup", "form-group", "", group.FormGroup{Account: c.scheme, Agreement: agreement, Group: id, ID: c.id("form", g)}, staff("coop")...); err != nil {
		return err
	}
	hash, err := agreement.Hash(c.scheme, id)
	if err != nil {
		return err
	}
	for _, i := range members {
		sign := group.SignGroup{Account: c.scheme, Agreement: hash, Group: id, Household: c.household(i), ID: c.id("sign", i)}
		if err := c.signs(ctx, c.coop, "Group:SignGroup", "sign-group", "", sign, c.person(i)); err != nil {
			return err
		}
	}
	if err := c.signs(ctx, c.coop, "Group:Endorse", "endorse", "", group.Endorse{Account: c.scheme, Group: id, ID: c.id("endorse", g)}, staff("coop")...); err != nil {
		return err
	}
	return c.signs(ctx, c.bank, "Group:ApproveGroup", "approve-group", "", group.ApproveGroup{Account: c.scheme, Group: id, ID: c.id("approve", g)}, staff("bank")...)
}

// sells merges everybody's crop and sells it to a buyer who has paid.
func (c *cooperative) sells(ctx context.Context) (harvest.Sale, harvest.Shares, error) {
	var shares harvest.Shares
	for i := range c.count {
		shares = append(shares, harvest.Share{Grams: soldGrams, Household: c.household(i)})
	}
	shares = harvest.Together(shares)
	proceeds := cny(soldUnits * int64(c.count))
	sale := harvest.Sale{Scheme: c.scheme, ID: tape.ID(c.run + ".sale"), Grams: shares.Grams(), Proceeds: proceeds, Net: proceeds}
	sell := harvest.Sell{Account: c.scheme, Buyer: "outside:buyer:roaster", ID: sale.ID, Invoice: merkle.Hash{1}, PricePerTonne: cny(soldUnits * 1_000_000 / soldGrams), Proceeds: proceeds}
	var firsts []int
	for first := 0; first < c.count; first += harvest.LotsMax {
		firsts, sell.Lots = append(firsts, first), append(sell.Lots, c.id("merge", first))
	}
	if err := together(ctx, preparing, firsts, c.merges); err != nil {
		return sale, shares, err
	}
	if err := c.signs(ctx, c.coop, "Harvest:Sell", "sell", proceeds.String(), sell, append(staff("coop"), staff("bank")...)...); err != nil {
		return sale, shares, err
	}
	return sale, shares, c.arrives(ctx, "proceeds", proceeds)
}

// merges makes one lot of those of some households.
func (c *cooperative) merges(ctx context.Context, first int) error {
	merge := harvest.Merge{Account: c.scheme, ID: c.id("merge", first)}
	for i := first; i < min(first+harvest.LotsMax, c.count); i++ {
		merge.Lots = append(merge.Lots, c.id("lot", i))
	}
	return c.signs(ctx, c.coop, "Harvest:Merge", "merge", "", merge, staff("coop")[0])
}

func (c *cooperative) delivers(ctx context.Context, i int) error {
	deliver := harvest.Deliver{Account: c.scheme, Form: "cherry", Grade: "ripe", GrossGrams: soldGrams, Harvested: c.today, Household: c.household(i), ID: c.id("lot", i), NetGrams: soldGrams, Store: "mill"}
	return c.signs(ctx, c.coop, "Harvest:Deliver", "deliver", "", deliver, staff("coop")[0], c.person(i))
}

// arrives lets money of one line of the bank come to the scheme's account.
func (c *cooperative) arrives(ctx context.Context, name string, amount money.Amount) error {
	id := tape.ID(c.run + "-" + name)
	line := tape.Line{Number: 1, Date: c.today, Amount: amount, Reference: c.reference(name, 0)}
	received, err := tape.Receive{Account: c.scheme, Count: 1, Gifts: []tape.Gift{{ID: id, Amount: amount, Reference: line.Reference}}, ID: id + ".page", Total: amount}.Encode()
	if err != nil {
		return err
	}
	if err := c.carries(ctx, c.coop, "Tape:Receive", received); err != nil {
		return err
	}
	page, _, err := tape.LinesBody(tape.CreditSide, []tape.Line{line})
	if err != nil {
		return err
	}
	statement := tape.FileStatement{Account: c.custodian(), Closing: amount, Count: 1, From: c.today, ID: id, Opening: cny(0), Pages: []tape.LinesPage{page}, To: c.today}
	if err := c.tells(ctx, c.bank, "Tape:FileStatement", statement); err != nil {
		return err
	}
	body, err := tape.FileLines{Account: c.custodian(), ID: id + "-0", Lines: []tape.Line{line}, N: 0, Statement: id}.Encode()
	if err != nil {
		return err
	}
	if err := c.carries(ctx, c.bank, "Tape:FileLines", body); err != nil {
		return err
	}
	return c.tells(ctx, c.coop, "Tape:Settle", tape.Settle{Account: c.scheme, ID: id + ".settled", Items: []tape.SettleItem{{Source: string(id) + ".page", Lines: &tape.LinesRef{Statement: id}}}})
}
