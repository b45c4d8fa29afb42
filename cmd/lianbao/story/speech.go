package story

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/cmd/lianbao/founding"
	"github.com/lianbao/lianbao/cmd/lianbao/speak"
	"github.com/lianbao/lianbao/gateway/importing"
)

// The county's campaign: speech training for thirty children, paid to their families.
const (
	speechBank    = "outside:bank:invented-speech"
	speechAccount = tape.AccountID("charity:charity:invented-speech")
	children      = 30
	childKeys     = 8
	// trained are paid by the bank, travelled get their fares; the others' orders
	// wait. They live in a village whose agent enrols them.
	trained    = 24
	travelled  = 12
	speechGift = 60
)

func yuan(units int64) money.Amount { return fen(units * 100) }

func fen(units int64) money.Amount { return money.New(units, "CNY") }

var (
	toTraining = yuan(4_000)
	toTravel   = yuan(300)
	toClerk    = yuan(2_400)
)

// speech is the second story.
type speech struct {
	*teller
	gifts, payouts   int
	announced        speak.Announced
	first, second    importing.Result
	training, travel []tape.Payment
}

func (s *speech) tell(ctx context.Context) error {
	for _, chapter := range []func(context.Context) error{s.opening, s.amending, s.collecting, s.enrolling, s.paying, s.banking, s.answering} {
		if err := chapter(ctx); err != nil {
			return err
		}
	}
	return nil
}

// plan is under an agreement, which binds the donor whom it names: one by
// filing would have to be handed in ten days before.
func (s *speech) plan() fund.Plan {
	return fund.Plan{Area: "CN-53", Donors: []tape.ID{founding.PersonID(coop, founding.Maker)}, From: s.today.AddMonths(-2), To: s.today.AddMonths(8), Goal: yuan(412_300), Leftover: reliefAccount,
		ManagementPartsPerMillion: 100_000, Regulator: regulator, Sector: "12220",
		Title:         fund.Text{En: "Speech training for 30 children (invented)", Zh: "30名儿童言语康复训练（虚构）"},
		Purpose:       fund.Text{En: "A year of speech training and the fares to it, paid to the families of an invented county. Everything here is invented.", Zh: "为某虚构县30名儿童提供一年言语康复训练及交通补助，款项直接发放到家庭。本项目纯属虚构。"},
		Beneficiaries: fund.Text{En: "30 children of an invented county", Zh: "某虚构县的30名儿童"},
		Lines: []fund.BudgetLine{
			{Amount: yuan(300_000), ID: "training", Kind: fund.Programme, Title: fund.Text{En: "Training", Zh: "康复训练"}},
			{Amount: yuan(71_070), ID: "travel", Kind: fund.Programme, Title: fund.Text{En: "Fares", Zh: "交通补助"}},
			{Amount: yuan(41_230), ID: "office", Kind: fund.Management, Title: fund.Text{En: "Management", Zh: "管理费用"}}}}
}

func (s *speech) opening(ctx context.Context) error {
	s.say("speech training: a campaign for %d children begins under an agreement", children)
	return s.opens(ctx, fund.OpenCampaign{Account: speechAccount, Basis: fund.Agreement, Custodian: speechBank, ID: "story.speech", Plan: s.plan()}, "")
}

// amending gives the training a month more, which its donor signs too; somebody promises a gift.
func (s *speech) amending(ctx context.Context) error {
	s.say("speech training: its donor agrees that it lasts a month longer")
	donor, _, err := founding.Staff(s.Folder, coop)
	if err != nil {
		return err
	}
	amend := fund.AmendCampaign{Account: speechAccount, ID: "story.speech.amend", Plan: s.plan()}
	amend.Plan.To = s.today.AddMonths(9)
	if _, err := s.signed(ctx, charity, "Fund:AmendCampaign", "amend-campaign", speechAccount, yuan(0), amend, s.maker, s.checker, donor); err != nil {
		return err
	}
	_, err = s.record(ctx, charity, "Fund:RecordPledge", fund.RecordPledge{Account: speechAccount, Amount: yuan(5_000), Due: s.today.AddMonths(3), ID: "story.speech.pledge"})
	return err
}

