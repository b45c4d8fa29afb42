package story

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/lianbao/lianbao/chaincode/fund"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/cmd/lianbao/founding"
	"github.com/lianbao/lianbao/gateway/importing"
)

// What comes to the speech training beside plain lines of its bank: a gift that
// was announced, and those that a payment processor collected.
var announcedGift = yuan(500)

const (
	processed      = 5
	settlementMemo = "INVENTEDPAY 0301"
)

// attempt is the mark of an announcement: the same whenever the story is told.
func attempt(name string) string {
	digest := sha256.Sum256([]byte("invented announcement\n" + name))
	return hex.EncodeToString(digest[:16])
}

// processes imports the file of an invented payment processor, which keeps one
// per cent, and returns what its bank line will carry.
func (s *speech) processes(ctx context.Context) (net money.Amount, err error) {
	var text strings.Builder
	text.WriteString("date,time,reference,amount,fee,net,currency,status,payer_pseudonym,memo\n")
	for i := range processed {
		fmt.Fprintf(&text, "%s,08:%02d:00,FAKEPAYMENT%02d,200.00,2.00,198.00,CNY,paid,fake%012x,\n", s.today, i, i+1, 100+i)
	}
	fmt.Fprintf(&text, "total,,,%d.00,%d.00,%d.00,,,,\n", processed*200, processed*2, processed*198)
	path := filepath.Join(s.folder(), "invented-processor.csv")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		return net, err
	}
	r, err := importing.ImportProcessor(ctx, importing.ProcessorOrder{File: path, Account: speechAccount, Processor: "outside:processor:invented-pay", Reference: settlementMemo,
		Charity: s.side(charity).Receiver()})
	s.note(r.Position)
	return r.Net, err
}

// villageAgent enrols the families of one village and keeps the key of one that has no device.
const villageAgent = tape.ID("invented-agent-01")

// served are the families whom the agent enrols and serves.
func (s *speech) served(ctx context.Context) error {
	agent, err := founding.Device(s.Folder, charity, villageAgent, s.Charter.Ledger)
	if err != nil {
		return err
	}
	kept, err := founding.KeptBy(s.Folder, villageAgent, charity, person("child", children), s.Charter.Ledger)
	if err != nil {
		return err
	}
	work, working := errgroup.WithContext(ctx)
	work.Go(func() error { return s.register(working, agent, party.Own, party.DutyAgent) })
	work.Go(func() error { return s.register(working, kept, party.AgentHeld, party.DutyMember) })
	work.Go(func() error {
		_, err := s.staff(working, "Fund:AppointAgent", "appoint-agent", speechAccount, yuan(0), fund.AppointAgent{Account: speechAccount, ID: "story.speech.agent", PayeesMax: 20, Person: villageAgent})
		return err
	})
	if err := work.Wait(); err != nil {
		return err
	}
	enrol := fund.Enrol{Account: speechAccount, Agent: villageAgent, ID: "story.speech.village"}
	for i := trained; i < children; i++ {
		p := fund.NewPayee{Kind: fund.Household, Payee: child(i + 1)}
		if i == children-1 {
			p.Person = kept.Person
		}
		enrol.Payees = append(enrol.Payees, p)
	}
	_, err = s.signed(ctx, charity, "Fund:Enrol", "enrol", speechAccount, yuan(0), enrol, agent)
	return err
}

// waits: the key of a family is brought, and the charity has not said yet that it is the family's.
func (s *speech) waits(ctx context.Context) error {
	signer, err := founding.Device(s.Folder, charity, person("child", childKeys+1), s.Charter.Ledger)
	if err == nil {
		_, err = s.brings(ctx, signer, party.Own, party.DutyMember)
	}
	return err
}

// doubting: families of the village are called back and flagged. One flag
// stands, another was lifted.
func (s *speech) doubting(ctx context.Context) error {
	s.say("speech training: a family is called back, two are flagged, one flag is lifted")
	flag := func(ctx context.Context, i int, raise bool, reason string, signers ...founding.Signer) error {
		command := fund.SetFlag{Account: speechAccount, ID: tape.ID(fmt.Sprintf("story.speech.%s-%d", reason, i)), Payee: child(i), Raise: raise, Reason: reason}
		_, err := s.signed(ctx, charity, "Fund:SetFlag", "set-flag", speechAccount, yuan(0), command, signers...)
		return err
	}
	work, working := errgroup.WithContext(ctx)
	work.Go(func() error {
		command := fund.CallBackPayee{Account: speechAccount, ID: "story.speech.call-back", Outcome: "confirmed", Payee: child(children - 2)}
		_, err := s.signed(working, charity, "Fund:CallBackPayee", "call-back-payee", speechAccount, yuan(0), command, s.checker)
		return err
	})
	work.Go(func() error { return flag(working, children, true, "payee-account", s.maker) })
	work.Go(func() error {
		if err := flag(working, children-1, true, "complaint", s.maker); err != nil {
			return err
		}
		return flag(working, children-1, false, "cleared", s.maker, s.checker)
	})
	return work.Wait()
}

// inKind: books come as a gift, some of them go on to a family.
func (s *speech) inKind(ctx context.Context) error {
	const goods = tape.ID("story.speech.books")
	receive := fund.ReceiveGoods{Account: speechAccount, ID: goods, Item: "picture-book", Quantity: 40, Unit: "piece"}
	if _, err := s.signed(ctx, charity, "Fund:ReceiveGoods", "receive-goods", speechAccount, yuan(0), receive, s.maker); err != nil {
		return err
	}
	_, err := s.staff(ctx, "Fund:GiveGoods", "give-goods", speechAccount, yuan(0), fund.GiveGoods{Account: speechAccount, Goods: goods, ID: goods + ".given", Quantity: 12, To: child(1)})
	return err
}
