package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"golang.org/x/sync/errgroup"

	"github.com/lianbao/lianbao/chaincode/dossier"
	"github.com/lianbao/lianbao/chaincode/money"
	"github.com/lianbao/lianbao/chaincode/tape"
	"github.com/lianbao/lianbao/cmd/lianbao/speak"
	"github.com/lianbao/lianbao/gateway/api"
	"github.com/lianbao/lianbao/gateway/personal"
)

const (
	inventedPeople = 1000
	atOnce         = 24
	shownAccount   = tape.AccountID("charity:charity:canary")
	// canary is a public name: the search has to find it wherever the ledger's facts stand.
	canary = tape.ID("canary-4d1e7b92c05f-public")
)

// invented is somebody who does not exist.
type invented struct {
	fields dossier.Fields
	kept   personal.Kept
}

func people() []invented {
	all := make([]invented, inventedPeople)
	for i := range all {
		all[i].fields = dossier.Fields{Name: fmt.Sprintf("欧阳虚构%s Nobodyname-%04d-Fictitia", string(rune('一'+i*7)), i), IDNumber: fmt.Sprintf("ZZ9900%010dX", i*7919+13),
			Phone: fmt.Sprintf("+000 77%09d", i*104729+17), Village: fmt.Sprintf("杜撰村%s%04d", string(rune('丁'+i*5)), i), Payee: tape.AccountID(fmt.Sprintf("outside:household:%s", payeeName(i)))}
	}
	return all
}

func payeeName(i int) string {
	var bits [16]byte
	binary.BigEndian.PutUint64(bits[:], uint64(i)*0x9e3779b97f4a7c15)
	binary.BigEndian.PutUint64(bits[8:], uint64(i+1)*0xbf58476d1ce4e5b9)
	return string(tape.PseudonymOf(bits))
}

// TestAThousandNames takes a thousand invented people through the gateways of
// a real network, also in wrong places, stops it, and looks for them in every
// file that any organisation has. Only the private stores of the members hold
// them. Then what is purged on request is shown by nobody.
func TestAThousandNames(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a network; left out with -short")
	}
	y := typist{t, filepath.Join(t.TempDir(), "network")}
	y.types(0, nil, "up", "--empty", "--detach")
	defer y.types(0, nil, "down")
	all := people()
	y.keeps(all)
	y.misplaces(all)
	y.shows(all[0], true)
	y.types(0, nil, "stop")
	y.searches(all)
	y.types(0, nil, "start", "--detach")
	for _, person := range all[:3] {
		var done struct{}
		if err := y.gateway("charity").Own(t.Context(), http.MethodDelete, "/personal/charity-bank/"+string(person.kept.Record)+"?reason=requested", nil, &done); err != nil {
			t.Fatal(err)
		}
		y.shows(person, false)
	}
}

// keeps takes everybody in, and puts a public name beside them that must be found.
func (y typist) keeps(all []invented) {
	y.Helper()
	gateway := y.gateway("charity")
	open := tape.Open{Account: shownAccount, Attribution: tape.FIFO, Currency: "CNY", Custodian: "outside:bank:canary", ID: canary}
	if _, err := gateway.SendRecord(y.Context(), "Tape:Open", open); err != nil {
		y.Fatal(err)
	}
	work, working := errgroup.WithContext(y.Context())
	work.SetLimit(atOnce)
	for i := range all {
		work.Go(func() error {
			entry := personal.Entry{Class: dossier.Household, Collection: "charity-bank", Fields: all[i].fields}
			if err := gateway.Own(working, http.MethodPost, "/personal", entry, &all[i].kept); err != nil {
				return err
			}
			if i%5 > 0 {
				return nil
			}
			_, err := gateway.Announce(working, "", shownAccount, money.New(int64(100+i), "CNY"), speak.Giver{Name: fmt.Sprintf("Nobodyname-%04d-Fictitia", i), Waived: i%10 == 0})
			return err
		})
	}
	if err := work.Wait(); err != nil {
		y.Fatal(err)
	}
}

