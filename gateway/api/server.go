// Package api is the gateway's HTTP: one route table, described by OpenAPI 3.1,
// and one table from refusal codes to status codes. It holds no rule: what
// comes in goes to the lanes, what goes out comes from the read model.
package api

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"log/slog"
	"math"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/lianbao/lianbao/gateway/disclosure"
	"github.com/lianbao/lianbao/gateway/document"
	"github.com/lianbao/lianbao/gateway/export/books"
	"github.com/lianbao/lianbao/gateway/fingerprint"
	"github.com/lianbao/lianbao/gateway/giving"
	"github.com/lianbao/lianbao/gateway/lane"
	"github.com/lianbao/lianbao/gateway/outbox"
	"github.com/lianbao/lianbao/gateway/personal"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// Chain is the ledger as far as health needs it.
type Chain interface {
	// Height is the number of blocks that the own peer holds.
	Height(ctx context.Context) (uint64, error)
}

// Parts are what a server is made of.
type Parts struct {
	Organisation string
	Lanes        *lane.Lanes
	Outbox       *outbox.Outbox
	Model        *readmodel.Model
	Chain        Chain
	// Token lets the organisation's own programs do everything; reading is open to all.
	Token string
	// Tokens let other programs do what their scopes say.
	Tokens []Token
	// Registry is what /metrics shows; none when nil.
	Registry *prometheus.Registry
	Log      *slog.Logger
	// Neighbours are the other organisations' gateways.
	Neighbours []Neighbour
	// Exports writes campaigns' books in the forms that others read.
	Exports *books.Books
	// Personal is where the organisation's personal data is handled.
	Personal *personal.Desk
	// Fingerprints are the keys under which payees are compared.
	Fingerprints fingerprint.Keys
	// Documents keeps the organisation's evidence.
	Documents *document.Archive
	// Shelf keeps the documents that the organisation published.
	Shelf disclosure.Shelf
	// Giving keeps what givers announced; nil where an organisation takes no gifts.
	Giving *giving.Desk
}

// Neighbour is another organisation's gateway.
type Neighbour struct {
	Organisation string `json:"organisation"`
	MSPID        string `json:"mspId"`
	URL          string `json:"url"`
}

// Server answers HTTP for one organisation.
type Server struct {
	Parts
	tokens []knownToken
	mux    *http.ServeMux
	api    huma.API

	mutex     sync.Mutex
	trouble   string          // why the read model does not go on
	answering map[string]bool // idempotency keys of requests under way
}

// Limits of requests.
const (
	bodyBytesMax     = 1 << 20
	pageBytesMax     = 2 << 20
	positionWait     = 10 * time.Second
	waitMax          = 60 * time.Second
	readinessWait    = 2 * time.Second
	readinessBlocks  = 5
	idempotencyChars = 255
)

// New builds the server.
func New(parts Parts) *Server {
	s := &Server{Parts: parts, mux: http.NewServeMux(), answering: map[string]bool{}}
	if parts.Token != "" {
		s.tokens = []knownToken{{sha256.Sum256([]byte(parts.Token)), Scopes()}}
	}
	for _, token := range parts.Tokens {
		s.tokens = append(s.tokens, knownToken{sha256.Sum256([]byte(token.Secret)), token.Scopes})
	}
	if s.Log == nil {
		s.Log = slog.Default()
	}
	speakOnce.Do(speakForAll)
	s.api = humago.New(s.mux, s.config())
	s.routes()
	describe(s.api.OpenAPI())
	s.plain()
	return s
}

var speakOnce sync.Once

// serverKey finds the server of a request.
type serverKey struct{}

// speakForAll sets what the library keeps in package variables: how it refuses.
func speakForAll() {
	huma.NewError = func(status int, message string, flaws ...error) huma.StatusError {
		return new(Server).speak(status, message, flaws...)
	}
	huma.NewErrorWithContext = func(ctx huma.Context, status int, message string, flaws ...error) huma.StatusError {
		if s, found := ctx.Context().Value(serverKey{}).(*Server); found {
			return s.speak(status, message, flaws...)
		}
		return huma.NewError(status, message, flaws...)
	}
}

func (s *Server) config() huma.Config {
	registry := huma.NewMapRegistry("#/components/schemas/", schemaName)
	strict := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: strictJSON}
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{Title: "Lianbao gateway", Version: "1",
				Description: "The ledger as one organisation's gateway serves it. Every write is on the disk before it is answered; `Prefer: wait=10` waits for the ledger."},
			Components: &huma.Components{Schemas: registry, SecuritySchemes: map[string]*huma.SecurityScheme{
				"token": {Type: "http", Scheme: "bearer", Description: "A token of the organisation; writes, documents and personal data need one that opens them."}}},
		},
		OpenAPIPath:   "/openapi", // /openapi.json; the documentation page would load from elsewhere and stays off
		Formats:       map[string]huma.Format{"application/json": strict, "json": strict},
		DefaultFormat: "application/json",
	}
}

