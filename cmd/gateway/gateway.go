package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/lianbao/lianbao/chaincode/dossier"
	"github.com/lianbao/lianbao/gateway/api"
	"github.com/lianbao/lianbao/gateway/document"
	"github.com/lianbao/lianbao/gateway/export/books"
	"github.com/lianbao/lianbao/gateway/fabric"
	"github.com/lianbao/lianbao/gateway/giving"
	"github.com/lianbao/lianbao/gateway/importing"
	"github.com/lianbao/lianbao/gateway/keyring"
	"github.com/lianbao/lianbao/gateway/lane"
	"github.com/lianbao/lianbao/gateway/login"
	"github.com/lianbao/lianbao/gateway/outbox"
	"github.com/lianbao/lianbao/gateway/personal"
	"github.com/lianbao/lianbao/gateway/persons"
	"github.com/lianbao/lianbao/gateway/portal"
	"github.com/lianbao/lianbao/gateway/portal/views"
	"github.com/lianbao/lianbao/gateway/readmodel"
	"github.com/lianbao/lianbao/gateway/trail"
)

// Times of the process.
const (
	shutdownWait = 10 * time.Second
	pruneEvery   = 6 * time.Hour
	inflowsEvery = time.Second
	followAgain  = 10 * time.Second
	keepDays     = 90
	// personalEvery is how often the gateway goes on with what broke off about personal data.
	personalEvery = time.Minute
)

// gateway is what the process consists of.
type gateway struct {
	config config
	ledger *fabric.Ledger
	outbox *outbox.Outbox
	model  *readmodel.Model
	// documents is the organisation's evidence.
	documents *document.Archive
	giving    *giving.Desk
	portal    http.Handler
	personal  *personal.Desk
	// keys are those of persons, nil where nobody logs in.
	keys *keyring.Keyring
	// desk is where people log in, nil where nobody does.
	desk *login.Desk
	// processors takes payment processors' files, nil where nobody logs in.
	processors *importing.Desk
	lanes      *lane.Lanes
	inflows    *lane.Inflows
	server     *api.Server
}

// open opens the stores and the connection; nothing is carried or served before all of them are there.
func open(ctx context.Context, c config) (*gateway, error) {
	g := &gateway{config: c}
	if err := g.open(ctx); err != nil {
		return nil, errors.Join(err, g.close())
	}
	return g, nil
}