// misplaces sends what is private where it does not belong: each is refused.
func (y typist) misplaces(all []invented) {
	y.Helper()
	for i, person := range all {
		if i%20 > 0 {
			continue
		}
		f, base := person.fields, y.gateway([]string{"charity", "bank", "coop"}[i%3]).Address()
		for _, path := range []string{"/api/v1/gifts/" + url.PathEscape(f.Name), "/api/v1/accounts/" + url.PathEscape(f.Village), "/en/search?q=" + url.QueryEscape(f.Name),
			"/zh-CN/accounts/" + url.PathEscape(f.Name), "/api/v1/personal?payee=" + url.QueryEscape(f.Name)} {
			y.asks(http.MethodGet, base+path, "", "")
		}
		command, err := json.Marshal(map[string]any{"account": f.Name, "attribution": "fifo", "currency": "CNY", "custodian": f.Village, "id": f.Name})
		if err != nil {
			y.Fatal(err)
		}
		y.asks(http.MethodPost, base+"/api/v1/commands/Tape/Open", "application/json", string(command))
		y.asks(http.MethodPost, base+"/api/v1/personal", "application/json", `{"class":"`+f.Name+`","fields":{"`+f.Village+`":"`+f.Phone+`"}}`)
		y.asks(http.MethodPost, base+"/en/give", "application/x-www-form-urlencoded", url.Values{"account": {f.Name}, "amount": {f.Phone}, "name": {f.Name}}.Encode())
		y.asks(http.MethodPost, base+"/en/login/key", "application/x-www-form-urlencoded", url.Values{"person": {f.Name}, "nonce": {f.IDNumber}}.Encode())
	}
	for _, command := range [][]string{{"trace", all[1].fields.Name}, {"personal", "of", all[2].fields.Name}} {
		var out, errs bytes.Buffer
		if code := run(append(append([]string{"lianbao"}, command...), "--json", "--dir", y.folder), &out, &errs); code == 0 {
			y.Errorf("%s takes a name: %s", command[0], out.String())
		}
	}
}

// asks sends one request that is to be refused, with the gateway's own token.
func (y typist) asks(method, address, kind, body string) {
	y.Helper()
	request, err := http.NewRequestWithContext(y.Context(), method, address, strings.NewReader(body))
	if err != nil {
		y.Fatal(err)
	}
	if kind != "" {
		request.Header.Set("Content-Type", kind)
	}
	connections, err := y.network().Connections()
	if err != nil {
		y.Fatal(err)
	}
	for _, c := range connections {
		if strings.HasPrefix(address, c.URL) {
			token, err := os.ReadFile(c.Token)
			if err != nil {
				y.Fatal(err)
			}
			request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
		}
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		y.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		y.Error(err)
	}
	if response.StatusCode >= http.StatusInternalServerError && response.StatusCode != http.StatusNotImplemented {
		y.Errorf("%s %s answers %s", method, strings.SplitN(address, "?", 2)[0][:40], response.Status)
	}
}

// shows asks every organisation for one person: members show it while it is kept, others never.
func (y typist) shows(person invented, kept bool) {
	y.Helper()
	for _, organisation := range []string{"charity", "bank", "coop", "insurer", "regulator"} {
		var shown struct {
			Fields dossier.Fields `json:"fields"`
		}
		gateway := y.gateway(organisation)
		err := gateway.Own(y.Context(), http.MethodGet, "/personal/charity-bank/"+string(person.kept.Record), nil, &shown)
		var found struct {
			Items []api.Holding `json:"items"`
		}
		if failed := gateway.Get(y.Context(), "/gateway", nil, person.kept.Block, new(struct{})); failed != nil {
			y.Error(failed)
		}
		failed := gateway.Own(y.Context(), http.MethodGet, "/personal?payee="+url.QueryEscape(string(person.fields.Payee)), nil, &found)
		want := kept && (organisation == "charity" || organisation == "bank")
		if (err == nil) != want || (shown.Fields == person.fields) != want || failed != nil || (len(found.Items) > 0) != want {
			y.Errorf("%s, kept %v: is shown %v (%v), finds %d (%v)", organisation, kept, shown.Fields == person.fields, err, len(found.Items), failed)
		}
	}
}

