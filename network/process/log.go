package process

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
)

// logBytesMax is the size beyond which a log is put aside when its node starts.
const logBytesMax = 16 << 20

// LogPath is the file that holds what a node prints.
func (t *Table) LogPath(name string) string { return filepath.Join(t.logs, name+".log") }

func (t *Table) openLog(name string) (*os.File, error) {
	path := t.LogPath(name)
	if info, err := os.Stat(path); err == nil && info.Size() > logBytesMax {
		if err := os.Rename(path, path+".old"); err != nil {
			return nil, err
		}
	}
	return os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
}

// tailBytesMax bounds what Tail reads.
const tailBytesMax = 64 << 10

// Tail is the last lines of a node's log; empty where there is none.
func (t *Table) Tail(name string, lines int) string {
	file, err := os.Open(t.LogPath(name))
	if err != nil {
		return ""
	}
	defer file.Close()
	if _, err := file.Seek(-tailBytesMax, io.SeekEnd); err != nil {
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			return ""
		}
	}
	data, err := io.ReadAll(file)
	if err != nil && !errors.Is(err, io.EOF) {
		return ""
	}
	data = bytes.TrimRight(data, "\n")
	at := len(data)
	for range lines {
		at = bytes.LastIndexByte(data[:at], '\n')
		if at < 0 {
			return string(data)
		}
	}
	return string(data[at+1:])
}
