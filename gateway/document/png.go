package document

import (
	"bufio"
	"encoding/binary"
	"hash/crc32"
	"io"
	"strings"
)

const pngSignature = "\x89PNG\r\n\x1a\n"

// pngKept are the chunks that a still picture is made of; all others hold
// texts, times, Exif, films or what their maker liked.
const pngKept = "IHDR PLTE IDAT IEND tRNS cHRM gAMA iCCP sBIT sRGB bKGD pHYs cICP mDCV cLLI"

// pngNames says what people call the chunks that are most often left out.
var pngNames = map[string]string{"eXIf": "exif", "tEXt": "text", "zTXt": "text", "iTXt": "text", "tIME": "time",
	"acTL": "animation", "fcTL": "animation", "fdAT": "animation"}

// cleanPNG copies the chunks that make the picture and checks each checksum.
func cleanPNG(r *bufio.Reader, w io.Writer) (removed []string, err error) {
	if _, err := io.CopyN(w, r, int64(len(pngSignature))); err != nil {
		return nil, cut("PNG", err)
	}
	pictures := 0
	for first, name := true, ""; name != "IEND"; first = false {
		var gone string
		if name, gone, err = copyChunk(r, w); err != nil {
			return nil, cut("PNG", err)
		}
		if first && name != "IHDR" {
			return nil, broken("PNG", "its header is missing")
		}
		if name == "IDAT" {
			pictures++
		}
		if gone != "" {
			removed = note(removed, gone)
		}
	}
	if pictures == 0 {
		return nil, broken("PNG", "there is no picture in it")
	}
	return dropRest(r, removed)
}

// copyChunk copies one chunk, or reads past it and names what is gone.
func copyChunk(r *bufio.Reader, w io.Writer) (name, gone string, err error) {
	var header [8]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return "", "", err
	}
	size := binary.BigEndian.Uint32(header[:4])
	name = string(header[4:])
	if !fourLetters(name) || size > BytesMax {
		return "", "", broken("PNG", "a chunk does not begin where it should")
	}
	if !strings.Contains(pngKept, name) {
		w = io.Discard
		if gone = pngNames[name]; gone == "" {
			gone = otherChunks
		}
	}
	sum := crc32.NewIEEE()
	sum.Write(header[4:])
	if _, err := w.Write(header[:]); err != nil {
		return "", "", err
	}
	if _, err := io.CopyN(io.MultiWriter(w, sum), r, int64(size)); err != nil {
		return "", "", err
	}
	var check [4]byte
	if _, err := io.ReadFull(r, check[:]); err != nil {
		return "", "", err
	}
	if binary.BigEndian.Uint32(check[:]) != sum.Sum32() {
		return "", "", broken("PNG", "the checksum of a chunk %s is wrong", name)
	}
	_, err = w.Write(check[:])
	return name, gone, err
}

func fourLetters(name string) bool {
	return strings.IndexFunc(name, func(r rune) bool { return (r|0x20) < 'a' || (r|0x20) > 'z' }) < 0
}