// searches reads every file: the canary stands in every class of them that
// holds facts of the ledger, the people nowhere but in members' private stores.
func (y typist) searches(all []invented) {
	y.Helper()
	look := newSearch()
	look.add(string(canary))
	for _, person := range all {
		f := person.fields
		zh, latin, _ := strings.Cut(f.Name, " ")
		for _, text := range []string{zh, latin, f.IDNumber, f.Phone[5:], f.Village} {
			look.add(text)
		}
	}
	canaries, private := map[string]int{}, 0
	err := filepath.WalkDir(y.folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		parts := strings.Split(filepath.ToSlash(strings.TrimPrefix(path, y.folder+string(filepath.Separator))), "/")
		member := len(parts) > 1 && slices.Contains([]string{"charity", "bank"}, parts[1])
		store := member && slices.ContainsFunc([]string{"pvtdataStore", "stateLeveldb", "transientstore"}, func(name string) bool { return slices.Contains(parts, name) })
		found := map[string]bool{}
		for _, piece := range pieces(path, data) {
			look.in(piece, found)
		}
		for text := range found {
			switch {
			case text == string(canary):
				canaries[classOf(parts)]++
			case store:
				private++
			default:
				y.Errorf("%s holds %q", strings.Join(parts, "/"), text)
			}
		}
		return nil
	})
	if err != nil {
		y.Fatal(err)
	}
	y.Logf("the canary stands in %v; what is private, in members' stores, %d times", canaries, private)
	for class, least := range map[string]int{"blocks": 9, "state": 5, "read model": 5, "outbox": 1} {
		if canaries[class] < least {
			y.Errorf("the search finds the canary in %d files of %s, of %d at least", canaries[class], class, least)
		}
	}
	if private < 2*inventedPeople {
		y.Errorf("the search finds what is kept only %d times", private)
	}
}

// classOf is what a file is.
func classOf(parts []string) string {
	name := parts[len(parts)-1]
	switch {
	case strings.HasPrefix(name, "blockfile_"):
		return "blocks"
	case slices.Contains(parts, "stateLeveldb"):
		return "state"
	case strings.HasPrefix(name, "readmodel.db"):
		return "read model"
	case strings.HasPrefix(name, "outbox.db"):
		return "outbox"
	}
	return "other"
}

// search looks for texts in all the forms in which a program could have written them.
type search struct {
	starts []uint64 // a bit for each three bytes that a form begins with
	forms  map[[6]byte][]form
}

type form struct{ spelled, text string }

func newSearch() *search { return &search{starts: make([]uint64, 1<<18), forms: map[[6]byte][]form{}} }

func (s *search) add(text string) {
	var escaped, percent, octal, low, high strings.Builder
	for _, unit := range utf16.Encode([]rune(text)) {
		fmt.Fprintf(&escaped, "\\u%04x", unit)
		low.Write([]byte{byte(unit), byte(unit >> 8)})
		high.Write([]byte{byte(unit >> 8), byte(unit)})
	}
	for _, b := range []byte(text) {
		fmt.Fprintf(&percent, "%%%02X", b)
		fmt.Fprintf(&octal, "\\%03o", b)
	}
	all := []string{text, escaped.String(), percent.String(), octal.String(), low.String(), high.String(), hex.EncodeToString([]byte(text)), strings.ToUpper(hex.EncodeToString([]byte(text)))}
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for shift := range 3 { // within a longer text the code begins at one of three places
			all = append(all, encoding.EncodeToString([]byte(text[shift:shift+(len(text)-shift)/3*3])))
		}
	}
	for _, spelled := range all {
		start := [6]byte([]byte(spelled))
		at := int(start[0])<<16 | int(start[1])<<8 | int(start[2])
		s.starts[at/64] |= 1 << (at % 64)
		s.forms[start] = append(s.forms[start], form{spelled, text})
	}
}

func (s *search) in(data []byte, found map[string]bool) {
	for i := 0; i+6 <= len(data); i++ {
		at := int(data[i])<<16 | int(data[i+1])<<8 | int(data[i+2])
		if s.starts[at/64]&(1<<(at%64)) == 0 {
			continue
		}
		for _, f := range s.forms[[6]byte(data[i:i+6])] {
			if bytes.HasPrefix(data[i:], []byte(f.spelled)) {
				found[f.text] = true
			}
		}
	}
}

