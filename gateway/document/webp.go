package document

import (
	"bufio"
	"encoding/binary"
	"io"
)

func isWebP(head []byte) bool {
	return len(head) >= 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == "WEBP"
}

// Flags in the first byte of a VP8X chunk that announce what is taken out or refused.
const (
	webpAnimation = 0x02
	webpXMP       = 0x04
	webpExif      = 0x08
)

// zeros pads what is taken out.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// cleanWebP copies the chunks that make the picture. The file begins with its
// own length, so what is taken out leaves a chunk of zeros under RIFF's name
// for padding, and the copy needs one pass.
func cleanWebP(r *bufio.Reader, w io.Writer) (removed []string, err error) {
	var header [12]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return nil, cut("WebP", err)
	}
	if _, err := w.Write(header[:]); err != nil {
		return nil, err
	}
	left := int64(binary.LittleEndian.Uint32(header[4:])) - 4
	pictures := 0
	for left > 0 {
		name, size, err := copyRIFF(r, w, left)
		if err != nil {
			return nil, cut("WebP", err)
		}
		switch name {
		case "VP8 ", "VP8L":
			pictures++
		case "EXIF":
			removed = note(removed, "exif")
		case "XMP ":
			removed = note(removed, "xmp")
		case "VP8X", "ALPH", "ICCP", "JUNK":
		default:
			removed = note(removed, otherChunks)
		}
		left -= size
	}
	if left < 0 || pictures != 1 {
		return nil, broken("WebP", "it holds %d pictures, or a chunk is longer than the file", pictures)
	}
	return dropRest(r, removed)
}

// copyRIFF copies one chunk and returns its name and its length with header and padding.
func copyRIFF(r *bufio.Reader, w io.Writer, left int64) (name string, size int64, err error) {
	var header [8]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return "", 0, err
	}
	name = string(header[:4])
	body := int64(binary.LittleEndian.Uint32(header[4:]))
	padded := body + body&1
	if padded+8 > left {
		return "", 0, broken("WebP", "a chunk is longer than the file")
	}
	var from io.Reader = r
	switch name {
	case "VP8 ", "VP8L", "ALPH", "ICCP":
	case "VP8X":
		if err := announce(r); err != nil {
			return "", 0, err
		}
	case "ANIM", "ANMF":
		return "", 0, broken("still WebP", "it moves")
	default:
		if _, err := io.CopyN(io.Discard, r, padded); err != nil {
			return "", 0, err
		}
		from = zeros{}
		copy(header[:4], "JUNK")
	}
	if _, err := w.Write(header[:]); err != nil {
		return "", 0, err
	}
	_, err = io.CopyN(w, from, padded)
	return name, padded + 8, err
}

// announce changes the flags that come next: nothing is announced that was taken out.
func announce(r *bufio.Reader) error {
	flags, err := r.Peek(1)
	if err != nil {
		return err
	}
	if flags[0]&webpAnimation != 0 {
		return broken("still WebP", "it moves")
	}
	flags[0] &^= webpXMP | webpExif // Peek shows the reader's own buffer, which the copy then reads
	return nil
}