func (g *gateway) open(ctx context.Context) error {
	tokens, err := g.config.tokens()
	if err != nil {
		return err
	}
	connection, err := g.config.connection()
	if err != nil {
		return err
	}
	if g.ledger, err = fabric.Dial(connection); err != nil {
		return err
	}
	if err := os.MkdirAll(g.config.Data, 0o700); err != nil {
		return err
	}
	// The outbox first: it makes sure that no other gateway uses this folder.
	if g.outbox, err = outbox.Open(ctx, filepath.Join(g.config.Data, "outbox.db"), outbox.Settings{}); err != nil {
		return err
	}
	if g.model, err = readmodel.Open(ctx, filepath.Join(g.config.Data, "readmodel.db")); err != nil {
		return err
	}
	if g.documents, err = openDocuments(ctx, g.config.archive()); err != nil {
		return err
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	settings := lane.Settings{PagesInFlight: g.config.PagesInFlight, Metrics: lane.NewMetrics(registry)}
	if g.lanes, err = lane.Start(ctx, g.ledger, g.outbox, settings); err != nil {
		return err
	}
	g.inflows = &lane.Inflows{Lanes: g.lanes, Arrivals: g.model, Organisation: g.config.Organisation, Height: g.ledger.Height}
	if err := g.openGiving(); err != nil {
		return err
	}
	g.personal = &personal.Desk{Ledger: g.ledger, Notes: g.model, Errands: g.outbox, Documents: g.documents, Organisation: g.config.Organisation,
		Own: string(dossier.OwnCollection(g.config.MSPID)), Collections: g.config.Collections, Now: time.Now}
	g.server = api.New(api.Parts{Organisation: g.config.Organisation, Lanes: g.lanes, Outbox: g.outbox, Model: g.model, Chain: g.ledger,
		Token: tokens[0].Secret, Tokens: tokens[1:], Registry: registry, Neighbours: g.config.Others,
		Exports:  g.exports(),
		Personal: g.personal, Fingerprints: g.fingerprints(),
		Documents: g.documents, Shelf: g.shelf(), Giving: g.giving})
	return errors.Join(g.giverPages(), g.pages(tokens[0].Secret))
}

// pages adds the people's pages beside the API.
func (g *gateway) pages(token string) error {
	neighbours := make([]views.Neighbour, len(g.config.Others))
	for i, other := range g.config.Others {
		neighbours[i] = views.Neighbour{Organisation: other.Organisation, URL: other.URL}
	}
	handler, err := g.staffed(portal.Parts{Organisation: g.config.Organisation, Model: g.model, Height: g.ledger.Height, Neighbours: neighbours,
		Campaigns: trail.Trail{Model: g.model, Now: time.Now}, Gives: true, Block: g.block, Documents: g.shelf(),
		Exports: g.exports()}, token)
	if err != nil {
		return err
	}
	for _, pattern := range portal.Patterns() {
		g.server.Handle(pattern, handler)
	}
	g.portal = handler
	return nil
}

// exports makes the books of campaigns.
func (g *gateway) exports() *books.Books {
	return &books.Books{Model: g.model, Facts: trail.Facts{Model: g.model}}
}

// openDocuments opens the archive of evidence, and makes its master key the first time.
func openDocuments(ctx context.Context, c document.Config) (*document.Archive, error) {
	if _, err := os.Stat(c.Master); errors.Is(err, os.ErrNotExist) {
		if err := document.CreateMaster(c.Master); err != nil {
			return nil, err
		}
	}
	if folder, local := strings.CutPrefix(c.Store, "file://"); local {
		if err := os.MkdirAll(filepath.FromSlash(folder), 0o700); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(c.Keys, 0o700); err != nil {
		return nil, err
	}
	return document.New(ctx, c)
}

// close ends everything in the order in which it depends on each other.
func (g *gateway) close() error {
	if g.processors != nil {
		g.processors.Close()
	}
	if g.lanes != nil {
		g.lanes.Stop()
	}
	var all []error
	if g.keys != nil {
		all = append(all, g.keys.Close())
	}
	if g.outbox != nil {
		all = append(all, g.outbox.Close())
	}
	if g.documents != nil {
		all = append(all, g.documents.Close())
	}
	if g.giving != nil {
		all = append(all, g.giving.Close())
	}
	if g.model != nil {
		all = append(all, g.model.Close())
	}
	if g.ledger != nil {
		all = append(all, g.ledger.Close())
	}
	return errors.Join(all...)
}

// serve answers until ctx ends or a part fails.
func (g *gateway) serve(ctx context.Context) error {
	listener, err := net.Listen("tcp", g.config.Listen)
	if err != nil {
		return err
	}
	// Streams and waiting requests end when the gateway stops, not when their clients leave.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	server := &http.Server{Handler: g.server, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: 2 * time.Minute,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10, BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog: slog.NewLogLogger(slog.Default().Handler(), slog.LevelWarn)}
	ended := make(chan error, 1)
	followed := make(chan struct{})
	go func() { ended <- server.Serve(listener) }()
	go func() {
		defer close(followed)
		g.follow(ctx)
	}()
	go g.prune(ctx)
	go g.personal.Begin(ctx, personalEvery)
	go g.sweep(ctx)
	go portal.KeepWarm(ctx, g.portal)
	slog.Info("gateway serves", "address", listener.Addr().String(), "peer", g.config.Peer.Address)
	select {
	case <-ctx.Done():
		err = nil
	case err = <-ended:
	}
	cancel()
	stopping, stop := context.WithTimeout(context.Background(), shutdownWait)
	defer stop()
	err = errors.Join(err, server.Shutdown(stopping))
	<-followed
	return err
}

// follow reads the ledger into the read model, and settles what came in. When
// a block cannot be read the gateway goes on carrying commands: it says that it
// is not ready, and tries again.
func (g *gateway) follow(ctx context.Context) {
	if !g.config.LeaveInflows {
		go g.inflows.Begin(ctx, inflowsEvery)
	}
	for ctx.Err() == nil {
		err := g.read(ctx)
		if ctx.Err() != nil {
			return
		}
		slog.Error("the ledger cannot be read on", "error", err)
		g.server.Trouble("the ledger cannot be read on: " + err.Error())
		select {
		case <-ctx.Done():
		case <-time.After(followAgain):
		}
	}
}

func (g *gateway) read(ctx context.Context) error {
	position, err := g.model.Position(ctx)
	if err != nil {
		return err
	}
	return g.ledger.Follow(ctx, position.Next, func(block readmodel.Block) error {
		if err := g.model.Apply(ctx, block); err != nil {
			return err
		}
		g.server.Trouble("")
		g.endSessions(block)
		// A failure here costs time, nothing else: what was missed is found at the next start.
		if err := g.settleInflows(ctx, block); err != nil && ctx.Err() == nil {
			slog.Warn("inflows could not be settled", "block", block.Number, "error", err)
		}
		return nil
	})
}

// endSessions ends those of persons whom a block has revoked or whose key it has suspended.
func (g *gateway) endSessions(block readmodel.Block) {
	if g.desk == nil {
		return
	}
	for _, person := range persons.Stopped(block) {
		g.desk.End(person)
	}
}

func (g *gateway) settleInflows(ctx context.Context, block readmodel.Block) error {
	if g.config.LeaveInflows {
		return nil
	}
	return g.inflows.Read(ctx, &block)
}

// prune forgets old answers.
func (g *gateway) prune(ctx context.Context) {
	days := g.config.KeepDays
	if days == 0 {
		days = keepDays
	}
	for {
		if err := g.outbox.Prune(ctx, time.Now().AddDate(0, 0, -days)); err != nil && ctx.Err() == nil {
			slog.Warn("the outbox could not be pruned", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pruneEvery):
		}
	}
}
