package signing

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/persons"
)

// DrawPattern is where a server puts Draws.
const DrawPattern = "POST /people/keys"

// Drawer draws keys that the gateway holds, as keyring.Keyring does.
type Drawer interface {
	Draw(ctx context.Context, possession party.Possession) (party.Possession, party.Signature, error)
}

// Drawing asks for a key that the gateway holds for a person, and for its proof.
type Drawing struct {
	Duty         party.Duty `json:"duty"`
	Organisation string     `json:"organisation"`
	Person       tape.ID    `json:"person"`
	// Registrar is the organisation that will bring the key.
	Registrar string `json:"registrar"`
}

// Check refuses a malformed drawing.
func (d Drawing) Check() error {
	if err := d.Duty.Check(); err != nil {
		return err
	}
	if err := d.Person.Check(); err != nil {
		return rule.Field("person", err)
	}
	if err := tape.CheckSegment(d.Organisation); err != nil {
		return rule.Field("organisation", err)
	}
	return rule.Field("registrar", tape.CheckSegment(d.Registrar))
}

// Draw draws the key, or takes the one up that was drawn before: its proof for
// another registrar is made anew.
func Draw(ctx context.Context, keys Drawer, d Drawing) (persons.Proof, error) {
	if err := d.Check(); err != nil {
		return persons.Proof{}, err
	}
	possession, signature, err := keys.Draw(ctx, party.Possession{Person: d.Person, Duty: d.Duty, Organisation: d.Organisation, Registrar: d.Registrar})
	return persons.Of(possession, signature), err
}

// Draws answers the organisation's own programs: a key is drawn with the
// organisation's token alone, never for a stranger.
type Draws struct {
	Organisation string
	Keys         Drawer
	Token        string
	Log          *slog.Logger
}

// ServeHTTP implements http.Handler.
func (d Draws) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	given, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	expected, got := sha256.Sum256([]byte(d.Token)), sha256.Sum256([]byte(given))
	door := &Door{Organisation: d.Organisation, Log: d.Log}
	if !bearer || subtle.ConstantTimeCompare(expected[:], got[:]) != 1 {
		w.Header().Set("WWW-Authenticate", "Bearer")
		door.refuse(w, rule.Refuse(rule.Forbidden, "keys are drawn for the organisation's own programs; send its token as Authorization: Bearer"))
		return
	}
	proof, err := d.draw(w, r)
	if err != nil {
		door.refuse(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(proof) // whoever left does not read it
}

func (d Draws) draw(w http.ResponseWriter, r *http.Request) (persons.Proof, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, IntentBytesMax))
	if err != nil {
		return persons.Proof{}, err
	}
	var drawing Drawing
	if err := canonical.Decode(body, &drawing); err != nil {
		return persons.Proof{}, err
	}
	return Draw(r.Context(), d.Keys, drawing)
}
