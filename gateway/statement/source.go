package statement

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/lianbao/lianbao/chaincode/rule"
)

// errFileTooLong is what a gzip bomb meets, whatever its rows look like.
var errFileTooLong = errors.New("the file is longer than the limit")

// Beginnings of files that people take for CSV.
var foreignFiles = []struct{ magic, name string }{
	{"PK\x03\x04", "an Excel workbook or a zip archive"},
	{"\xd0\xcf\x11\xe0", "an old Excel workbook"},
	{"%PDF", "a PDF file"},
	{"BZh", "a bzip2 file"},
	{"\x28\xb5\x2f\xfd", "a zstd file"},
}

// decodeSource turns a file's bytes into UTF-8 text without a byte order mark:
// it unpacks gzip, known by its first bytes and not by a name, and decodes.
func decodeSource(r io.Reader, d *dialect) (io.Reader, error) {
	buffered := bufio.NewReaderSize(r, 64<<10)
	head, err := peek(buffered)
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(head, []byte{0x1f, 0x8b}) {
		unpacked, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, readFault(1, err)
		}
		buffered = bufio.NewReaderSize(unpacked, 64<<10)
		if head, err = peek(buffered); err != nil {
			return nil, err
		}
	}
	for _, foreign := range foreignFiles {
		if bytes.HasPrefix(head, []byte(foreign.magic)) {
			return nil, rule.Refuse(rule.Invalid, "the file is %s; save the statement as CSV", foreign.name)
		}
	}
	text, err := decodeText(buffered, head, d.encoding)
	if err != nil {
		return nil, err
	}
	return &boundedReader{source: text, left: d.limits.FileBytesMax}, nil
}

func peek(buffered *bufio.Reader) ([]byte, error) {
	head, err := buffered.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, readFault(1, err)
	}
	return head, nil
}

// decodeText believes the file's byte order mark before the mapping: it is the
// file that was written with it.
func decodeText(buffered *bufio.Reader, head []byte, named string) (io.Reader, error) {
	marks := []struct{ mark, name string }{
		{"\xef\xbb\xbf", "utf-8"}, {"\xff\xfe", "utf-16le"}, {"\xfe\xff", "utf-16be"},
	}
	for _, m := range marks {
		if bytes.HasPrefix(head, []byte(m.mark)) {
			named = m.name
			if _, err := buffered.Discard(len(m.mark)); err != nil {
				return nil, readFault(1, err)
			}
			break
		}
	}
	coding := encodings[named]
	if coding == nil {
		return buffered, nil
	}
	return transform.NewReader(buffered, coding.NewDecoder()), nil
}

// encodings maps the names of a mapping to decoders; UTF-8 needs none. GBK is
// read as GB 18030, which contains it and is what Chinese banks mean today.
var encodings = map[string]encoding.Encoding{
	"utf-8":    nil,
	"utf-16le": unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM),
	"utf-16be": unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM),
	"gbk":      simplifiedchinese.GB18030,
	"gb18030":  simplifiedchinese.GB18030,
}

// boundedReader ends a file that grows beyond the limit while it is unpacked.
type boundedReader struct {
	source io.Reader
	left   int64
}

func (b *boundedReader) Read(p []byte) (int, error) {
	n, err := b.source.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, errFileTooLong
	}
	return n, err
}

// readFault tells a damaged file, which its owner must mend, from a failing
// disk, which is nobody's mistake.
func readFault(row int, err error) error {
	var corrupt flate.CorruptInputError
	switch {
	case errors.Is(err, errFileTooLong):
		return rowRefusal(row, " is beyond the bytes that one statement may have")
	case errors.As(err, &corrupt), errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.Is(err, io.ErrUnexpectedEOF):
		return rowRefusal(row, " cannot be unpacked: the gzip file is cut off or damaged")
	default:
		return fmt.Errorf("read the statement at row %d: %w", row, err)
	}
}