// schemaName tells types of one name apart by their package.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if item, is := strings.CutPrefix(t.Name(), "List["); is { // of one part of a list
		if prefix := prefixOf(item[:strings.LastIndex(item, ".")], cooperativePrefixes); prefix != "" {
			return "List" + prefix + strings.TrimPrefix(name, "List")
		}
	}
	return prefixOf(t.PkgPath(), schemaPrefixes) + prefixOf(t.PkgPath(), cooperativePrefixes) + name
}

// prefixes are what the names of a package's types begin with, by the end of its path.
type prefixes []struct{ suffix, prefix string }

var (
	schemaPrefixes      = prefixes{{"chaincode/tape", "Tape"}, {"chaincode/fund", "Fund"}, {"export/books", "Books"}, {"gateway/disclosure", "Sheet"}}
	cooperativePrefixes = prefixes{{"gateway/cooperative", "Coop"}, {"chaincode/group", "Group"}, {"chaincode/loan", "Loan"}, {"chaincode/loan/terms", "Terms"}, {"chaincode/recourse", "Recourse"},
		{"chaincode/pool", "Pool"}, {"chaincode/settlement", "Settlement"}, {"chaincode/assessment", "Assessment"}, {"chaincode/credit", "Credit"}, {"chaincode/waterfall", "Waterfall"}, {"chaincode/bookkeeping", "Books"}}
)

func prefixOf(path string, all prefixes) string {
	for _, one := range all {
		if strings.HasSuffix(path, one.suffix) {
			return one.prefix
		}
	}
	return ""
}

// plain adds what is no part of the described API.
func (s *Server) plain() {
	s.mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		s.json(w, http.StatusOK, map[string]string{"status": "alive"})
	})
	s.mux.HandleFunc("GET /readyz", s.ready)
	s.mux.HandleFunc("GET /api/v1/events", s.events)
	if s.Registry != nil {
		s.Registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "lianbao_readmodel_blocks", Help: "Blocks that the read model has read."},
			func() float64 { return float64(s.position(context.Background())) }),
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "lianbao_peer_blocks", Help: "Blocks that the own peer holds; what it has more than was read is the lag."}, s.peerBlocks))
		s.mux.Handle("GET /metrics", promhttp.HandlerFor(s.Registry, promhttp.HandlerOpts{}))
	}
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.write(w, s.problem("not-found", "there is nothing at "+strings.ToValidUTF8(r.URL.Path, "?")+"; the routes are in /openapi.json"))
	})
}

// Handle adds pages beside the API, such as the portal's.
func (s *Server) Handle(pattern string, handler http.Handler) { s.mux.Handle(pattern, handler) }

// OpenAPI is the description of the API as JSON.
func (s *Server) OpenAPI() ([]byte, error) { return json.MarshalIndent(s.api.OpenAPI(), "", "  ") }

func (s *Server) position(ctx context.Context) uint64 {
	position, err := s.Model.Position(ctx)
	if err != nil {
		return 0
	}
	return position.Next
}

// peerBlocks is not a number while the peer does not answer.
func (s *Server) peerBlocks() float64 {
	ctx, cancel := context.WithTimeout(context.Background(), readinessWait)
	defer cancel()
	height, err := s.Chain.Height(ctx)
	if err != nil {
		return math.NaN()
	}
	return float64(height)
}

// Trouble notes why the read model does not go on; empty when it does.
func (s *Server) Trouble(text string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.trouble = text
}

// Readiness is what /readyz says.
type Readiness struct {
	Ready bool `json:"ready"`
	// Height is the number of blocks of the peer, Read how many of them have been read.
	Height uint64 `json:"height"`
	Read   uint64 `json:"read"`
	Detail string `json:"detail,omitempty"`
}

// ready says whether requests will be answered with what the ledger holds now.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readinessWait)
	defer cancel()
	now := Readiness{Read: s.position(ctx)}
	var err error
	if now.Height, err = s.Chain.Height(ctx); err != nil {
		now.Detail = s.fail(err).Detail
	} else if now.Ready = now.Read+readinessBlocks >= now.Height; !now.Ready {
		now.Detail = "the read model is behind the peer"
	}
	s.mutex.Lock()
	if s.trouble != "" {
		now.Ready, now.Detail = false, s.trouble
	}
	s.mutex.Unlock()
	status := http.StatusOK
	if !now.Ready {
		status = http.StatusServiceUnavailable
	}
	s.json(w, status, now)
}

func (s *Server) json(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // whoever left does not read it
}
