package portal

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/login"
	"github.com/lianbao/lianbao/gateway/message"
	"github.com/lianbao/lianbao/gateway/persons"
	"github.com/lianbao/lianbao/gateway/portal/views"
	"github.com/lianbao/lianbao/gateway/readmodel"
	"github.com/lianbao/lianbao/gateway/signing"
)

// registrars are the roles that bring persons' keys and vouch for them.
var registrars = []login.Role{login.Maker, login.Checker, login.Admin}

func (p *portal) personRoutes() {
	for pattern, load := range map[string]load{"/persons": p.persons, "/persons/new": p.bringing, "/persons/{person}": p.person} {
		p.routes.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { p.answer(w, r, load) })
	}
	p.form("/persons/proof", p.act(formBytes, p.proof))
	p.form("/persons/new", p.act(formBytes, p.bring))
	p.form("/persons/draw", p.act(formBytes, p.draw))
	p.form("/persons/{person}/{act}", p.act(formBytes, p.keepKey))
	p.form("/me/consent", p.act(formBytes, p.consent))
	p.form("/me/withdraw", p.act(formBytes, p.withdraw))
}

// insiders lets in staff alone, and who has not logged in to where that is done.
func (p *portal) insiders(r *http.Request, who ...login.Role) (login.Session, string, error) {
	session := p.session(r)
	if !session.LoggedIn() {
		return session, loginTo(r, r.URL.RequestURI()), nil
	}
	return session, "", roles(session, who...)
}

// acting is who is logged in, with what it may do.
func acting(session login.Session, may map[string]bool) *views.Acting {
	return &views.Acting{Person: session.Person(), Token: session.Token(), May: may}
}

// persons is where keys are brought and vouched for.
func (p *portal) persons(r *http.Request) (views.Page, string, error) {
	session, to, err := p.insiders(r, staff...)
	if to != "" || err != nil {
		return nil, to, err
	}
	if id := tape.ID(strings.TrimSpace(r.URL.Query().Get("id"))); id != "" {
		if err := id.Check(); err != nil {
			return nil, "", rule.Field("person", err)
		}
		return nil, "/persons/" + string(id), nil
	}
	page := views.Persons{Organisation: p.Organisation, Draws: p.people.Keys != nil}
	if session.Has(registrars...) {
		page.Acting = acting(session, nil)
	}
	if page.Waiting, err = p.waiting(r.Context(), readmodel.PersonFilter{Witness: p.Organisation}); err != nil {
		return nil, "", err
	}
	if page.Brought, err = p.waiting(r.Context(), readmodel.PersonFilter{Brought: p.Organisation}); err != nil {
		return nil, "", err
	}
	if page.Hours, page.Days, err = p.periods(r.Context()); err != nil {
		return nil, "", err
	}
	page.Organisations, err = p.members(r.Context())
	return page, "", err
}

// waiting are persons whose key waits for a witness.
func (p *portal) waiting(ctx context.Context, filter readmodel.PersonFilter) ([]views.PersonRow, error) {
	list, err := p.Model.Persons(ctx, filter, readmodel.Window{Limit: listRows})
	var rows []views.PersonRow
	for _, one := range list.Items {
		if key := persons.Waiting(one.Person); key != nil {
			rows = append(rows, views.PersonRow{ID: one.ID, Organisation: one.Organisation, Key: *key, At: one.At})
		}
	}
	return rows, err
}

// periods are how long a new key waits, and how long its registrar carries nothing of it.
func (p *portal) periods(ctx context.Context) (hours, days int, err error) {
	record, err := recordOf[party.PolicyRecord](ctx, p.Model, party.PolicyKey())
	if err != nil || record == nil {
		return 0, 0, err
	}
	return int(record.Policy.Persons.KeyWaitingHours), int(record.Policy.Persons.RegistrarCarryDays), nil
}

// person is one person: staff see all, a person sees itself.
func (p *portal) person(r *http.Request) (views.Page, string, error) {
	id, err := idIn(r, "person")
	if err != nil {
		return nil, "", err
	}
	session := p.session(r)
	if session.Person() != id || !session.LoggedIn() {
		var to string
		if session, to, err = p.insiders(r, staff...); to != "" || err != nil {
			return nil, to, err
		}
	}
	person, err := p.people.Persons.Person(r.Context(), id)
	if err != nil {
		return nil, "", err
	}
	page := views.PersonPage{Person: person}
	if page.Hours, page.Days, err = p.periods(r.Context()); err != nil {
		return nil, "", err
	}
	keeps := session.Has(registrars...)
	if keeps && person.Revoked == 0 {
		page.Acting = acting(session, map[string]bool{"revoke": person.Organisation == p.Organisation, "guard": true})
		page.Named = waitsForSecond(person, p.Organisation)
	}
	page.Keys = append(page.Keys, p.keyRow(person, person.Key, keeps))
	if person.Next != nil {
		page.Keys = append(page.Keys, p.keyRow(person, *person.Next, keeps))
	}
	return page, "", nil
}