// collecting: a payment processor's file and an announced gift come before the
// statement that shows both.
func (s *speech) collecting(ctx context.Context) error {
	s.say("speech training: %d gifts are settled, one of them announced, %d by a processor's file", speechGift+1+processed, processed)
	var err error
	if s.announced, err = s.Gateways[charity].Announce(ctx, attempt("speech"), speechAccount, announcedGift, speak.Giver{Name: "虚构捐赠人 (invented giver)", Publish: true}); err != nil {
		return err
	}
	net, err := s.processes(ctx)
	if err != nil {
		return err
	}
	var rows []row
	for i := range int64(speechGift) {
		rows = append(rows, row{fmt.Sprintf("Rfake-speech-%02d", i+1), yuan(0), yuan(100 * (1 + (i*i*7+i*13)%91)), ""})
	}
	rows = append(rows, row{"Rfake-announced", yuan(0), announcedGift, s.announced.Reference.Grouped()}, row{"Rfake-processor", yuan(0), net, settlementMemo})
	path, err := s.file("invented-speech-1.csv", "CNY", rows)
	if err != nil {
		return err
	}
	if s.first, err = s.take(ctx, speechAccount, path); err != nil {
		return err
	}
	s.gifts = s.first.Gifts + processed
	if s.first.Announced != 1 {
		return rule.Refuse(rule.Conflict, "statement %s shows %d announced gifts; lianbao reset and up begin anew", s.first.Statement, s.first.Announced)
	}
	return nil
}

func child(i int) tape.AccountID { return household("child", i) }

// household is the name of an invented family, drawn from its number.
func household(kind string, i int) tape.AccountID {
	return tape.AccountID("outside:household:" + tape.PseudonymFrom(fmt.Sprintf("fake-%s-%02d", kind, i)))
}

const clerk = tape.AccountID("outside:staff:fake-clerk-01")

func (s *speech) enrolling(ctx context.Context) error {
	var persons []tape.ID
	payees := []fund.NewPayee{{Kind: fund.Staff, Payee: clerk}}
	for i := range trained {
		p := fund.NewPayee{Kind: fund.Household, Payee: child(i + 1)}
		if i < childKeys {
			p.Person = person("child", i+1)
			persons = append(persons, p.Person)
		}
		payees = append(payees, p)
	}
	work, working := errgroup.WithContext(ctx)
	work.Go(func() error {
		if err := s.registers(working, persons); err != nil {
			return err
		}
		return s.enrols(working, speechAccount, "story.speech.payees", yuan(0), payees)
	})
	work.Go(func() error { return s.knows(working, child(1), child(2), child(3), child(4)) })
	work.Go(func() error { return s.served(working) })
	work.Go(func() error { return s.waits(working) })
	return work.Wait()
}

func (s *speech) paying(ctx context.Context) error {
	s.say("speech training: %d families are to be paid", children)
	for i := range children {
		s.training = append(s.training, tape.Payment{Amount: toTraining, Line: tape.ID(fmt.Sprintf("child-%02d", i+1)), To: child(i + 1)})
		if i < travelled {
			s.travel = append(s.travel, tape.Payment{Amount: toTravel, Line: tape.ID(fmt.Sprintf("child-%02d", i+1)), To: child(i + 1)})
		}
	}
	if err := s.disburses(ctx, speechAccount, "speech-training", "training", s.training); err != nil {
		return err
	}
	if err := s.disburses(ctx, speechAccount, "speech-travel", "travel", s.travel); err != nil {
		return err
	}
	if err := s.disburses(ctx, speechAccount, "speech-office", "office", []tape.Payment{{Amount: toClerk, Line: "clerk", To: clerk}}); err != nil {
		return err
	}
	invoice := "INVENTED INVOICE 2026-017\nRoom and speech therapist, first term\n30 children\nNobody in it exists.\n"
	if err := s.cites(ctx, speechAccount, "story.speech.invoice", yuan(0), invoice, charity+"/speech-training"); err != nil {
		return err
	}
	// One proposal waits for its approval, so that the work list has something to do.
	_, err := s.proposes(ctx, speechAccount, "speech-travel-2", "travel", s.travel)
	return err
}

func (s *speech) banking(ctx context.Context) (err error) {
	s.say("speech training: the bank pays %d families", trained)
	holds := payouts(speechAccount, "speech-training", s.training)[:trained]
	holds = append(holds, payouts(speechAccount, "speech-travel", s.travel)...)
	holds = append(holds, hold{speechAccount, tape.ChunkHold("speech-office", 0, 0), toClerk})
	path, err := s.file("invented-speech-2.csv", "CNY", debits(holds))
	if err != nil {
		return err
	}
	if s.second, err = s.take(ctx, speechAccount, path); err != nil {
		return err
	}
	s.payouts = len(holds)
	return executed(s.second, holds)
}

// answering: families with a device confirm; the last of them has not yet.
// Meanwhile the charity looks after those whose orders wait.
func (s *speech) answering(ctx context.Context) error {
	if err := s.sees(ctx, coop, s.last.Load()); err != nil {
		return err
	}
	holds := payouts(speechAccount, "speech-training", s.training)
	work, working := errgroup.WithContext(ctx)
	work.Go(func() error { return s.doubting(working) })
	work.Go(func() error { return s.inKind(working) })
	for i := range childKeys - 1 {
		work.Go(func() error { return s.says(working, holds[i], person("child", i+1), fund.Arrived, "") })
	}
	return work.Wait()
}
