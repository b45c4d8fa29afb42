package founding

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/contract"
	"github.com/lianbao/lianbao/chaincode/dossier"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/audit"
	"github.com/lianbao/lianbao/gateway/fabric"
	"github.com/lianbao/lianbao/network"
	"github.com/lianbao/lianbao/network/topology"
)

// TestPrivateDataOnARealNetwork keeps, shows, cites, purges and strikes what is
// known about invented people, and then looks for them in the files of every
// peer: nowhere in blocks and logs, and at those who are no members nowhere at all.
func TestPrivateDataOnARealNetwork(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a network")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	p := startPrivate(ctx, t)
	own := dossier.OwnCollection("CharityMSP")
	var all []secret
	for i := range 12 {
		collection, members := dossier.Collection("charity-bank"), []string{"charity", "bank"}
		if i%3 == 2 {
			collection, members = own, []string{"charity"}
		}
		s := p.invent(i, collection, members)
		p.must(p.keep("charity", s, members...))
		all = append(all, s)
	}
	shared, mine := all[0], all[2]
	p.shown("charity", shared, "")
	p.shown("bank", shared, "")
	p.shown("charity", mine, "")
	p.shown("coop", shared, "forbidden: field collection: is for its members")
	p.shown("coop", mine, "forbidden: field collection: belongs to another organisation")
	p.strangers(shared, mine, own)
	p.again(shared)

	for i, s := range all {
		cite := dossier.CiteCommand{Class: dossier.Household, Collection: s.command.Collection, Hash: s.command.Hash, ID: p.pseudonym(), Record: s.command.Record}
		if i == 0 {
			cite.KeepUntil = "2040-01-01"
		}
		p.must(p.voices["charity"].do(ctx, "Dossier:Cite", cite))
	}
	p.refused("wrong-state: field record: must be kept until 2040-01-01", p.purge(shared))
	for _, s := range all[1:] {
		p.must(p.purge(s))
		p.shown("charity", s, "not-found: field record: holds no value")
		p.must(p.voices["charity"].do(ctx, "Dossier:Strike", dossier.StrikeCommand{Class: dossier.Household, Collection: s.command.Collection,
			Hash: s.command.Hash, ID: p.pseudonym(), Reason: dossier.Requested, Record: s.command.Record}))
	}
	p.shown("bank", shared, "")
	p.audited()
	p.search(all)
}

// secret is a value about somebody who does not exist.
type secret struct {
	command dossier.KeepCommand
	name    string
	value   []byte
	members []string
}

// privacy is a network with its voices.
type privacy struct {
	*testing.T
	ctx    context.Context
	folder string
	all    []network.Connection
	voices map[string]voice
}

func startPrivate(ctx context.Context, t *testing.T) *privacy {
	t.Helper()
	p := &privacy{T: t, ctx: ctx, folder: t.TempDir(), voices: map[string]voice{}}
	n, err := network.Create(p.folder, topology.Default())
	p.must(err)
	t.Cleanup(func() { _ = n.Down(context.Background()) })
	options := network.Options{Deployed: func(ctx context.Context, c []network.Connection) (err error) {
		p.all = c
		_, err = Found(ctx, p.folder, n.Topology(), c)
		return err
	}, Committed: Joined}
	p.must(n.Up(ctx, options, func(network.Step) {}))
	for _, c := range p.all {
		v, err := speak(c, c.Gateway, p.all)
		p.must(err)
		t.Cleanup(v.close)
		p.voices[c.Organisation] = v
	}
	return p
}

func (p *privacy) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

func (p *privacy) refused(want string, err error) {
	p.Helper()
	var refusal *rule.Refusal
	if !errors.As(err, &refusal) || !strings.Contains(refusal.Error(), want) {
		p.Errorf("\n got %v\nwant %s", err, want)
	}
}

// pseudonym draws one as a gateway does.
func (p *privacy) pseudonym() dossier.Pseudonym {
	p.Helper()
	var random [16]byte
	_, err := rand.Read(random[:])
	p.must(err)
	return tape.PseudonymOf(random)
}

func (p *privacy) invent(i int, collection dossier.Collection, members []string) secret {
	p.Helper()
	v := dossier.Value{V: 1, Class: dossier.Household, Fields: dossier.Fields{Name: fmt.Sprintf("虚构氏 Nobody-Fictitia-%03d", i), Phone: fmt.Sprintf("+00 0000 %06d", i)}}
	_, err := rand.Read(v.Salt[:])
	p.must(err)
	value, err := v.Encode()
	p.must(err)
	return secret{dossier.KeepCommand{Collection: collection, Hash: dossier.HashOf(value), ID: p.pseudonym(), Record: p.pseudonym()}, v.Fields.Name, value, members}
}

// privately carries a private command until it is on the ledger or refused.
func (p *privacy) privately(as, function string, command any, private fabric.Private) error {
	p.Helper()
	argument, err := canonical.Encode(command)
	p.must(err)
	for {
		_, err := p.voices[as].ledger.SubmitPrivate(p.ctx, function, argument, private, func(string) error { return nil })
		var transient *fabric.Transient
		if !errors.As(err, &transient) {
			return err
		}
		select {
		case <-p.ctx.Done():
			return errors.Join(err, p.ctx.Err())
		case <-time.After(retryPause):
		}
	}
}

func (p *privacy) keep(as string, s secret, members ...string) error {
	p.Helper()
	return p.privately(as, "Dossier:Keep", s.command, fabric.Private{Members: members, Transient: map[string][]byte{"value": s.value}})
}

