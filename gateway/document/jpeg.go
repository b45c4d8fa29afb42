package document

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
)

// Markers of ITU-T T.81, table B.1.
const (
	jpegStart   = 0xd8
	jpegEnd     = 0xd9
	jpegScan    = 0xda
	jpegApp0    = 0xe0
	jpegApp1    = 0xe1
	jpegApp2    = 0xe2
	jpegApp13   = 0xed
	jpegApp14   = 0xee
	jpegAppLast = 0xef
	jpegComment = 0xfe
)

// jpegCopy is one pass over a JPEG file.
type jpegCopy struct {
	r             *bufio.Reader
	w             io.Writer
	removed       []string
	frames, scans int
	// turnSaid is set once an orientation was written; a second one is dropped.
	turnSaid bool
	// read is the marker that ended a scan, 0 when none was read ahead.
	read byte
}

// cleanJPEG copies what the picture is made of: tables, frames, scans, the JFIF
// header without its thumbnail, the colour profile, Adobe's colour mark. All
// else can say where and by whom the picture was taken (Exif, XMP, IPTC, a
// maker's notes, comments, previews) and is left out. How the picture is turned
// is kept, in an Exif block that holds nothing else.
func cleanJPEG(r *bufio.Reader, w io.Writer) ([]string, error) {
	c := &jpegCopy{r: r, w: w}
	marker, err := c.marker()
	if err == nil && marker != jpegStart {
		err = broken("JPEG", "it does not begin with its mark")
	}
	if err == nil {
		_, err = w.Write([]byte{0xff, jpegStart})
	}
	for err == nil && marker != jpegEnd {
		if marker, err = c.marker(); err == nil {
			err = c.segment(marker)
		}
	}
	if err != nil {
		return nil, cut("JPEG", err)
	}
	if c.frames == 0 || c.scans == 0 {
		return nil, broken("JPEG", "there is no picture in it")
	}
	return dropRest(r, c.removed)
}

// marker reads the next marker; any number of 0xff may stand before it.
func (c *jpegCopy) marker() (byte, error) {
	if ahead := c.read; ahead != 0 {
		c.read = 0
		return ahead, nil
	}
	first, err := c.r.ReadByte()
	if err != nil {
		return 0, err
	}
	if first != 0xff {
		return 0, broken("JPEG", "a segment does not end where it says")
	}
	marker := first
	for marker == 0xff && err == nil {
		marker, err = c.r.ReadByte()
	}
	return marker, err
}

func (c *jpegCopy) segment(marker byte) error {
	if marker == jpegEnd {
		_, err := c.w.Write([]byte{0xff, jpegEnd})
		return err
	}
	if marker < 0xc0 || marker >= 0xd0 && marker <= jpegStart {
		return broken("JPEG", "mark %#02x stands where a segment should", marker)
	}
	body, err := c.body()
	if err != nil {
		return err
	}
	if marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc {
		c.frames++
	}
	if kept, gone := c.keep(marker, body); gone != "" {
		c.removed = note(c.removed, gone)
		body = kept
	}
	if body == nil {
		return nil
	}
	header := []byte{0xff, marker, 0, 0}
	binary.BigEndian.PutUint16(header[2:], uint16(len(body)+2))
	if _, err := c.w.Write(append(header, body...)); err != nil || marker != jpegScan {
		return err
	}
	c.scans++
	return c.scan()
}

func (c *jpegCopy) body() ([]byte, error) {
	var size [2]byte
	if _, err := io.ReadFull(c.r, size[:]); err != nil {
		return nil, err
	}
	length := int(binary.BigEndian.Uint16(size[:]))
	if length < 2 {
		return nil, broken("JPEG", "a segment has a length of %d", length)
	}
	body := make([]byte, length-2)
	_, err := io.ReadFull(c.r, body)
	return body, err
}

// keep returns what stays of a segment, nil for nothing, and the name of what goes.
func (c *jpegCopy) keep(marker byte, body []byte) (kept []byte, gone string) {
	has := func(name string) bool { return bytes.HasPrefix(body, []byte(name)) }
	switch {
	case marker == jpegComment:
		return nil, "comment"
	case marker < jpegApp0 || marker > jpegAppLast:
		return body, ""
	case marker == jpegApp2 && has("ICC_PROFILE\x00"), marker == jpegApp14 && has("Adobe"):
		return body, ""
	case marker == jpegApp0 && has("JFIF\x00") && len(body) >= 14:
		return jfif(body)
	case marker == jpegApp1 && has("Exif\x00"):
		if kept = c.turned(body); bytes.Equal(kept, body) {
			return kept, ""
		}
		return kept, "exif"
	case marker == jpegApp1 && has("http://ns.adobe.com/"):
		return nil, "xmp"
	case marker == jpegApp13 && has("Photoshop"):
		return nil, "iptc"
	}
	return nil, "application data"
}

// jfif keeps the fixed header of 14 bytes and drops the thumbnail behind it,
// which can show what was cut off the picture.
func jfif(body []byte) (kept []byte, gone string) {
	if len(body) == 14 && body[12] == 0 && body[13] == 0 {
		return body, ""
	}
	kept = append([]byte(nil), body[:14]...)
	kept[12], kept[13] = 0, 0
	return kept, "thumbnail"
}

const exifMark = "Exif\x00\x00"

// turned returns an Exif block with the orientation alone, nil when the picture
// stands upright or says nothing.
func (c *jpegCopy) turned(exif []byte) []byte {
	orientation := orientationOf(exif[min(len(exifMark), len(exif)):])
	if c.turnSaid || orientation < 2 || orientation > 8 {
		return nil
	}
	c.turnSaid = true
	block := []byte(exifMark + "MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00")
	block[len(block)-7] = byte(orientation)
	return block
}

// orientationOf reads tag 0x0112 of the first directory of a TIFF structure, 0 when there is none.
func orientationOf(tiff []byte) uint16 {
	var order binary.ByteOrder = binary.BigEndian
	if len(tiff) < 8 {
		return 0
	}
	if tiff[0] == 'I' {
		order = binary.LittleEndian
	}
	at := uint64(order.Uint32(tiff[4:]))
	if at+2 > uint64(len(tiff)) {
		return 0
	}
	entries := tiff[at+2:]
	for n := order.Uint16(tiff[at:]); n > 0 && len(entries) >= 12; n-- {
		if order.Uint16(entries) == 0x0112 {
			return order.Uint16(entries[8:])
		}
		entries = entries[12:]
	}
	return 0
}

// scan copies entropy-coded data up to the next marker, which it reads ahead.
// In the data 0xff is followed by zero, or by one of the eight restart markers.
func (c *jpegCopy) scan() error {
	for {
		data, err := c.r.ReadSlice(0xff)
		if err == bufio.ErrBufferFull {
			if _, err := c.w.Write(data); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		if _, err := c.w.Write(data[:len(data)-1]); err != nil {
			return err
		}
		next := byte(0xff)
		for next == 0xff {
			if next, err = c.r.ReadByte(); err != nil {
				return err
			}
		}
		if next != 0 && (next < 0xd0 || next > 0xd7) {
			c.read = next
			return nil
		}
		if _, err := c.w.Write([]byte{0xff, next}); err != nil {
			return err
		}
	}
}
