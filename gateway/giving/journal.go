package giving

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// The records stand in files of lines, each line sealed by itself. A file holds
// a few thousand, so that erasing one rewrites a small file and not the store.
const (
	segmentLines   = 4096
	segmentPattern = "announced-*.log"
	draftPattern   = ".writing-*"
)

// place is where a record stands.
type place struct{ segment, line int }

func (p place) segmentName() string { return fmt.Sprintf("announced-%06d.log", p.segment) }

func (p place) bound() []byte {
	return []byte("lianbao giving 1\x00" + strconv.Itoa(p.segment) + "\x00" + strconv.Itoa(p.line))
}

// journal is the store's files. What append and replace return without an
// error for is on the disk.
type journal struct {
	folder  string
	sealing sealing
	most    int
	// next is where the following record will stand, in file, which holds size bytes.
	next place
	file *os.File
	size int64
	// broken is set when it is not known what the disk holds: nothing is written any more.
	broken error
}

// openJournal reads everything and hands it over record by record.
func openJournal(folder string, s sealing, most int, take func(place, record) error) (*journal, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	j := &journal{folder: folder, sealing: s, most: most, next: place{segment: 1}}
	drafts, _ := filepath.Glob(filepath.Join(folder, draftPattern))
	for _, draft := range drafts {
		if err := os.Remove(draft); err != nil {
			return nil, err
		}
	}
	names, _ := filepath.Glob(filepath.Join(folder, segmentPattern))
	slices.Sort(names)
	for i, name := range names {
		j.next = place{segment: i + 1}
		if filepath.Base(name) != j.next.segmentName() {
			return nil, fmt.Errorf("%s is missing in %s", j.next.segmentName(), folder)
		}
		if err := j.read(name, i == len(names)-1, take); err != nil {
			return nil, err
		}
	}
	return j, j.begin()
}

// read takes up one file. A last line without its end was being written when
// the machine stopped; nobody was told that it was there, and it is cut off.
func (j *journal) read(path string, last bool, take func(place, record) error) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	whole := bytes.LastIndexByte(text, '\n') + 1
	if whole < len(text) {
		if !last {
			return fmt.Errorf("%s does not end with a line", path)
		}
		if err := os.Truncate(path, int64(whole)); err != nil {
			return err
		}
	}
	j.size = int64(whole)
	for line := range strings.Lines(string(text[:whole])) {
		r, err := j.open(strings.TrimSuffix(line, "\n"), j.next)
		if err != nil {
			return err
		}
		if err := take(j.next, r); err != nil {
			return fmt.Errorf("line %d of %s: %w", j.next.line+1, path, err)
		}
		j.next.line++
	}
	return nil
}

func (j *journal) open(line string, at place) (record, error) {
	var r record
	text, err := j.sealing.unseal(line, at)
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(text, &r); err != nil || r.V != 1 {
		return r, fmt.Errorf("line %d of %s is of version %d; this program knows 1", at.line+1, at.segmentName(), r.V)
	}
	return r, nil
}

// begin opens the file that grows.
func (j *journal) begin() (err error) {
	if j.next.line >= j.most {
		j.next, j.size = place{segment: j.next.segment + 1}, 0
	}
	j.file, err = os.OpenFile(filepath.Join(j.folder, j.next.segmentName()), os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return syncFolder(j.folder)
}

func (j *journal) close() error {
	if j.file == nil {
		return nil
	}
	err := j.file.Close()
	j.file = nil
	j.broken = errors.New("the store of announcements is closed")
	return err
}

// append writes records and brings them to the disk at once. Their places are returned.
func (j *journal) append(records ...record) ([]place, error) {
	if j.broken != nil {
		return nil, j.broken
	}
	var places []place
	for len(records) > 0 {
		if j.next.line >= j.most {
			if err := errors.Join(j.file.Close(), j.begin()); err != nil {
				j.broken = err
				return nil, err
			}
		}
		part := records[:min(len(records), j.most-j.next.line)]
		records = records[len(part):]
		written, err := j.write(part)
		if err != nil {
			return nil, err
		}
		places = append(places, written...)
	}
	return places, nil
}

func (j *journal) write(part []record) ([]place, error) {
	var text bytes.Buffer
	var places []place
	at := j.next
	for _, r := range part {
		line, err := j.line(r, at)
		if err != nil {
			return nil, err
		}
		text.WriteString(line)
		places = append(places, at)
		at.line++
	}
	if _, err := j.file.WriteAt(text.Bytes(), j.size); err != nil {
		// What was written in part is overwritten by the next record, if the file can be cut.
		if cut := j.file.Truncate(j.size); cut != nil {
			j.broken = errors.Join(err, cut)
		}
		return nil, err
	}
	if err := j.file.Sync(); err != nil {
		j.broken = fmt.Errorf("the disk does not keep announcements; the gateway must be started again: %w", err)
		return nil, j.broken
	}
	j.size += int64(text.Len())
	j.next = at
	return places, nil
}

func (j *journal) line(r record, at place) (string, error) {
	r.V = 1
	text, err := json.Marshal(r)
	return j.sealing.seal(text, at) + "\n", err
}

// replace puts other records in the places of old ones, file by file. Of an old
// one nothing is left in the store.
func (j *journal) replace(changes map[place]record) error {
	if j.broken != nil {
		return j.broken
	}
	segments := map[int]map[int]record{}
	for at, r := range changes {
		if segments[at.segment] == nil {
			segments[at.segment] = map[int]record{}
		}
		segments[at.segment][at.line] = r
	}
	for segment, lines := range segments {
		if err := j.rewrite(segment, lines); err != nil {
			return err
		}
	}
	return nil
}

func (j *journal) rewrite(segment int, lines map[int]record) error {
	path := filepath.Join(j.folder, place{segment: segment}.segmentName())
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	n := 0
	for line := range strings.Lines(string(text)) {
		if r, changes := lines[n]; changes {
			if line, err = j.line(r, place{segment, n}); err != nil {
				return err
			}
		}
		out.WriteString(line)
		n++
	}
	if err := writeDurably(path, out.Bytes()); err != nil {
		return err
	}
	if segment != j.next.segment {
		return nil
	}
	// The file that grows is another one now.
	grown, err := os.OpenFile(path, os.O_WRONLY, 0o600)
	if err != nil {
		j.broken = err
		return err
	}
	err = j.file.Close()
	j.file, j.size = grown, int64(out.Len())
	return err
}
