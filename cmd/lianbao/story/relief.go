package story

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/importing"
	"github.com/lianbao/lianbao/gateway/statement"
)

// The flood relief: one bank account of which the bank files the statements,
// a partner who mends roofs, and money that nobody has claimed.
const (
	reliefBank      = "outside:bank:invented-relief"
	reliefAccount   = tape.AccountID("charity:charity:invented-relief")
	reliefUnclaimed = tape.AccountID("charity:charity:invented-relief:unclaimed")
	builders        = tape.AccountID("partner:charity:invented-builders")
	reliefGifts     = 2_000
	reliefSeed      = 7
)

func dong(units int64) money.Amount { return money.New(units, "VND") }

// What is paid, in VND. The last payment ends within a gift, so that this
// gift's trail has two ends.
var (
	toBuilders  = dong(200_000_000)
	toFlooded   = dong(2_500_000)
	toLast      = dong(2_499_500)
	toRoof      = dong(4_000_000)
	reliefGoal  = dong(2_000_000_000)
	builderGoal = dong(200_000_000)
)

const (
	flooded = 20
	roofs   = 6
)

// relief is the first story.
type relief struct {
	*teller
	told          Told
	first, second importing.Result
	paid, roofed  []tape.Payment
	// refunded and reversed are the last two gifts, which go back to their givers.
	gifts []tape.Gift
}

