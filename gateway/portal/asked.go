package portal

import (
	"net/http"
	"strconv"
	"unicode/utf8"

	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/gateway/readmodel"
)

// What addresses name is judged before anything is read.

func accountIn(r *http.Request) (tape.AccountID, error) {
	id := tape.AccountID(r.PathValue("account"))
	return id, rule.Field("account", id.Check())
}

func idIn(r *http.Request, name string) (tape.ID, error) {
	id := tape.ID(r.PathValue(name))
	return id, rule.Field(name, id.Check())
}

// optionalID is a filter that may be left out.
func optionalID(r *http.Request, name string) (tape.ID, error) {
	id := tape.ID(r.FormValue(name))
	if id == "" {
		return "", nil
	}
	return id, rule.Field(name, id.Check())
}

func optionalAccount(r *http.Request, name string) (tape.AccountID, error) {
	id := tape.AccountID(r.FormValue(name))
	if id == "" {
		return "", nil
	}
	return id, rule.Field(name, id.Check())
}

// textIn is a filter that is compared as it is.
func textIn(r *http.Request, name string) (string, error) {
	text := r.FormValue(name)
	if !utf8.ValidString(text) || utf8.RuneCountInString(text) > searchRunesMax {
		return "", rule.Field(name, rule.Refuse(rule.Invalid, "is longer than %d characters, or no text", searchRunesMax))
	}
	return text, nil
}

func spanIn(r *http.Request) (tape.Span, error) {
	var span tape.Span
	err := span.UnmarshalText([]byte(r.FormValue("span")))
	return span, rule.Field("span", err)
}

func numberIn(r *http.Request, name string) (uint64, error) {
	number, err := blockNumber(r.PathValue(name))
	return number, rule.Field(name, err)
}

func blockNumber(text string) (uint64, error) {
	number, err := strconv.ParseUint(text, 10, 31)
	if err != nil || strconv.FormatUint(number, 10) != text {
		return 0, rule.Refuse(rule.Invalid, "is not a block's number")
	}
	return number, nil
}

// window is one part of a list.
func window(r *http.Request, limit int, newest bool) readmodel.Window {
	return readmodel.Window{After: r.FormValue("after"), Limit: limit, Newest: newest}
}