// waitsForSecond reports whether an organisation can confirm the guardian who
// was named, or its end.
func waitsForSecond(person party.Person, organisation string) bool {
	g := person.Guardian
	if g == nil {
		return false
	}
	one := g.Ending
	if g.Witness == "" {
		one = g.Registrar
	}
	return one != "" && one != organisation && (one == person.Organisation || organisation == person.Organisation)
}

// keyRow is a key, how it stands, and what staff of this organisation may do about it.
func (p *portal) keyRow(person party.Person, key party.Key, keeps bool) views.KeyRow {
	row := views.KeyRow{Key: key, State: "in-force", May: map[string]bool{}}
	now := tape.Instant(p.Now().UnixMilli())
	switch {
	case key.Suspended != 0:
		row.State = "suspended"
	case key.Witness == "":
		row.State = "waits"
	case now < key.From:
		row.State = "waiting"
	}
	if person.Next != nil && key.Address == person.Key.Address && person.Next.Witness != "" && now >= person.Next.From {
		row.State = "replaced"
	}
	if !keeps || person.Revoked != 0 || row.State == "replaced" || row.State == "suspended" {
		return row
	}
	row.May["witness"] = row.State == "waits" && persons.MayWitness(person, p.Organisation)
	first := key.Address == person.Key.Address && key.Witness == "" // has none before it: its person is revoked instead
	row.May["suspend"] = !first && slices.Contains([]string{person.Organisation, key.Registrar, key.Witness}, p.Organisation)
	return row
}

// proof takes a proof that was pasted or uploaded, and leads to where it is read.
func (p *portal) proof(r *http.Request, session login.Session) (string, error) {
	if err := roles(session, registrars...); err != nil {
		return "", err
	}
	text := strings.TrimSpace(r.PostForm.Get("proof"))
	if text == "" {
		uploaded, err := uploadedProof(r)
		if err != nil {
			return "", err
		}
		text = uploaded
	}
	proof, err := persons.ParseProof([]byte(text))
	if err != nil {
		return "", err
	}
	return bringPath(proof)
}

func uploadedProof(r *http.Request) (string, error) {
	file, _, err := r.FormFile("file")
	if err != nil {
		return "", message.Refuse(rule.Invalid, "form.empty")
	}
	text, err := io.ReadAll(io.LimitReader(file, persons.ProofBytesMax+1))
	return strings.TrimSpace(string(text)), errors.Join(err, file.Close())
}

// bringPath is the page of a proof. Nothing in it is secret: it goes to the ledger.
func bringPath(proof persons.Proof) (string, error) {
	text, err := canonical.Encode(proof)
	return "/persons/new?" + url.Values{"proof": {string(text)}}.Encode(), err
}

// bringing shows what a proof says before it goes to the ledger.
func (p *portal) bringing(r *http.Request) (views.Page, string, error) {
	session, to, err := p.insiders(r, registrars...)
	if to != "" || err != nil {
		return nil, to, err
	}
	page := views.Bring{Text: r.URL.Query().Get("proof"), Acting: acting(session, nil)}
	if page.Proof, err = persons.ParseProof([]byte(page.Text)); err != nil {
		return nil, "", err
	}
	page.Here = page.Proof.Registrar == p.Organisation
	page.Known, err = p.known(r.Context(), page.Proof.Person)
	return page, "", err
}

func (p *portal) known(ctx context.Context, id tape.ID) (bool, error) {
	_, err := p.people.Persons.Person(ctx, id)
	if rule.Is(err, rule.NotFound) {
		return false, nil
	}
	return err == nil, err
}

// bring carries a key to the ledger: a person's first, or one for another.
func (p *portal) bring(r *http.Request, session login.Session) (string, error) {
	if err := roles(session, registrars...); err != nil {
		return "", err
	}
	proof, err := persons.ParseProof([]byte(r.PostForm.Get("proof")))
	if err != nil {
		return "", err
	}
	return p.carryProof(r.Context(), proof)
}

func (p *portal) carryProof(ctx context.Context, proof persons.Proof) (string, error) {
	ledger, err := p.people.Persons.Ledger(ctx)
	if err != nil {
		return "", err
	}
	if err := proof.Check(ledger, p.Organisation); err != nil {
		return "", err
	}
	known, err := p.known(ctx, proof.Person)
	if err != nil {
		return "", err
	}
	if known {
		err = p.carryOne(ctx, "Party:Rotate", proof.Replace())
	} else {
		err = p.carryOne(ctx, "Party:Register", proof.Register())
	}
	return "/persons/" + string(proof.Person), err
}

