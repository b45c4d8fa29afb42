package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lianbao/lianbao/chaincode/harvest"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/export/epcis"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// The records under names that tell them apart in the API's description.
type (
	HarvestTerms harvest.Terms
	HarvestLot   harvest.Lot
	HarvestStep  harvest.Step
	HarvestMove  harvest.Move
	HarvestSale  harvest.Sale
	HarvestPage  harvest.Page
)

// harvestReads show a scheme's harvest: what is agreed, lots, steps, moves and
// sales as they stand, and whose the grams of a lot or a sale are.
func (s *Server) harvestReads() {
	get(s, "/api/v1/schemes/{account}/harvest", "What is agreed about a scheme's harvest: forms, grades, processes, stores", func(ctx context.Context, in *struct {
		Reading
		Account string `path:"account"`
	}) (HarvestTerms, error) {
		if err := rule.Field("account", tape.AccountID(in.Account).Check()); err != nil {
			return HarvestTerms{}, err
		}
		return readmodel.RecordOf[HarvestTerms](ctx, s.Model, harvest.TermsKey(tape.AccountID(in.Account)))
	})
	schemeReads[HarvestLot](s, "lots", "lot", "Lots of a scheme: form, grade, grams, whose, where")
	schemeReads[HarvestStep](s, "steps", "step", "How lots became others: what went in, what came out, what was lost")
	schemeReads[HarvestMove](s, "moves", "move", "Shipments and arrivals of lots")
	schemeReads[HarvestSale](s, "sales", "sale", "Sales of a scheme: lots, price, proceeds, costs, net")
	shareReads(s, "lots", "composition", "Whose the grams of a lot of several households are")
	shareReads(s, "sales", "share", "Whose the grams of a sale were")
	s.mux.HandleFunc("GET /api/v1/schemes/{account}/exports/epcis.jsonld", s.harvest)
}

// schemeReads reads the records of one kind of a scheme.
func schemeReads[R any](s *Server, name, prefix, about string) {
	get(s, "/api/v1/schemes/{account}/"+name, about, func(ctx context.Context, in *OfAccount) (readmodel.List[R], error) {
		if err := rule.Field("account", tape.AccountID(in.Account).Check()); err != nil {
			return readmodel.List[R]{}, err
		}
		return readmodel.RecordsOf[R](ctx, s.Model, prefix+"/"+in.Account+"/", in.window())
	})
}

// shareReads reads the pages of a lot or a sale, each of 200 households.
func shareReads(s *Server, name, prefix, about string) {
	get(s, "/api/v1/schemes/{account}/"+name+"/{id}/households", about, func(ctx context.Context, in *struct {
		OfAccount
		ID string `path:"id"`
	}) (readmodel.List[HarvestPage], error) {
		if err := rule.First(rule.Field("account", tape.AccountID(in.Account).Check()), rule.Field("id", tape.ID(in.ID).Check())); err != nil {
			return readmodel.List[HarvestPage]{}, err
		}
		return readmodel.RecordsOf[HarvestPage](ctx, s.Model, prefix+"/"+in.Account+"/"+in.ID+"/", in.window())
	})
}

// harvest answers with the events of a scheme's harvest. Its lots are named under the query's base, or
// by its gtin, written form/grade=number, as often as there are; households=true names households by pseudonym.
func (s *Server) harvest(w http.ResponseWriter, r *http.Request) {
	account, query := tape.AccountID(r.PathValue("account")), r.URL.Query()
	document := epcis.Document{Base: query.Get("base"), Created: tape.Instant(time.Now().UnixMilli()), Households: query.Get("households") == "true"}
	if err := rule.Field("households", rule.OneOf(query.Get("households"), "", "false", "true")); err != nil {
		s.write(w, s.fail(err))
		return
	}
	for i, text := range query["gtin"] {
		product, err := epcis.ParseProduct(text)
		if err != nil {
			s.write(w, s.fail(rule.Item("gtin", i, err)))
			return
		}
		document.Products = append(document.Products, product)
	}
	if err := document.Check(); err != nil {
		s.write(w, s.fail(err))
		return
	}
	document, err := document.Read(r.Context(), s.Model, account)
	if err != nil {
		s.write(w, s.fail(err))
		return
	}
	s.file(w, r, account, "epcis.jsonld", "application/ld+json", document.Write)
}

// describeHarvest adds the file, which is served beside the library.
func describeHarvest(description *huma.OpenAPI) {
	text := func(doc string, examples ...any) *huma.Schema {
		return &huma.Schema{Type: huma.TypeString, Description: doc, Examples: examples}
	}
	description.AddOperation(&huma.Operation{OperationID: "get-schemes-exports-epcis", Method: http.MethodGet, Path: "/api/v1/schemes/{account}/exports/epcis.jsonld", Tags: []string{"read"},
		Summary: "A scheme's harvest as events of EPCIS 2.0",
		Parameters: []*huma.Param{{Name: "account", In: "path", Required: true, Schema: text("The scheme's account.", "coop:coop:coffee")},
			{Name: "base", In: "query", Required: true, Schema: text("The address under which lots are named; it ends with a slash.", "https://coop.example/trace/")},
			{Name: "gtin", In: "query", Schema: text("The trade item number of a form and grade; may be repeated.", "green/a=04012345111118")},
			{Name: "households", In: "query", Schema: text("true names households by their pseudonyms.", "true")}},
		Responses: map[string]*huma.Response{"200": {Description: "The whole file", Content: map[string]*huma.MediaType{"application/ld+json": {Schema: &huma.Schema{Type: huma.TypeString}}}}}})
}
