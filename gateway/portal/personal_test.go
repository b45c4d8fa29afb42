package portal

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/dossier"
	"github.com/lianbao/lianbao/chaincode/dossier/seal"
	"github.com/lianbao/lianbao/chaincode/peertest"
	network "github.com/lianbao/lianbao/chaincode/replay"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/gateway/fabric"
	"github.com/lianbao/lianbao/gateway/outbox"
	"github.com/lianbao/lianbao/gateway/personal"
)

// keeping is the desk of the town's charity, on the town's network.
func (w *town) keeping() *personal.Desk {
	policy, err := proto.Marshal(network.OutOf(2, "charity", "bank"))
	made(w.ledger, policy, err)
	w.network.Collection(network.CollectionRule{Name: "charity-bank", Members: []string{"charity", "bank"}, MemberOnlyRead: true, MemberOnlyWrite: true, Policy: policy})
	box, err := outbox.Open(w.Context(), filepath.Join(w.TempDir(), "outbox.db"), outbox.Settings{Volatile: true})
	made(w.ledger, box, err)
	w.Cleanup(func() { _ = box.Close() })
	return &personal.Desk{Ledger: own{w}, Notes: w.model, Errands: box, Documents: w.archive, Organisation: "charity", Own: string(dossier.OwnCollection("charity")),
		Collections: map[string][]string{"charity-bank": {"charity", "bank"}}, Now: w.network.Clock}
}

// own is the charity's peer.
type own struct{ *town }

func (o own) carry(function string, argument []byte, options ...peertest.Option) (fabric.Receipt, error) {
	o.network.Advance(time.Second)
	endorsed, err := o.network.Endorse(o.network.Identity("charity", "gateway"), function, string(argument), options...)
	if err != nil {
		return fabric.Receipt{}, told(err)
	}
	results, err := o.network.Commit(endorsed)
	o.follow()
	return fabric.Receipt{Block: results[0].Block}, err
}

func told(err error) error {
	var refusal *rule.Refusal
	if errors.As(err, &refusal) {
		return refusal
	}
	return err
}

func (o own) Submit(_ context.Context, function string, argument []byte, _ func(string) error) (fabric.Receipt, error) {
	return o.carry(function, argument)
}

func (o own) SubmitPrivate(_ context.Context, function string, argument []byte, p fabric.Private, _ func(string) error) (fabric.Receipt, error) {
	return o.carry(function, argument, peertest.Transient(p.Transient), peertest.From(p.Members...))
}

func (o own) Show(_ context.Context, query dossier.ShowQuery) ([]byte, error) {
	key := bytes.Repeat([]byte{7}, seal.KeyBytes)
	body, err := o.network.Evaluate(o.network.Identity("charity", "gateway"), "Dossier:Show", string(o.encode(query)),
		peertest.Transient(map[string][]byte{"key": key}), peertest.From("charity"))
	if err != nil {
		return nil, told(err)
	}
	var answer seal.Answer
	if err := canonical.Decode(body, &answer); err != nil {
		return nil, err
	}
	return answer.Open(key, query)
}