// draw lets this gateway draw and hold a person's key. Where another
// organisation is to bring it, its proof is shown to be handed on.
func (p *portal) draw(r *http.Request, session login.Session) (string, error) {
	if err := roles(session, registrars...); err != nil {
		return "", err
	}
	if p.people.Keys == nil {
		return "", rule.Refuse(rule.Unsupported, "this gateway holds no keys")
	}
	drawing := signing.Drawing{Duty: party.Duty(r.PostForm.Get("duty")), Organisation: p.Organisation, Person: tape.ID(strings.TrimSpace(r.PostForm.Get("person"))), Registrar: r.PostForm.Get("registrar")}
	proof, err := signing.Draw(r.Context(), p.people.Keys, drawing)
	if err != nil {
		return "", err
	}
	if proof.Registrar != p.Organisation {
		return bringPath(proof)
	}
	return p.carryProof(r.Context(), proof)
}

// keepKey answers the forms of a person's keys.
func (p *portal) keepKey(r *http.Request, session login.Session) (string, error) {
	if err := roles(session, registrars...); err != nil {
		return "", err
	}
	id, err := idIn(r, "person")
	if err != nil {
		return "", err
	}
	back := "/persons/" + string(id)
	act := r.PathValue("act")
	switch act {
	case "revoke":
		return back, p.carryUnsigned(r.Context(), "Party:Revoke", persons.Revoke(id))
	case "guard":
		return back, p.guard(r, id)
	}
	var address party.Address
	if err := address.UnmarshalText([]byte(r.PostForm.Get("address"))); err != nil {
		return "", rule.Field("address", err)
	}
	switch act {
	case "witness":
		person, err := p.people.Persons.Person(r.Context(), id)
		if err != nil {
			return "", err
		}
		key := persons.Waiting(person)
		if key == nil || key.Address != address {
			return "", rule.Field("address", rule.Refuse(rule.WrongState, "%s is not a key of person %s that waits for a witness", address, id))
		}
		return back, p.carryOne(r.Context(), "Party:Witness", persons.Witness(id, *key))
	case "suspend":
		return back, p.carryUnsigned(r.Context(), "Party:Suspend", persons.Suspend(id, address))
	}
	return "", rule.Refuse(rule.NotFound, "there is no such form")
}

// guard names a guardian, confirms one, or does either half of its end.
func (p *portal) guard(r *http.Request, id tape.ID) error {
	person, err := p.people.Persons.Person(r.Context(), id)
	if err != nil {
		return err
	}
	return p.carryOne(r.Context(), "Party:Guard", persons.Guard(person, tape.ID(strings.TrimSpace(r.PostForm.Get("guardian"))), r.PostForm.Get("end") == "yes"))
}

// consent prepares a consent of who is logged in, or of whom it is the guardian.
func (p *portal) consent(r *http.Request, session login.Session) (string, error) {
	form := func(name string) string { return strings.TrimSpace(r.PostForm.Get(name)) }
	command := party.ConsentCommand{About: form("about"), Organisation: form("organisation"), Person: tape.ID(form("person")), Purpose: form("purpose"), Until: tape.Date(form("until"))}
	before, err := p.consented(r.Context(), command.Person, command.Organisation, command.Purpose, command.About)
	if err != nil {
		return "", err
	}
	command.ID = p.people.Drafts.OwnID("consent", string(session.Person()), string(command.Person), command.Organisation, command.Purpose, command.About, string(command.Until), before)
	return p.prepare(r, session, signing.Request{Function: "Party:Consent", Command: command})
}

// withdraw prepares the taking back of one.
func (p *portal) withdraw(r *http.Request, session login.Session) (string, error) {
	form := r.PostForm.Get
	command := party.WithdrawCommand{About: form("about"), Organisation: form("organisation"), Person: tape.ID(form("person")), Purpose: form("purpose")}
	before, err := p.consented(r.Context(), command.Person, command.Organisation, command.Purpose, command.About)
	if err != nil {
		return "", err
	}
	command.ID = p.people.Drafts.OwnID("withdraw", string(session.Person()), string(command.Person), command.Organisation, command.Purpose, command.About, before)
	return p.prepare(r, session, signing.Request{Function: "Party:WithdrawConsent", Command: command})
}

// consented is the entry by which a consent stands as it does; empty for none.
func (p *portal) consented(ctx context.Context, person tape.ID, organisation, purpose, about string) (string, error) {
	known, err := recordOf[party.Consent](ctx, p.Model, party.ConsentKey(person, organisation, purpose, about))
	if err != nil || known == nil {
		return "", err
	}
	return known.Entry + known.Withdrawal, nil
}

// carryUnsigned carries a command that a person could sign, for the
// organisation that stands for it: with no intent.
func (p *portal) carryUnsigned(ctx context.Context, function string, command any) error {
	encoded, err := canonical.Encode(command)
	if err != nil {
		return err
	}
	argument, err := signing.Envelope(encoded)
	if err != nil {
		return err
	}
	return p.carry(ctx, carried{function, argument})
}