func (r *relief) tell(ctx context.Context) error {
	for _, chapter := range []func(context.Context) error{r.opening, r.collecting, r.enrolling, r.paying, r.building, r.givingBack, r.banking, r.answering, r.publishing, r.ending} {
		if err := chapter(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (r *relief) plan() fund.Plan {
	return fund.Plan{Area: "VN", Emergency: true, From: r.today.AddDays(-40), To: r.today.AddMonths(8), Goal: reliefGoal, Leftover: speechAccount,
		ManagementPartsPerMillion: 100_000, Regulator: regulator, Sector: "72010",
		Title:         fund.Text{En: "Flood relief (invented)", Zh: "洪灾救助（虚构）"},
		Purpose:       fund.Text{En: "First aid in money and new roofs for households whose homes were flooded. Everything here is invented.", Zh: "向受灾家庭发放应急款并修缮屋顶。本项目纯属虚构。"},
		Beneficiaries: fund.Text{En: "Households of an invented district", Zh: "某虚构县的受灾家庭"},
		Lines: []fund.BudgetLine{
			{Amount: dong(1_500_000_000), ID: "first-aid", Kind: fund.Programme, Title: fund.Text{En: "First aid in money", Zh: "应急救助款"}},
			{Amount: dong(400_000_000), ID: "roofs", Kind: fund.Programme, Title: fund.Text{En: "New roofs", Zh: "屋顶修缮"}},
			{Amount: dong(100_000_000), ID: "office", Kind: fund.Management, Title: fund.Text{En: "Office", Zh: "管理费用"}}}}
}

func (r *relief) opening(ctx context.Context) error {
	r.say("flood relief: a campaign is filed, a partner is invited")
	err := r.opens(ctx, fund.OpenCampaign{Account: reliefAccount, Basis: fund.Filing, Custodian: reliefBank, ID: "story.relief", Plan: r.plan()}, "invented-2026-001")
	if err != nil {
		return err
	}
	if _, err := r.record(ctx, charity, "Tape:Open", tape.Open{Account: reliefUnclaimed, Attribution: tape.FIFO, Currency: "VND", Custodian: reliefBank,
		ID: "story.unclaimed", Unidentified: reliefAccount}); err != nil {
		return err
	}
	invite := fund.Invite{Account: reliefAccount, ID: "story.relief.invite", Partner: builders}
	if _, err := r.staff(ctx, "Fund:Invite", "invite", reliefAccount, dong(0), invite); err != nil {
		return err
	}
	plan := r.plan()
	plan.Emergency, plan.Goal, plan.Leftover = false, builderGoal, reliefAccount
	plan.Title = fund.Text{En: "New roofs by invented builders", Zh: "虚构施工队屋顶修缮"}
	plan.Lines = []fund.BudgetLine{{Amount: builderGoal, ID: "roofs", Kind: fund.Programme, Title: fund.Text{En: "New roofs", Zh: "屋顶修缮"}}}
	return r.opens(ctx, fund.OpenCampaign{Account: builders, Basis: fund.Grant, Custodian: reliefBank, ID: "story.builders", Parent: reliefAccount, Plan: plan}, "")
}

func (r *relief) collecting(ctx context.Context) (err error) {
	r.say("flood relief: %d gifts are settled against the bank's statement", reliefGifts)
	path := filepath.Join(r.folder(), "invented-relief-1.csv")
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := errors.Join(statement.Sample(file, reliefGifts+1, reliefSeed), file.Close()); err != nil {
		return err
	}
	if r.first, err = r.take(ctx, reliefAccount, path); err != nil {
		return err
	}
	r.gifts, err = r.giftsOf(ctx, reliefAccount, r.first.Statement+".page-0")
	return err
}

// Households by their number; the first ones have a device with a key of their own.
func floodedHousehold(i int) tape.AccountID { return household("flood", i) }

func roofHousehold(i int) tape.AccountID { return household("roof", i) }

func person(kind string, i int) tape.ID { return tape.ID(fmt.Sprintf("invented-%s-%02d", kind, i)) }

const (
	floodedKeys = 5
	roofKeys    = 3
)

func (r *relief) enrolling(ctx context.Context) error {
	r.say("flood relief: %d households are enrolled, %d with a key of their own", flooded+roofs, floodedKeys+roofKeys)
	var persons []tape.ID
	var first, second []fund.NewPayee
	for i := range flooded {
		p := fund.NewPayee{Kind: fund.Household, Payee: floodedHousehold(i + 1)}
		if i < floodedKeys {
			p.Person = person("flood", i+1)
			persons = append(persons, p.Person)
		}
		first = append(first, p)
	}
	for i := range roofs {
		p := fund.NewPayee{Kind: fund.Household, Payee: roofHousehold(i + 1)}
		if i < roofKeys {
			p.Person = person("roof", i+1)
			persons = append(persons, p.Person)
		}
		second = append(second, p)
	}
	if err := r.registers(ctx, persons); err != nil {
		return err
	}
	work, working := errgroup.WithContext(ctx)
	work.Go(func() error { return r.enrols(working, reliefAccount, "story.relief.payees", dong(0), first) })
	work.Go(func() error { return r.enrols(working, builders, "story.builders.payees", dong(0), second) })
	return work.Wait()
}

func (r *relief) paying(ctx context.Context) error {
	r.say("flood relief: one person proposes, another approves: %d households and the partner", flooded)
	grant := []tape.Payment{{Amount: toBuilders, Line: "builders", To: builders}}
	if err := r.disburses(ctx, reliefAccount, "relief-roofs", "roofs", grant); err != nil {
		return err
	}
	for i := range flooded {
		amount := toFlooded
		if i == flooded-1 {
			amount = toLast
		}
		r.paid = append(r.paid, tape.Payment{Amount: amount, Line: tape.ID(fmt.Sprintf("household-%02d", i+1)), To: floodedHousehold(i + 1)})
	}
	return r.disburses(ctx, reliefAccount, "relief-first-aid", "first-aid", r.paid)
}

func (r *relief) building(ctx context.Context) error {
	if err := r.arrived(ctx, builders, toBuilders); err != nil {
		return err
	}
	for i := range roofs {
		r.roofed = append(r.roofed, tape.Payment{Amount: toRoof, Line: tape.ID(fmt.Sprintf("roof-%02d", i+1)), To: roofHousehold(i + 1)})
	}
	return r.disburses(ctx, builders, "builders-roofs", "roofs", r.roofed)
}

const refundHold = tape.ID("story.refund")

// givingBack orders the refund of the last gift: it has not been spent.
func (r *relief) givingBack(ctx context.Context) error {
	last := len(r.gifts) - 1
	proof, err := tape.NewGiftProof(r.first.Statement+".page-0", r.gifts, last)
	if err != nil {
		return err
	}
	command := tape.Refund{Account: reliefAccount, Expires: r.begun + 30*day, Gift: proof, ID: refundHold, To: r.gifts[last].Giver()}
	_, err = r.staff(ctx, "Tape:Refund", "refund", reliefAccount, r.gifts[last].Amount, command)
	return err
}

// The household whose order still waits for the bank, and the one whose payout came back.
const (
	waiting = 6
	cameTo  = 4
)

// banking files the second statement: payouts, a refund, a charge-back, a
// payout that came back and two lines of nobody.
func (r *relief) banking(ctx context.Context) (err error) {
	r.say("flood relief: the bank's second statement executes the orders")
	holds := payouts(reliefAccount, "relief-first-aid", r.paid)
	returned := holds[cameTo]
	holds = append(holds[:waiting:waiting], holds[waiting+1:]...)
	holds = append(holds, payouts(builders, "builders-roofs", r.roofed)...)
	last := len(r.gifts) - 1
	holds = append(holds, hold{reliefAccount, refundHold, r.gifts[last].Amount})
	rows := []row{{"Rfake-returned", dong(0), returned.amount, returned.reference()}, {"Rfake-nobody-1", dong(0), dong(300_000), ""}, {"Rfake-nobody-2", dong(0), dong(70_000), ""}}
	rows = append(append(rows, debits(holds)...), row{"Rfake-charged-back", r.gifts[last-1].Amount, dong(0), ""})
	path, err := r.file("invented-relief-2.csv", "VND", rows)
	if err != nil {
		return err
	}
	if r.second, err = r.take(ctx, reliefAccount, path); err != nil {
		return err
	}
	r.told.Payouts = len(holds) - 1
	if err := executed(r.second, holds); err != nil {
		return err
	}
	work, working := errgroup.WithContext(ctx)
	work.Go(func() error { return r.chargesBack(working, len(holds)) })
	work.Go(func() error { return r.putsApart(working) })
	return work.Wait()
}

func (r *relief) chargesBack(ctx context.Context, index int) error {
	lines, err := r.Gateways[bank].Lines(ctx, reliefBank, r.second.Statement, 1)
	if err != nil {
		return err
	}
	gift, err := tape.NewGiftProof(r.first.Statement+".page-0", r.gifts, len(r.gifts)-2)
	if err != nil {
		return err
	}
	line, err := tape.NewLineProof(r.second.Statement, 1, lines, index)
	if err != nil {
		return err
	}
	_, err = r.record(ctx, bank, "Tape:ChargeBack", tape.ChargeBack{Account: reliefAccount, Gift: gift, ID: "story.charge-back", Line: line})
	return err
}

// putsApart puts what nobody claims onto an account of its own.
func (r *relief) putsApart(ctx context.Context) error {
	lines, err := r.Gateways[bank].Lines(ctx, reliefBank, r.second.Statement, 0)
	if err != nil {
		return err
	}
	unclaimed := tape.NewReceiveUnidentified(reliefUnclaimed, "story.nobody", r.second.Statement, 0, lines)
	if _, err := r.record(ctx, charity, "Tape:ReceiveUnidentified", unclaimed); err != nil {
		return err
	}
	_, err = r.record(ctx, charity, "Tape:Settle", tape.Settle{Account: reliefUnclaimed, ID: "story.nobody.settle", Items: []tape.SettleItem{{Source: "story.nobody"}}})
	return err
}

// answering: some households confirm with their own keys, one disputes.
func (r *relief) answering(ctx context.Context) error {
	r.say("flood relief: households confirm what arrived, one says that nothing did")
	holds, roofed := payouts(reliefAccount, "relief-first-aid", r.paid), payouts(builders, "builders-roofs", r.roofed)
	if err := r.sees(ctx, coop, r.last.Load()); err != nil {
		return err
	}
	work, working := errgroup.WithContext(ctx)
	for _, i := range []int{0, 1, 3} {
		work.Go(func() error { return r.says(working, holds[i], person("flood", i+1), fund.Arrived, "") })
	}
	work.Go(func() error { return r.says(working, holds[2], person("flood", 3), fund.Disputed, "not-arrived") })
	for i := range roofKeys {
		work.Go(func() error { return r.says(working, roofed[i], person("roof", i+1), fund.Arrived, "") })
	}
	return work.Wait()
}

// publishing: in an emergency the law asks for it every five days.
func (r *relief) publishing(ctx context.Context) error {
	r.say("flood relief: the charity publishes what came of it")
	if err := r.publishes(ctx, reliefAccount, dong(0)); err != nil {
		return err
	}
	// A longer campaign waits for the regulator, so that its work list has something to do.
	amend := fund.AmendCampaign{Account: reliefAccount, ID: "story.relief.amend", Plan: r.plan()}
	amend.Plan.To = r.today.AddMonths(9)
	_, err := r.staff(ctx, "Fund:AmendCampaign", "amend-campaign", reliefAccount, dong(0), amend)
	return err
}

// ending finds the gift in which the last payment ends.
func (r *relief) ending(context.Context) error {
	spent := toBuilders.Units
	for _, p := range r.paid {
		spent += p.Amount.Units
	}
	for sum, i := int64(0), 0; sum < spent && i < len(r.gifts); i++ {
		sum += r.gifts[i].Amount.Units
		r.told.Gift = r.gifts[i].ID
	}
	r.told.Refunded, r.told.ChargedBack = r.gifts[len(r.gifts)-1].ID, r.gifts[len(r.gifts)-2].ID
	r.told.Partner, r.told.Gifts = builders, reliefGifts
	return nil
}
