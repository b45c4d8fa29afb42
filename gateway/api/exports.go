package api

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/export/books"
	"github.com/lianbao/lianbao/gateway/order"
)

// exportRoutes hand out a campaign's books in the forms that others read.
func (s *Server) exportRoutes() {
	s.mux.HandleFunc("GET /api/v1/campaigns/{account}/exports/{file}", s.export)
	s.mux.HandleFunc("GET /api/v1/campaigns/{account}/orders.csv", func(w http.ResponseWriter, r *http.Request) {
		account := tape.AccountID(r.PathValue("account"))
		s.file(w, r, account, "orders-for-the-bank.csv", "text/csv; charset=utf-8", func(out io.Writer) error {
			_, err := order.Write(r.Context(), out, s.Model, account, tape.ID(r.URL.Query().Get("disbursement")))
			return err
		})
	})
	get(s, "/api/v1/campaigns/{account}/reconciliation", "Whether bank, chain and export agree", func(ctx context.Context, in *struct {
		Reading
		Account string `path:"account"`
		Through string `query:"through" doc:"Last day; today in UTC when left out." example:"2026-03-31"`
	}) (books.Reconciliation, error) {
		return s.Exports.Reconcile(ctx, tape.AccountID(in.Account), cut(in.Through))
	})
}

func cut(through string) books.Cut {
	return books.Cut{Generated: tape.Instant(time.Now().UnixMilli()), Through: tape.Date(through)}
}

// export answers with iati.xml, 360giving.json, or a table such as gifts.csv.
func (s *Server) export(w http.ResponseWriter, r *http.Request) {
	account, name := tape.AccountID(r.PathValue("account")), r.PathValue("file")
	kind, write := s.exporter(r.Context(), account, name, cut(r.URL.Query().Get("through")))
	if write == nil {
		s.write(w, s.fail(rule.Refuse(rule.NotFound, "%.60q is no export; there are iati.xml, 360giving.json and %s.csv", name, strings.Join(books.Tables(), ".csv, "))))
		return
	}
	s.file(w, r, account, name, kind, write)
}

// file answers with a file.
func (s *Server) file(w http.ResponseWriter, r *http.Request, account tape.AccountID, name, kind string, write func(io.Writer) error) {
	// An export is made whole before a byte of it is sent: what breaks off would look complete.
	file, err := os.CreateTemp("", "lianbao-export-*")
	if err != nil {
		s.write(w, s.fail(err))
		return
	}
	defer func() { _ = errors.Join(file.Close(), os.Remove(file.Name())) }()
	out := bufio.NewWriter(file)
	if err := errors.Join(write(out), out.Flush()); err != nil {
		s.write(w, s.fail(err))
		return
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", `attachment; filename="`+strings.ReplaceAll(string(account), ":", "-")+"-"+name+`"`)
	http.ServeContent(w, r, "", time.Time{}, file)
}

func (s *Server) exporter(ctx context.Context, account tape.AccountID, name string, cut books.Cut) (kind string, write func(io.Writer) error) {
	switch table, isTable := strings.CutSuffix(name, ".csv"); {
	case name == "iati.xml":
		return "application/xml", func(w io.Writer) error {
			return s.Exports.WriteActivities(ctx, w, []tape.AccountID{account}, cut)
		}
	case name == "360giving.json":
		return "application/json", func(w io.Writer) error { return s.Exports.WriteGrants(ctx, w, account, cut) }
	case isTable:
		for _, known := range books.Tables() {
			if known == table {
				return "text/csv; charset=utf-8", func(w io.Writer) error {
					_, err := s.Exports.WriteTable(ctx, w, account, table, cut, books.TableOptions{})
					return err
				}
			}
		}
	}
	return "", nil
}
