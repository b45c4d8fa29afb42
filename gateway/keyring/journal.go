package keyring

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"

	"github.com/lianbao/lianbao/chaincode/canonical"
	"github.com/lianbao/lianbao/chaincode/party"
	"github.com/lianbao/lianbao/chaincode/rule"
	"github.com/lianbao/lianbao/chaincode/tape"
)

// Signing is one signature that the gateway made, as its log holds it.
type Signing struct {
	Action  string       `json:"action"`
	Amount  string       `json:"amount,omitempty"`
	At      tape.Instant `json:"at"`
	By      string       `json:"by"` // how the person had logged in
	Command party.Hash   `json:"command"`
	// Deadline is until when the signature can be used.
	Deadline tape.Instant   `json:"deadline"`
	Intent   party.IntentID `json:"intent"`
	Person   tape.ID        `json:"person"`
	// Previous is the SHA-256 of the line before; zero for the first.
	Previous party.Hash `json:"previous"`
	Subject  string     `json:"subject"`
	V        int32      `json:"v"`
}

// journal is a file of lines, each with the hash of the one before: a line that
// was taken out or changed is found at the next start.
type journal struct {
	file *os.File
	all  []Signing
	last party.Hash
	// broken is set when a line could not be written whole: what the file holds
	// is then not known, and nothing is signed any more.
	broken error
}

func openJournal(path string) (*journal, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	j := &journal{file: file}
	if err := errors.Join(j.read(), syncFolder(filepath.Dir(path))); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return j, nil
}

// read takes up what is there. A last line without its end was being written
// when the machine stopped; its signature never left, and it is cut off.
func (j *journal) read() error {
	text, err := os.ReadFile(j.file.Name())
	if err != nil {
		return err
	}
	good := bytes.LastIndexByte(text, '\n') + 1
	for line := range bytes.Lines(text[:good]) {
		line = bytes.TrimSuffix(line, []byte("\n"))
		var s Signing
		if err := canonical.Decode(line, &s); err != nil || s.Previous != j.last {
			return rule.Refuse(rule.Conflict, "line %d of %s was changed, or the one before it was; bring the file back from the backup", len(j.all)+1, j.file.Name())
		}
		j.all, j.last = append(j.all, s), sha256.Sum256(line)
	}
	if err := j.file.Truncate(int64(good)); err != nil {
		return err
	}
	_, err = j.file.Seek(int64(good), 0)
	return err
}

// add writes a line and waits until the disk has it.
func (j *journal) add(s Signing) error {
	if j.broken != nil {
		return j.broken
	}
	s.Previous = j.last
	line, err := canonical.Encode(s)
	if err != nil {
		return err
	}
	if _, err = j.file.Write(append(line, '\n')); err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		j.broken = rule.Refuse(rule.WrongState, "the log of signatures cannot be written; nothing is signed until the gateway has started again (%s)", err)
		return j.broken
	}
	j.all, j.last = append(j.all, s), sha256.Sum256(line)
	return nil
}

func (j *journal) close() error { return j.file.Close() }

// writeNew writes a file whole or not at all, and never over another.
func writeNew(path string, data []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), ".new-*") // 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(file.Name()) }() // only the link stays
	_, err = file.Write(data)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Link(file.Name(), path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
