package api

import (
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lianbao/lianbao/gateway/export/books"
)

// describe mends what the library cannot know of the API.
func describe(description *huma.OpenAPI) {
	describeEvents(description)
	describeExports(description)
	describeHarvest(description)
	describeQuarter(description)
	describeTexts(description.Components.Schemas)
	for _, path := range description.Paths {
		if path.Post == nil || !path.Post.SkipValidateBody {
			continue
		}
		path.Post.RequestBody.Content["application/json"] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeObject}}
	}
}

// describeTexts notes the whole numbers that travel as text, because they may
// be larger than every JSON reader can hold.
func describeTexts(schemas huma.Registry) {
	for name, schema := range schemas.Map() {
		kind := schemas.TypeFromRef("#/components/schemas/" + name)
		if kind == nil || kind.Kind() != reflect.Struct {
			continue
		}
		for _, field := range reflect.VisibleFields(kind) {
			name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
			if property := schema.Properties[name]; property != nil && options == "string" {
				schema.Properties[name] = &huma.Schema{Type: huma.TypeString, Pattern: "^-?[0-9]+$", Description: property.Description}
			}
		}
	}
}

// describeEvents adds the stream of entries, which is served beside the library.
func describeEvents(description *huma.OpenAPI) {
	description.AddOperation(&huma.Operation{OperationID: "get-events", Method: http.MethodGet, Path: "/api/v1/events", Tags: []string{"read"},
		Summary: "Entries as they are committed, as server-sent events; Last-Event-ID goes on where a stream ended",
		Parameters: []*huma.Param{{Name: "Last-Event-ID", In: "header", Description: "block.number of the last entry received",
			Schema: &huma.Schema{Type: huma.TypeString}}},
		Responses: map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: huma.TypeString}}}}}})
}

// describeExports adds the files that are served as they are.
func describeExports(description *huma.OpenAPI) {
	text := func(doc string, examples ...any) *huma.Schema {
		return &huma.Schema{Type: huma.TypeString, Description: doc, Examples: examples}
	}
	response := &huma.Response{Description: "The whole file", Content: map[string]*huma.MediaType{}}
	for _, kind := range []string{"application/xml", "application/json", "text/csv"} {
		response.Content[kind] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	}
	description.AddOperation(&huma.Operation{OperationID: "get-campaigns-exports", Method: http.MethodGet, Path: "/api/v1/campaigns/{account}/exports/{file}", Tags: []string{"read"},
		Summary: "A campaign's books for others: " + strings.Join(books.Standards(), ", ") + ", or a table such as gifts.csv",
		Parameters: []*huma.Param{{Name: "account", In: "path", Required: true, Schema: text("The campaign's account.", "charity:charity:invented-speech")},
			{Name: "file", In: "path", Required: true, Schema: text("One of "+strings.Join(books.Standards(), ", ")+", "+strings.Join(books.Tables(), ".csv, ")+".csv.", "iati.xml")},
			{Name: "through", In: "query", Schema: text("Last day; today in UTC when left out.", "2026-03-31")}},
		Responses: map[string]*huma.Response{"200": response}})
}
