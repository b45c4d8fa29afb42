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
	"github.com/lianbao/lianbao/chaincode/loan/terms"
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
	// loansAnAccount go out of one account of the lender: each moves that account's
	// head, of which there is one write a block, so that many accounts lend side by side.
	loansAnAccount = 20
	// preparing is how many commands of the preparation go side by side.
	preparing = 64
	// preparedPatience is how long one command of the preparation is repeated: on a busy machine peers lag by minutes.
	preparedPatience = 10 * time.Minute
	// Every household borrows 4,000.00 CNY and delivers 100 kg at 30.00 CNY.
	borrowedUnits = 4_000_00
	soldGrams     = 100_000
	soldUnits     = 3_000_00
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
	commands              atomic.Int64
}

func (l *lab) cooperates() (*cooperative, error) {
	c := &cooperative{lab: l, scheme: tape.AccountID("coop:coop:" + l.run), count: l.options.Sellers}
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

// guarantors are the persons of a household's group, its own among them.
func (c *cooperative) guarantors(i int) []tape.ID {
	all := make([]tape.ID, groupSize)
	for k := range all {
		all[k] = c.person(i/groupSize*groupSize + k)
	}
	return all
}

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
	c.commands.Add(1)
	ctx, cancel := context.WithTimeout(ctx, preparedPatience)
	defer cancel()
	for {
		receipt, err := ledger.Submit(ctx, function, argument, func(string) error { return nil })
		if err == nil {
			c.noted.note(receipt.Block)
			return nil
		}
		var refusal *rule.Refusal
		if errors.As(err, &refusal) && refusal.Code != rule.NotFound && refusal.Code != rule.WrongState && refusal.Code != rule.Insufficient {
			return fmt.Errorf("%s: %w", function, err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", function, errors.Join(err, ctx.Err()))
		case <-time.After(retryPause):
		}
	}
}

// each does something for every household, groups of so many one after the other within themselves.
func (c *cooperative) each(ctx context.Context, together int, do func(ctx context.Context, i int) error) error {
	work, working := errgroup.WithContext(ctx)
	work.SetLimit(preparing)
	for first := 0; first < c.count; first += together {
		work.Go(func() error {
			for i := first; i < min(first+together, c.count); i++ {
				if err := do(working, i); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return work.Wait()
}

// ready waits until the cooperative's own peer and gateway have all that was written.
func (c *cooperative) ready(ctx context.Context) error { return sees(ctx, c.gateway, c.noted.block) }

// forms opens the scheme, admits every household and lets groups form.
func (c *cooperative) forms(ctx context.Context) error {
	agreed := group.SchemeTerms{CureDays: 30, DefaultDays: 30, ExclusionMonths: 24, GroupMonthsMax: 36, GroupSizeMax: groupSize, GroupSizeMin: 3, GuaranteeMonths: 24, LivingFloor: cny(0),
		MemberMax: cny(60_000_00), MemberSharePartsPerMillion: 400_000, NoticeDays: []int32{1, 15}, OriginatorPartsPerMillion: 300_000, PoolingDays: 30, RefillDays: 90, StayDaysMax: 180, WindowDays: 30}
	open := group.OpenScheme{Account: c.scheme, Custodian: tape.AccountID("outside:bank:" + c.run + "-coop"), ID: tape.ID(c.run + ".open"), Lenders: []string{"bank"}, Terms: agreed}
	if err := c.signs(ctx, c.coop, "Group:OpenScheme", "open-scheme", "", open, staff("coop")...); err != nil {
		return err
	}
	accept := group.AcceptScheme{Account: c.scheme, ID: tape.ID(c.run + ".accept"), Proposal: "coop/" + c.run + ".open"}
	if err := c.signs(ctx, c.bank, "Group:AcceptScheme", "accept-scheme", "", accept, staff("bank")...); err != nil {
		return err
	}
	if err := c.each(ctx, 1, c.admits); err != nil {
		return err
	}
	return c.each(ctx, groupSize, c.guarantees)
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
	admit := group.Admit{Account: c.scheme, Adult: true, Capacity: true, Fingerprint: c.reference("house", i), Household: c.household(i), ID: tape.ID(fmt.Sprintf("%s.admit.%d", c.run, i)), Person: register.Person}
	return c.signs(ctx, c.coop, "Group:Admit", "admit", "", admit, staff("coop")...)
}

// guarantees is one household's part in its group: the first has it formed, all
// sign, and behind the last the cooperative endorses and the bank approves.
func (c *cooperative) guarantees(ctx context.Context, i int) error {
	first, id := i/groupSize*groupSize, c.groupOf(i)
	name := func(what string) tape.ID { return tape.ID(fmt.Sprintf("%s.%s.%d", c.run, what, i)) }
	agreement := group.Agreement{Expiry: c.today.AddMonths(30), Form: "joint-and-several", GroupMax: cny(100_000_00), GuaranteeMonths: 24, Lenders: []string{"bank"}, MemberMax: cny(60_000_00),
		MutualRecourse: true, Shares: group.EqualShares, Terms: 1, TextEn: party.Hash{1}, TextZh: party.Hash{2}}
	for k := range groupSize {
		agreement.Members = append(agreement.Members, group.Share{Household: c.household(first + k)})
	}
	if i == first {
		if err := c.signs(ctx, c.coop, "Group:FormGroup", "form-group", "", group.FormGroup{Account: c.scheme, Agreement: agreement, Group: id, ID: name("form")}, staff("coop")...); err != nil {
			return err
		}
	}
	hash, err := agreement.Hash(c.scheme, id)
	if err != nil {
		return err
	}
	sign := group.SignGroup{Account: c.scheme, Agreement: hash, Group: id, Household: c.household(i), ID: name("sign")}
	if err := c.signs(ctx, c.coop, "Group:SignGroup", "sign-group", "", sign, c.person(i)); err != nil || i < first+groupSize-1 {
		return err
	}
	if err := c.signs(ctx, c.coop, "Group:Endorse", "endorse", "", group.Endorse{Account: c.scheme, Group: id, ID: name("endorse")}, staff("coop")...); err != nil {
		return err
	}
	return c.signs(ctx, c.bank, "Group:ApproveGroup", "approve-group", "", group.ApproveGroup{Account: c.scheme, Group: id, ID: name("approve")}, staff("bank")...)
}

// fortnightly is four instalments at 6 % a year, two of them within a sale's window.
func fortnightly() terms.Terms {
	return terms.Terms{Method: terms.EqualPrincipal, RatePartsPerMillion: 60_000, DayCount: terms.Act365, Rounding: terms.HalfEven, Instalments: 4, Every: terms.Interval{Weeks: 2}}
}

func (c *cooperative) product(i int) tape.ID {
	return tape.ID(fmt.Sprintf("inputs-%d", i/loansAnAccount))
}

func (c *cooperative) application(i int) loan.Apply {
	return loan.Apply{Account: c.scheme, Amount: cny(borrowedUnits), Group: c.groupOf(i), Household: c.household(i), ID: c.loanOf(i), Product: c.product(i), ProductVersion: 1, Purpose: "inputs", Terms: fortnightly()}
}

// sells brings everybody's crop over the scale and to a buyer who has paid.
func (c *cooperative) sells(ctx context.Context) (harvest.Sale, harvest.Shares, error) {
	var shares harvest.Shares
	for i := range c.count {
		shares = append(shares, harvest.Share{Grams: soldGrams, Household: c.household(i)})
	}
	shares = harvest.Together(shares)
	proceeds := cny(soldUnits * int64(c.count))
	sale := harvest.Sale{Scheme: c.scheme, ID: tape.ID(c.run + ".sale"), Grams: shares.Grams(), Proceeds: proceeds, Net: proceeds}
	agreement := harvest.Agreement{Commodity: "coffee", Forms: []harvest.Form{{Form: "cherry", Grades: []string{"ripe"}}}, Stores: []harvest.Store{{Organisation: "coop", Store: "mill"}}}
	err := c.signs(ctx, c.coop, "Harvest:Agree", "agree", "", harvest.Agree{Account: c.scheme, Agreement: agreement, ID: tape.ID(c.run + ".agree")}, append(staff("coop"), staff("bank")[0])...)
	if err != nil {
		return sale, shares, err
	}
	if err := c.each(ctx, 1, c.delivers); err != nil {
		return sale, shares, err
	}
	var merged []tape.ID
	for first := 0; first < c.count; first += harvest.LotsMax {
		merge := harvest.Merge{Account: c.scheme, ID: tape.ID(fmt.Sprintf("%s.merge.%d", c.run, first))}
		for i := first; i < min(first+harvest.LotsMax, c.count); i++ {
			merge.Lots = append(merge.Lots, c.lot(i))
		}
		if err := c.signs(ctx, c.coop, "Harvest:Merge", "merge", "", merge, staff("coop")[0]); err != nil {
			return sale, shares, err
		}
		merged = append(merged, merge.ID)
	}
	sell := harvest.Sell{Account: c.scheme, Buyer: "outside:buyer:roaster", ID: sale.ID, Invoice: merkle.Hash{1}, Lots: merged, PricePerTonne: cny(soldUnits * 1_000_000 / soldGrams), Proceeds: proceeds}
	if err := c.signs(ctx, c.coop, "Harvest:Sell", "sell", proceeds.String(), sell, append(staff("coop"), staff("bank")...)...); err != nil {
		return sale, shares, err
	}
	return sale, shares, c.arrives(ctx, c.coop, c.scheme, tape.AccountID("outside:bank:"+c.run+"-coop"), "proceeds", proceeds)
}

func (c *cooperative) lot(i int) tape.ID { return tape.ID(fmt.Sprintf("%s.lot.%d", c.run, i)) }

func (c *cooperative) delivers(ctx context.Context, i int) error {
	deliver := harvest.Deliver{Account: c.scheme, Form: "cherry", Grade: "ripe", GrossGrams: soldGrams, Harvested: c.today, Household: c.household(i), ID: c.lot(i), NetGrams: soldGrams, Store: "mill"}
	return c.signs(ctx, c.coop, "Harvest:Deliver", "deliver", "", deliver, staff("coop")[0], c.person(i))
}
