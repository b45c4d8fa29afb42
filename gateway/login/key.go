package login

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/login/challenge"
	"github.com/lianbao/lianbao/gateway/message"
	"github.com/lianbao/lianbao/gateway/persons"
	"github.com/lianbao/lianbao/gateway/wallet"
)

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

// limited is what was typed, cut to what an id can be.
func limited(typed string) string {
	if len(typed) > tape.IDMax || !utf8.ValidString(typed) {
		return ""
	}
	return typed
}

// proveKey logs a person in whose key has signed the challenge.
func (d *Desk) proveKey(w http.ResponseWriter, r *http.Request) {
	session := d.Session(r)
	if session.record == nil {
		d.again(w, r, http.StatusGone, message.Refuse(rule.Expired, "login.expired"), "/")
		return
	}
	if err := session.CheckForm(w, r, formBytesMax); err != nil {
		d.refuse(w, r, err)
		return
	}
	back, err := localPath(r.PostForm.Get("return"))
	if err != nil {
		d.refuse(w, r, err)
		return
	}
	person := tape.ID(strings.TrimSpace(r.PostForm.Get("person")))
	if err := d.mayTry(r, person); err != nil {
		d.refuse(w, r, err)
		return
	}
	if err := d.judgeKey(r.Context(), session, person, r.PostForm.Get("nonce"), r.PostForm.Get("signature")); err != nil {
		d.again(w, r, http.StatusForbidden, err, back)
		return
	}
	d.admit(w, r, d.keyMember(person), "key", back)
}

// mayTry slows down who tries often, by where it comes from and by whom it claims to be.
func (d *Desk) mayTry(r *http.Request, person tape.ID) error {
	if wait := d.fromAddress.Take(d.Address(r)); wait > 0 {
		return slow(wait)
	}
	if person.Check() != nil {
		return nil // it will be refused, and names nobody
	}
	if wait := d.forPerson.Take(string(person)); wait > 0 {
		return slow(wait)
	}
	return nil
}

// judgeKey refuses whatever is not the signature of the person's key in force
// over a challenge of this session that is neither old nor used.
func (d *Desk) judgeKey(ctx context.Context, session Session, person tape.ID, nonceText, signatureText string) error {
	nonce, err := challenge.ParseNonce(nonceText)
	if err != nil {
		return message.Refuse(rule.Invalid, "login.challenge")
	}
	asked, known := session.answered(nonce)
	if !known {
		return message.Refuse(rule.Expired, "login.challenge")
	}
	now := tape.Instant(d.Clock().UnixMilli())
	if now > asked.Deadline {
		return message.Refuse(rule.Expired, "login.late")
	}
	signature, err := wallet.ParseSignature(signatureText)
	if err != nil {
		return message.Refuse(rule.Invalid, "login.signature-spelling")
	}
	found, err := d.Persons.Person(ctx, person)
	if err != nil {
		return err
	}
	key, err := persons.InForce(found, now)
	if err != nil {
		return err
	}
	signer, err := signature.Recover(asked.Digest())
	if err != nil || signer != key.Address {
		return message.Refuse(rule.Forbidden, "login.signature", "Person", string(person), "Address", key.Address.String())
	}
	return nil
}

// keyMember gives a person the roles that the settings name.
func (d *Desk) keyMember(person tape.ID) Member {
	for _, member := range d.Keys {
		if member.Person == person {
			return member
		}
	}
	return Member{Person: person}
}