func (p *privacy) purge(s secret) error {
	p.Helper()
	command := dossier.PurgeCommand{Collection: s.command.Collection, Hash: s.command.Hash, ID: p.pseudonym(), Reason: dossier.Requested, Record: s.command.Record}
	return p.privately("charity", "Dossier:Purge", command, fabric.Private{Members: s.members})
}

func (p *privacy) shown(as string, s secret, want string) {
	p.Helper()
	value, err := p.voices[as].ledger.Show(p.ctx, dossier.ShowQuery{Collection: s.command.Collection, Record: s.command.Record})
	if want != "" {
		p.refused(want, err)
		return
	}
	if err != nil || !bytes.Equal(value, s.value) {
		p.Errorf("%s is shown %q, %v", as, value, err)
	}
}

// strangers try what only members may do.
func (p *privacy) strangers(shared, mine secret, own dossier.Collection) {
	p.Helper()
	p.refused("forbidden: field collection: is for its members", p.keep("coop", shared, "charity", "bank"))
	p.refused("forbidden: field collection: belongs to another organisation", p.keep("coop", mine, "charity"))
	p.refused("forbidden: field record: is kept by charity", p.privately("bank", "Dossier:Purge",
		dossier.PurgeCommand{Collection: shared.command.Collection, Hash: shared.command.Hash, ID: p.pseudonym(), Reason: dossier.Requested, Record: shared.command.Record},
		fabric.Private{Members: shared.members}))
	// One member alone is not enough, though its own gateway would do it.
	alone := p.invent(900, shared.command.Collection, shared.members)
	var failed *fabric.CommitFailure
	if err := p.keep("charity", alone, "charity"); !errors.As(err, &failed) || failed.Code != "ENDORSEMENT_POLICY_FAILURE" {
		p.Errorf("endorsed by one of two members: %v", err)
	}
	p.shown("charity", alone, "not-found: field record: holds no value")
	p.refused("not-found: field collection: is not in the chaincode's definition", p.keep("charity", p.invent(901, "charity-coop", nil), "charity"))
	p.refused("forbidden: field collection: belongs to another organisation", p.voices["coop"].do(p.ctx, "Dossier:Cite", dossier.CiteCommand{Class: dossier.Household,
		Collection: own, Hash: mine.command.Hash, ID: p.pseudonym(), Record: mine.command.Record}))
}

// again repeats a command, and sends another value for the same record.
func (p *privacy) again(s secret) {
	p.Helper()
	p.must(p.keep("charity", s, s.members...))
	other := p.invent(902, s.command.Collection, s.members)
	other.command.Record = s.command.Record
	p.refused("exists: field record: holds a value already", p.keep("charity", other, s.members...))
	other.command.ID = s.command.ID
	p.refused("exists: field id: is taken by another command", p.keep("charity", other, s.members...))
}

// audited replays the ledger, asks every peer for what it may show, and finds
// nothing that differs.
func (p *privacy) audited() {
	p.Helper()
	contracts, err := contract.New()
	p.must(err)
	var sites []audit.Site
	for _, c := range p.all {
		site := audit.Site{Connection: fabric.Connection{Organisation: c.Organisation, MSP: c.MSPID, Channel: c.Channel, Chaincode: c.Chaincode,
			Address: c.Peer.Address, HostOverride: c.Peer.HostOverride, Names: map[string]string{}}}
		for path, into := range map[string]*[]byte{c.Peer.TLSRootCert: &site.Connection.RootCertificate,
			c.Auditor.Certificate: &site.Connection.Certificate, c.Auditor.Key: &site.Connection.Key} {
			*into, err = os.ReadFile(path)
			p.must(err)
		}
		sites = append(sites, site)
	}
	report, err := audit.Run(p.ctx, audit.Options{Contracts: contracts, Chaincode: p.all[0].Chaincode}, sites, nil)
	p.must(err)
	if report.Differences != 0 || report.Private != (audit.PrivateState{Kept: 1, Verified: 1, Purged: 11}) {
		p.Errorf("the audit says\n%s", report.Text())
	}
}

// search reads every file of every organisation and of the network.
func (p *privacy) search(all []secret) {
	p.Helper()
	names := [][]byte{[]byte("Nobody-Fictitia-900"), []byte("Nobody-Fictitia-901"), []byte("Nobody-Fictitia-902")}
	for _, s := range all {
		names = append(names, []byte(s.name), s.value)
	}
	blocks, logs, left := 0, 0, map[string]int{}
	p.must(filepath.WalkDir(p.folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		parts := strings.Split(filepath.ToSlash(strings.TrimPrefix(path, p.folder)), "/")
		member := len(parts) > 2 && slices.Contains([]string{"charity", "bank"}, parts[2])
		isBlock, isLog := strings.HasPrefix(entry.Name(), "blockfile_"), strings.HasSuffix(entry.Name(), ".log") && parts[1] == "logs"
		if isBlock && bytes.Contains(data, []byte(all[0].command.Record)) {
			blocks++
		}
		if isLog {
			logs++
		}
		for _, name := range names {
			switch found := bytes.Contains(data, name); {
			case found && (isBlock || isLog || !member):
				p.Errorf("%s holds %q", path, name)
			case found && bytes.Contains(name, []byte(all[0].name)):
				left["kept"]++
			case found:
				// A deleted key leaves LevelDB's files when they are compacted: docs/privacy.md.
				left["purged, in "+parts[len(parts)-2]]++
			}
		}
		return nil
	}))
	if blocks < 9 || logs < 9 || left["kept"] == 0 {
		p.Errorf("the search looked at %d files of blocks and %d logs, and found what is kept %v times", blocks, logs, left)
	}
	p.Logf("left in the databases of members: %v", left)
}