// TestPersonalData: staff keep what is known about a payee and see it, nobody
// else does; the payee asks that it be erased, and it is, but not before its day.
func TestPersonalData(t *testing.T) {
	w := newTown(t)
	const name, number = "王虚构", "0000 0000 0000 0001"
	page := "/en/payees/" + string(speech) + "/" + string(family)
	maker := w.logsIn("maker")
	maker.request(http.MethodGet, page, nil)
	maker.reads("What is kept about this payee")
	maker.request(http.MethodGet, page+"/personal", nil)
	maker.reads("charity knows nothing about this payee", "charity-bank")
	keep := func(fields ...string) {
		maker.posts(page+"/personal/keep", append(fields, "collection", "charity-bank")...)
	}
	keep("class", "household", "name", name, "phone", "no number")
	maker.reads("This was not done", "field fields.phone: holds characters that do not belong there")
	maker.request(http.MethodGet, page+"/personal", nil)
	keep("class", "payee-bank-account", "name", name, "account", number, "bank", "Invented Bank", "keepUntil", "2050-01-01")
	maker.reads(number, "Invented Bank", "1 Jan 2050")
	if strings.Contains(maker.body, "Erase at every member") {
		t.Error("what must be kept is offered for erasure")
	}
	keep("class", "household", "name", name)
	maker.reads("Household", "Erase at every member")
	for _, who := range []*visitor{{town: w}, w.logsIn("child")} {
		who.request(http.MethodGet, page+"/personal", nil)
		if strings.Contains(who.body, name) || strings.Contains(who.body, number) {
			t.Errorf("%s (%d) tells who it is", who.place, who.code)
		}
		who.request(http.MethodGet, page, nil)
		if strings.Contains(who.body, "/personal") {
			t.Errorf("%s leads on", who.place)
		}
	}
	child := w.logsIn("child")
	child.reads("What is kept about you here", "must be kept until 1 Jan 2050")
	child.posts("/en/me/erasure", "account", string(speech), "payee", string(family))
	child.reads("This was not done", "must be kept until 2050-01-01; ask again on that day")
	child.request(http.MethodGet, "/en/me", nil)
	child.posts("/en/me/erasure", "account", string(speech), "payee", string(shop))
	child.reads("This was not done", "is not you")
	w.network.Advance(25 * 365 * 24 * time.Hour)
	maker = w.logsIn("maker")
	maker.request(http.MethodGet, page+"/personal", nil)
	form, id := maker.body, regexp.MustCompile(`name="id" value="([^"]+)"`).FindStringSubmatch(maker.body)[1]
	for range 2 { // the form sent twice keeps one document
		maker.body = form
		maker.uploads(page+"/personal/document", "document-file", "photo.txt", "a face", "kind", "photo", "id", id)
		maker.reads("Documents about this payee", "photo", "Shred this document")
	}
	maker.body = form
	maker.uploads(page+"/personal/document", "document-file", "photo.txt", "a face", "kind", "photo")
	maker.reads("names no form")
	child = w.logsIn("child")
	child.reads("one document")
	child.posts("/en/me/erasure", "account", string(speech), "payee", string(family))
	child.reads("Erasure was asked for")
	maker = w.logsIn("maker")
	maker.request(http.MethodGet, "/en/work", nil)
	maker.reads("A payee asks to be erased")
	maker.request(http.MethodGet, page+"/personal", nil)
	maker.reads("Erasure was asked for", name)
	records := regexp.MustCompile(`name="record" value="([a-p]{32})"`).FindAllStringSubmatch(maker.body, -1)
	if len(records) != 2 {
		t.Fatalf("%d values can be erased", len(records))
	}
	for _, record := range records {
		maker.posts(page+"/personal/purge", "collection", "charity-bank", "record", record[1], "reason", "requested")
	}
	maker.reads("Erasure was asked for", "charity knows nothing about this payee")
	paper := regexp.MustCompile(`name="document" value="([0-9a-f]{32})"`).FindStringSubmatch(maker.body)
	if paper == nil {
		t.Fatal("the photo cannot be shredded")
	}
	child.posts(page+"/personal/shred", "document", paper[1])
	child.reads("This was not done")
	maker.posts(page+"/personal/shred", "document", paper[1])
	if _, _, err := w.archive.Open(t.Context(), paper[1]); !rule.Is(err, rule.WrongState) {
		t.Errorf("the photo that was shredded: %v", err)
	}
	if strings.Contains(maker.body, name) || strings.Contains(maker.body, "Erasure was asked for") {
		t.Error("the page still tells who it is, or that it was asked")
	}
	for number := range w.network.Height() {
		if block := w.network.Block(number).String(); strings.Contains(block, name) || strings.Contains(block, "0000 0000 0000 0001") {
			t.Errorf("block %d holds what is private", number)
		}
	}
}