// pieces are a file as it is and, of LevelDB's tables, the blocks unpacked.
func pieces(path string, data []byte) [][]byte {
	all := [][]byte{data}
	if name := filepath.Ext(path); name != ".ldb" && name != ".sst" || len(data) < footerBytes {
		return all
	}
	footer := data[len(data)-footerBytes:]
	_, n := handle(footer)
	index, _ := handle(footer[n:])
	for _, entry := range entries(unpacked(data, index)) {
		at, _ := handle(entry)
		all = append(all, unpacked(data, at))
	}
	return all
}

// footerBytes end a table: two handles and a magic number (LevelDB, table_format.md).
const footerBytes = 48

// handle reads an offset and a size.
func handle(data []byte) (at [2]uint64, n int) {
	offset, first := binary.Uvarint(data)
	size, second := binary.Uvarint(data[first:])
	return [2]uint64{offset, size}, first + second
}

// unpacked is one block; behind it stands how it is packed: 1 is Snappy.
func unpacked(data []byte, at [2]uint64) []byte {
	block := data[at[0] : at[0]+at[1]]
	if data[at[0]+at[1]] == 1 {
		return unsnap(block)
	}
	return block
}

// entries are the values of an index block: keys are shortened by what they share.
func entries(block []byte) (values [][]byte) {
	restarts := int(binary.LittleEndian.Uint32(block[len(block)-4:]))
	for rest := block[:len(block)-4-4*restarts]; len(rest) > 0; {
		_, a := binary.Uvarint(rest)
		unshared, b := binary.Uvarint(rest[a:])
		length, c := binary.Uvarint(rest[a+b:])
		from := a + b + c + int(unshared)
		values = append(values, rest[from:from+int(length)])
		rest = rest[from+int(length):]
	}
	return values
}

// unsnap unpacks Snappy's raw format (google/snappy, format_description.txt).
func unsnap(packed []byte) []byte {
	length, n := binary.Uvarint(packed)
	plain := make([]byte, 0, length)
	for rest := packed[n:]; len(rest) > 0; {
		tag := rest[0]
		switch tag & 3 {
		case 0:
			size, skip := int(tag>>2)+1, 1
			if extra := size - 60; extra > 0 {
				var wide [8]byte
				copy(wide[:], rest[1:1+extra])
				size, skip = int(binary.LittleEndian.Uint64(wide[:]))+1, 1+extra
			}
			plain = append(plain, rest[skip:skip+size]...)
			rest = rest[skip+size:]
			continue
		case 1:
			plain = repeat(plain, int(tag>>5)<<8|int(rest[1]), int(tag>>2&7)+4)
			rest = rest[2:]
		case 2:
			plain = repeat(plain, int(binary.LittleEndian.Uint16(rest[1:])), int(tag>>2)+1)
			rest = rest[3:]
		case 3:
			plain = repeat(plain, int(binary.LittleEndian.Uint32(rest[1:])), int(tag>>2)+1)
			rest = rest[5:]
		}
	}
	return plain
}

func repeat(plain []byte, offset, length int) []byte {
	for range length {
		plain = append(plain, plain[len(plain)-offset])
	}
	return plain
}

// TestSearch: each form is found, at each place in a longer text, and unpacked.
func TestSearch(t *testing.T) {
	const secret = "欧阳虚构 Nobodyname"
	look := newSearch()
	look.add(secret)
	quoted := fmt.Sprintf("%+q", secret)
	for name, text := range map[string]string{"raw": "x" + secret + "y", "base64 0": base64.StdEncoding.EncodeToString([]byte(secret + "z")), "base64 1": base64.StdEncoding.EncodeToString([]byte("a" + secret + "z")),
		"base64 2": base64.URLEncoding.EncodeToString([]byte("ab" + secret + "z")), "hex": hex.EncodeToString([]byte(secret)), "percent": strings.ReplaceAll(fmt.Sprintf("% X", secret), " ", "%"),
		"packed": string(unsnap(append([]byte{byte(len(secret)), byte(len(secret)-1) << 2}, secret...)))} {
		found := map[string]bool{}
		if name == "percent" {
			text = "%" + text
		}
		if look.in([]byte(text), found); !found[secret] {
			t.Errorf("%s: %q is not found in %q", name, quoted, text)
		}
	}
	if got := string(unsnap([]byte{10, 3 << 2, 'a', 'b', 'c', 'd', 5<<2 | 2, 4, 0})); got != "abcdabcdab" {
		t.Errorf("unpacked %q", got)
	}
}
