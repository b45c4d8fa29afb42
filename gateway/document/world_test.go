package document

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// world is an archive in folders of its own.
type world struct {
	*Archive
	config Config
	t      *testing.T
}

func newWorld(t *testing.T) *world {
	t.Helper()
	folder := t.TempDir()
	c := Config{Store: (&url.URL{Scheme: "file", Path: filepath.Join(folder, "store")}).String(), Keys: filepath.Join(folder, "keys"), Master: filepath.Join(folder, "master.key")}
	if err := CreateMaster(c.Master); err != nil {
		t.Fatal(err)
	}
	w := &world{config: c, t: t}
	w.reopen()
	t.Cleanup(func() { _ = w.Close() })
	return w
}

func (w *world) reopen() {
	w.t.Helper()
	if w.Archive != nil {
		_ = w.Close()
	}
	var err error
	if w.Archive, err = New(w.t.Context(), w.config); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) storeFolder() string { return strings.TrimPrefix(w.config.Store, "file://") }

func (w *world) put(mediaType string, content []byte) Citation {
	w.t.Helper()
	c, err := w.Put(w.t.Context(), "invoice", mediaType, bytes.NewReader(content))
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// get reads a document to its end.
func (w *world) get(id string) ([]byte, error) {
	r, _, err := w.Open(w.t.Context(), id)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// listed reads every document that can be read and returns their number.
func (w *world) listed() int {
	w.t.Helper()
	n := 0
	for m, err := range w.List() {
		if err != nil {
			w.t.Fatal(err)
		}
		if !m.Shredded.IsZero() {
			continue
		}
		content, err := w.get(m.ID)
		if err == nil {
			err = Verify(m.Citation, m.Salt, bytes.NewReader(content))
		}
		if err != nil {
			w.t.Errorf("%s is listed, but: %v", m.ID, err)
		}
		n++
	}
	return n
}

// files returns everything under a folder, by path.
func files(t *testing.T, folder string) map[string][]byte {
	t.Helper()
	found := map[string][]byte{}
	err := filepath.Walk(folder, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		found[path] = content
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

var errBroken = errors.New("broken here")

func picture() image.Image {
	p := image.NewRGBA(image.Rect(0, 0, 40, 24))
	for i := range 40 * 24 {
		p.Set(i%40, i/40, color.RGBA{uint8(i), uint8(i * 7), uint8(i / 3), 255})
	}
	return p
}

func plainJPEG() []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, picture(), nil); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func plainPNG() []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, picture()); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func segment(marker byte, body string) []byte {
	return append([]byte{0xff, marker, byte((len(body) + 2) >> 8), byte(len(body) + 2)}, body...)
}

// exifBlock is an Exif structure with an orientation and a GPS position.
func exifBlock(orientation byte) string {
	return "Exif\x00\x00II\x2a\x00\x08\x00\x00\x00\x02\x00" +
		"\x12\x01\x03\x00\x01\x00\x00\x00" + string(orientation) + "\x00\x00\x00" +
		"\x25\x88\x04\x00\x01\x00\x00\x00\x26\x00\x00\x00" + "\x00\x00\x00\x00" +
		"GPS 26.6470 N 106.6302 E"
}

// tellingJPEG is a photo as a phone makes it.
func tellingJPEG() []byte {
	plain := plainJPEG()
	out := append([]byte{}, plain[:2]...)
	out = append(out, segment(0xe0, "JFIF\x00\x01\x02\x00\x00\x48\x00\x48\x01\x01RGB")...)
	out = append(out, segment(0xe1, exifBlock(6))...)
	out = append(out, segment(0xe1, "http://ns.adobe.com/xap/1.0/\x00<x:xmpmeta>GPS 26.6</x:xmpmeta>")...)
	out = append(out, segment(0xe2, "ICC_PROFILE\x00\x01\x01profile")...)
	out = append(out, segment(0xe2, "MPF\x00GPS")...)
	out = append(out, segment(0xed, "Photoshop 3.0\x008BIM GPS")...)
	out = append(out, segment(0xfe, "GPS of the house")...)
	out = append(out, plain[2:]...)
	return append(out, "a film with GPS"...)
}

func pngChunk(name, body string) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	out = append(append(out, name...), body...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
}

func tellingPNG() []byte {
	plain := plainPNG()
	const header = 8 + 25
	out := append([]byte{}, plain[:header]...)
	out = append(out, pngChunk("eXIf", "GPS")...)
	out = append(out, pngChunk("tEXt", "Comment\x00GPS")...)
	out = append(out, pngChunk("iTXt", "XML:com.adobe.xmp\x00GPS")...)
	out = append(out, pngChunk("prVt", "GPS")...)
	out = append(out, plain[header:]...)
	return append(out, "GPS"...)
}

func riff(chunks ...[]byte) []byte {
	body := []byte("WEBP")
	for _, c := range chunks {
		body = append(body, c...)
	}
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
}

func riffChunk(name, body string) []byte {
	out := append(binary.LittleEndian.AppendUint32([]byte(name), uint32(len(body))), body...)
	if len(body)%2 == 1 {
		out = append(out, 0)
	}
	return out
}

// lossless is a picture of one pixel.
const lossless = "\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07"

func plainWebP() []byte { return riff(riffChunk("VP8L", lossless)) }

func tellingWebP() []byte {
	return append(riff(riffChunk("VP8X", "\x0c\x00\x00\x00\x00\x00\x00\x00\x00\x00"), riffChunk("VP8L", lossless),
		riffChunk("EXIF", exifBlock(1)), riffChunk("XMP ", "GPS"), riffChunk("HOME", "GPS")), "GPS"...)
}

const plainPDF = "%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
