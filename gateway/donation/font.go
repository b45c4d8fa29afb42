package donation

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/lianbao/lianbao/chaincode/rule"
)

// FontPaths are where a TrueType font with Chinese signs usually lies, the
// best for our papers first. Collections (.ttc) and OpenType outlines (.otf)
// cannot be put into a PDF here, so the Noto fonts are not among them.
var FontPaths = []string{
	"/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
	"/usr/share/fonts/google-droid-sans-fonts/DroidSansFallbackFull.ttf",
	"/usr/share/fonts/droid/DroidSansFallbackFull.ttf",
	"/usr/share/fonts/TTF/DroidSansFallbackFull.ttf",
	"/usr/share/fonts/truetype/arphic-gbsn00lp/gbsn00lp.ttf",
	"/usr/share/fonts/truetype/arphic-gkai00mp/gkai00mp.ttf",
	"/System/Library/Fonts/Supplemental/Arial Unicode.ttf",
	"/Library/Fonts/Arial Unicode.ttf",
	`C:\Windows\Fonts\simhei.ttf`,
	`C:\Windows\Fonts\Deng.ttf`,
}

// Font is a TrueType font for the Chinese in PDFs. What is Latin is set in
// Helvetica, which every reader of PDFs has: the Chinese font that Debian packs
// for falling back on has no Latin at all, not even a blank.
type Font struct {
	path  string
	bytes []byte
	signs map[rune]bool
}

// FindFont reads the font at path, or, where path is empty, the first of
// FontPaths that is there.
func FindFont(path string) (*Font, error) {
	return findFont(path, FontPaths)
}

func findFont(path string, usual []string) (*Font, error) {
	if path != "" {
		return readFont(path)
	}
	for _, candidate := range usual {
		if _, err := os.Stat(candidate); err == nil {
			return readFont(candidate)
		}
	}
	return nil, rule.Field("font", rule.Refuse(rule.NotFound, "no TrueType font with Chinese signs was found; on Debian run apt-get install fonts-droid-fallback, or name a .ttf file"))
}

func readFont(path string) (*Font, error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, rule.Field("font", rule.Refuse(rule.NotFound, "there is no font %s", path))
	}
	if err != nil {
		return nil, err
	}
	signs := signsOf(content)
	if signs == nil {
		return nil, rule.Field("font", rule.Refuse(rule.Invalid, "%s is not a TrueType font (.ttf) whose signs can be listed", path))
	}
	f := &Font{path: path, bytes: content, signs: signs}
	if r, lacks := f.lacks("捐赠票据：人民币壹仟元整（盖章）"); lacks {
		return nil, rule.Field("font", rule.Refuse(rule.Invalid, "%s has no sign for %c; name a font with simplified Chinese signs", path, r))
	}
	return f, nil
}

// lacks returns the first character that the font has no sign for. Without
// this check a rare character in a name would be an empty box on paper.
func (f *Font) lacks(text string) (rune, bool) {
	for _, r := range text {
		if !f.latin(r) && (r > 0xffff || !f.signs[r]) { // the PDF library embeds the basic plane only
			return r, true
		}
	}
	return 0, false
}

// latin reports whether a character is set in Helvetica: what is in Latin-1,
// and typographic signs that the Chinese font lacks.
func (f *Font) latin(r rune) bool {
	return r >= ' ' && r <= '~' || r >= 0xa0 && r <= 0xff || strings.ContainsRune("–—‘’“”•…€", r) && !f.signs[r]
}

// signsOf lists the characters of a TrueType file by its table cmap, format 4
// (OpenType specification, "cmap"); nil when it is not such a file.
func signsOf(font []byte) map[rune]bool {
	if len(font) < 12 || binary.BigEndian.Uint32(font) != 0x00010000 && string(font[:4]) != "true" {
		return nil
	}
	table := tableOf(font, "cmap")
	if len(table) < 4 {
		return nil
	}
	for i := range int(binary.BigEndian.Uint16(table[2:])) {
		entry := 4 + 8*i
		if entry+8 > len(table) {
			return nil
		}
		at := uint64(binary.BigEndian.Uint32(table[entry+4:]))
		if at+14 <= uint64(len(table)) && binary.BigEndian.Uint16(table[at:]) == 4 {
			return segmentsOf(table[at:])
		}
	}
	return nil
}

func tableOf(font []byte, name string) []byte {
	for i := range int(binary.BigEndian.Uint16(font[4:])) {
		entry := 12 + 16*i
		if entry+16 > len(font) {
			return nil
		}
		if string(font[entry:entry+4]) != name {
			continue
		}
		at, size := uint64(binary.BigEndian.Uint32(font[entry+8:])), uint64(binary.BigEndian.Uint32(font[entry+12:]))
		if at+size > uint64(len(font)) {
			return nil
		}
		return font[at : at+size]
	}
	return nil
}

// segmentsOf reads format 4: ends, starts, deltas and offsets of segments.
func segmentsOf(table []byte) map[rune]bool {
	count := int(binary.BigEndian.Uint16(table[6:])) / 2
	ends, starts := 14, 16+2*count
	deltas, offsets := starts+2*count, starts+4*count
	if offsets+2*count > len(table) {
		return nil
	}
	number := func(at int) int {
		if at+2 > len(table) {
			return 0
		}
		return int(binary.BigEndian.Uint16(table[at:]))
	}
	signs := map[rune]bool{}
	for i := range count {
		start, offset := number(starts+2*i), number(offsets+2*i)
		for c := start; c <= number(ends+2*i) && c < 0xffff; c++ {
			glyph := c
			if offset != 0 {
				glyph = number(offsets + 2*i + offset + 2*(c-start))
			}
			if glyph != 0 || offset == 0 {
				glyph = (glyph + number(deltas+2*i)) & 0xffff
			}
			if glyph != 0 {
				signs[rune(c)] = true
			}
		}
	}
	return signs
}
