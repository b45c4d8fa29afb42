package login

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/login/challenge"
	"github.com/lianbao/lianbao/gateway/message"
)

// Limits of what is remembered. Sessions live in memory: a gateway that starts
// again asks everybody to log in again.
const (
	strangerLife = 15 * time.Minute // of a session before login
	strangersMax = 20_000
	pendingMax   = 8 // logins under way in one session
	sweepEvery   = time.Minute
)

// record is one session. The sessions' mutex guards all of it.
type record struct {
	key      [32]byte // SHA-256 of its id: what is in memory is no cookie
	token    string
	person   tape.ID
	roles    []Role
	by       string
	begun    time.Time
	used     time.Time
	ended    bool
	loggedIn bool

	flows      map[string]flow // by state
	challenges []challenge.Challenge
}

// Session is somebody at a browser: a stranger, or who logged in. The zero
// value is nobody. Sessions are made by Desk alone, so that whoever holds one
// with a person knows that this person has proved itself.
type Session struct {
	of     *sessions
	record *record
}

// Person is who logged in; empty for a stranger, and for staff without a
// person of the ledger, such as auditors.
func (s Session) Person() tape.ID {
	var person tape.ID
	s.read(func(r *record) { person = r.person })
	return person
}

// LoggedIn reports whether somebody has, and the session has not ended since.
func (s Session) LoggedIn() bool {
	in := false
	s.read(func(r *record) { in = r.loggedIn })
	return in
}

// Has reports whether who logged in has one of the roles.
func (s Session) Has(roles ...Role) bool {
	has := false
	s.read(func(r *record) {
		has = slices.ContainsFunc(roles, func(role Role) bool { return slices.Contains(r.roles, role) })
	})
	return has
}

// Roles are those of who logged in.
func (s Session) Roles() []Role {
	var roles []Role
	s.read(func(r *record) { roles = slices.Clone(r.roles) })
	return roles
}

// By says how somebody logged in: "key", or "issuer " and its name.
func (s Session) By() string {
	by := ""
	s.read(func(r *record) { by = r.by })
	return by
}

// Token goes into every form of this session, as the field FormToken.
func (s Session) Token() string {
	token := ""
	s.read(func(r *record) { token = r.token })
	return token
}

// read looks into a session that has not ended.
func (s Session) read(look func(*record)) {
	if s.of == nil {
		return
	}
	s.of.mutex.Lock()
	defer s.of.mutex.Unlock()
	if !s.of.over(s.record, s.of.clock()) {
		look(s.record)
	}
}

// FormToken is the name of the field that carries Session.Token.
const FormToken = "form-token"

// CheckForm reads a posted form, and refuses one that is too long or that did
// not come from a page of this session: another site can make a browser send a
// form, but cannot read the token.
func (s Session) CheckForm(w http.ResponseWriter, r *http.Request, bytesMax int64) error {
	if r.Method != http.MethodPost {
		return message.Refuse(rule.Invalid, "form.method")
	}
	if http.NewCrossOriginProtection().Check(r) != nil {
		return message.Refuse(rule.Forbidden, "form.foreign")
	}
	r.Body = http.MaxBytesReader(w, r.Body, bytesMax)
	var err error
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		err = r.ParseMultipartForm(bytesMax)
	} else {
		err = r.ParseForm()
	}
	if err != nil {
		return message.Refuse(rule.Invalid, "form.unread")
	}
	want, sent := s.Token(), r.PostForm[FormToken]
	if want == "" || len(sent) != 1 || subtle.ConstantTimeCompare([]byte(want), []byte(sent[0])) != 1 {
		return message.Refuse(rule.Forbidden, "form.foreign")
	}
	return nil
}

// sessions are those of one gateway.
type sessions struct {
	idle, absolute time.Duration
	clock          func() time.Time

	mutex     sync.Mutex
	all       map[[32]byte]*record
	strangers int
	swept     time.Time
}

func secret() string {
	var bits [32]byte
	_, _ = rand.Read(bits[:]) // it never fails: the program ends before
	return base64.RawURLEncoding.EncodeToString(bits[:])
}

// over reports whether a session has ended. The caller holds the mutex.
func (s *sessions) over(r *record, now time.Time) bool {
	if r.ended || !r.loggedIn {
		return r.ended || now.Sub(r.begun) >= strangerLife
	}
	return now.Sub(r.used) >= s.idle || now.Sub(r.begun) >= s.absolute
}

// find returns the session of a cookie and marks it as used.
func (s *sessions) find(id string) (Session, bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	now := s.clock()
	found := s.all[sha256.Sum256([]byte(id))]
	if found == nil {
		return Session{}, false
	}
	if s.over(found, now) {
		s.end(found)
		return Session{}, false
	}
	found.used = now
	return Session{s, found}, true
}

// begin makes a session and returns its id, for the cookie alone. fill says who it is.
func (s *sessions) begin(fill func(*record)) (Session, string, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	now := s.clock()
	s.sweep(now)
	id := secret()
	r := &record{key: sha256.Sum256([]byte(id)), token: secret(), begun: now, used: now, flows: map[string]flow{}}
	fill(r)
	if !r.loggedIn {
		if s.strangers >= strangersMax {
			return Session{}, "", message.Refuse(rule.WrongState, "login.busy")
		}
		s.strangers++
	}
	s.all[r.key] = r
	return Session{s, r}, id, nil
}

// end forgets a session. The caller holds the mutex.
func (s *sessions) end(r *record) {
	if s.all[r.key] == r {
		delete(s.all, r.key)
		if !r.loggedIn {
			s.strangers--
		}
	}
	r.ended = true
}

// close ends a session.
func (s *sessions) close(session Session) {
	if session.record == nil {
		return
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.end(session.record)
}

// sweep forgets what has ended by the clock, now and then. The caller holds the mutex.
func (s *sessions) sweep(now time.Time) {
	if now.Sub(s.swept) < sweepEvery {
		return
	}
	s.swept = now
	for _, r := range s.all {
		if s.over(r, now) {
			s.end(r)
		}
	}
}

// closeAll ends every session of a person, such as when its key was revoked.
func (s *sessions) closeAll(person tape.ID) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, r := range s.all {
		if r.person == person && r.loggedIn {
			s.end(r)
		}
	}
}

// ask draws a challenge that only this session can answer.
func (s Session) ask(ledger party.LedgerID, origin string, until time.Time) (challenge.Challenge, error) {
	c := challenge.Challenge{Ledger: ledger, Origin: origin, Deadline: tape.Instant(until.Unix() * 1000)}
	_, _ = rand.Read(c.Nonce[:])
	asked := false
	s.read(func(r *record) {
		if len(r.challenges) == pendingMax {
			r.challenges = r.challenges[1:]
		}
		r.challenges = append(r.challenges, c)
		asked = true
	})
	if !asked {
		return c, message.Refuse(rule.Expired, "login.expired")
	}
	return c, nil
}

// answered takes a challenge away: it is answered once, rightly or not.
func (s Session) answered(nonce challenge.Nonce) (challenge.Challenge, bool) {
	var found challenge.Challenge
	known := false
	s.read(func(r *record) {
		for i, c := range r.challenges {
			if c.Nonce == nonce {
				found, known = c, true
				r.challenges = slices.Delete(r.challenges, i, i+1)
				return
			}
		}
	})
	return found, known
}
