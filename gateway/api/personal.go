package api

import (
	"encoding/json"
	"io"
	"net/http"

	"github.com/lianbao/lianbao/chaincode/dossier"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/fingerprint"
	"github.com/lianbao/lianbao/gateway/personal"
)

// personalRoutes keep, show and purge what is known about people. Every one of
// them needs the organisation's token, and no answer is kept anywhere.
func (s *Server) personalRoutes() {
	for pattern, handler := range map[string]func(http.ResponseWriter, *http.Request) (any, error){
		"POST /api/v1/personal":                         s.keepPersonal,
		"GET /api/v1/personal":                          s.findPersonal,
		"POST /api/v1/fingerprints":                     s.fingerprint,
		"GET /api/v1/personal/{collection}/{record}":    s.showPersonal,
		"DELETE /api/v1/personal/{collection}/{record}": s.purgePersonal,
	} {
		s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "no-store")
			if !s.admits(w, r, "personal data is for the organisation's own programs; send a token as Authorization: Bearer") {
				return
			}
			answer, err := handler(w, r)
			if err != nil {
				s.write(w, s.fail(err))
				return
			}
			s.json(w, http.StatusOK, answer)
		})
	}
}

// keepPersonal reads strictly, and says where a body is wrong without repeating it.
func (s *Server) keepPersonal(w http.ResponseWriter, r *http.Request) (any, error) {
	var entry personal.Entry
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4*dossier.ValueBytesMax))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&entry); err != nil {
		return nil, rule.Refuse(rule.Invalid, "the body is not {class, fields, collection?, keepUntil?, record?, replaces?} in JSON, or is too long")
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, rule.Refuse(rule.Invalid, "something stands behind the body")
	}
	return s.Personal.Keep(r.Context(), entry)
}

// Holding is a value about a payee, as the API shows it.
type Holding struct {
	personal.Kept
	// Keeper is the organisation that keeps it, and alone can purge it.
	Keeper string         `json:"keeper"`
	Fields dossier.Fields `json:"fields"`
}

// fingerprint computes what may stand on the ledger of the number of a payee's
// bank account or device.
func (s *Server) fingerprint(w http.ResponseWriter, r *http.Request) (any, error) {
	var asked struct {
		Campaign tape.AccountID   `json:"campaign"`
		Kind     fingerprint.Kind `json:"kind"`
		Number   string           `json:"number"`
	}
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, dossier.ValueBytesMax))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&asked); err != nil || asked.Campaign.Check() != nil {
		return nil, rule.Refuse(rule.Invalid, "the body is not {campaign, kind, number} in JSON")
	}
	found, err := s.Fingerprints.Fingerprint(r.Context(), asked.Campaign, asked.Kind, asked.Number)
	return struct {
		Fingerprint string `json:"fingerprint"`
	}{found}, err
}

// findPersonal shows what is kept about one payee at collections of which this
// organisation is a member.
func (s *Server) findPersonal(_ http.ResponseWriter, r *http.Request) (any, error) {
	payee := tape.AccountID(r.URL.Query().Get("payee"))
	if payee.Check() != nil {
		return nil, rule.Field("payee", rule.Refuse(rule.Invalid, "is not the ledger's name of a payee"))
	}
	found, err := s.Personal.Of(r.Context(), payee)
	list := []Holding{}
	for _, h := range found[payee] {
		list = append(list, Holding(h))
	}
	return struct {
		Items []Holding `json:"items"`
	}{list}, err
}

func (s *Server) showPersonal(_ http.ResponseWriter, r *http.Request) (any, error) {
	value, err := s.Personal.Show(r.Context(), dossier.Collection(r.PathValue("collection")), dossier.Pseudonym(r.PathValue("record")))
	if err != nil {
		return nil, err
	}
	return struct {
		Class  dossier.Class  `json:"class"`
		Fields dossier.Fields `json:"fields"`
	}{value.Class, value.Fields}, nil
}

func (s *Server) purgePersonal(_ http.ResponseWriter, r *http.Request) (any, error) {
	block, err := s.Personal.Purge(r.Context(), dossier.Collection(r.PathValue("collection")), dossier.Pseudonym(r.PathValue("record")), dossier.Reason(r.URL.Query().Get("reason")))
	return struct {
		Block uint64 `json:"block"`
	}{block}, err
}
