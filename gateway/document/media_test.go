package document

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"image"
	_ "image/png"
	"strings"
	"testing"
)

// TestWhatIsTaken goes through claims and contents.
func TestWhatIsTaken(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct{ claim, content, want string }{
		{"text/plain", "三袋大米，收到", ""},
		{"text/plain; charset=utf-8", "rice", ""},
		{"text/csv", "a,b\r\n1,2\r\n", ""},
		{"text/csv", "\xd0\xd5\xc3\xfb,\xbd\xf0\xb6\xee\n", ""}, // GB 18030
		{"application/pdf", plainPDF, ""},
		{"image/jpeg", string(plainJPEG()), ""},
		{"image/png", string(plainPNG()), ""},
		{"image/webp", string(plainWebP()), ""},
		{"text/plain", "", "invalid: the document is empty"},
		{"text/html", "hello", "invalid: field mediaType: this is HTML,"},
		{"image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg'/>", "invalid: field mediaType: this is SVG,"},
		{"text/plain", "\ufeff  <!-- x --><SVG onload=alert(1)>", "invalid: field mediaType: this is SVG,"},
		{"text/plain", "<!DOCTYPE HTML><p>", "invalid: field mediaType: this is HTML,"},
		{"text/csv", "name,\"<script>alert(1)</script>\"", "invalid: field mediaType: this is HTML,"},
		{"text/plain", "\ufeff<?xml version='1.0'?>", "invalid: field mediaType: this is XML,"},
		{"application/javascript", "alert(1)", "invalid: field mediaType: this is JavaScript,"},
		{"image/gif", "GIF89a", "invalid: field mediaType: documents of type \"image/gif\" are not taken; taken are application/pdf,"},
		{"", "x", "invalid: field mediaType: documents of type \"\" are not taken"},
		{"image/jpeg", plainPDF, "invalid: field mediaType: the document is said to be image/jpeg, but begins like application/pdf"},
		{"text/plain", plainPDF, "invalid: field mediaType: the document is said to be text/plain, but begins like application/pdf"},
		{"image/png", "GIF89a\x01\x00", "invalid: field mediaType: the document is said to be image/png, but begins like image/gif"},
		{"text/plain", "a\x00b", "invalid: field mediaType: the document is said to be text/plain, but begins like application/octet-stream"},
		{"text/plain", strings.Repeat("a", 5000) + "\x00", "invalid: this is not a whole text: a control character stands in it"},
		{"application/pdf", plainPDF[:30], "invalid: this is not a whole PDF: its end is missing"},
	} {
		before := len(files(t, w.storeFolder()))
		cited, err := w.Put(t.Context(), "invoice", c.claim, strings.NewReader(c.content))
		if got := text(err); c.want == "" && got != "" || !strings.HasPrefix(got, c.want) {
			t.Errorf("%s %.30q: got %q, want %q", c.claim, c.content, got, c.want)
		}
		if err == nil && len(cited.Removed) != 0 {
			t.Errorf("%s: removed %v from what tells nothing", c.claim, cited.Removed)
		}
		if kept, err2 := w.get(cited.ID); err == nil && (err2 != nil || string(kept) != c.content) {
			t.Errorf("%s: comes back as %.40q, %v", c.claim, kept, err2)
		}
		if err != nil && len(files(t, w.storeFolder())) != before {
			t.Errorf("%s %.30q was refused and left something in the store", c.claim, c.content)
		}
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestPicturesTellOnlyWhatTheyShow(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		mediaType      string
		telling, plain []byte
		removed        string
	}{
		{"image/jpeg", tellingJPEG(), plainJPEG(), "thumbnail exif xmp application data iptc comment data after the end"},
		{"image/png", tellingPNG(), plainPNG(), "exif text other chunks data after the end"},
		{"image/webp", tellingWebP(), plainWebP(), "exif xmp other chunks data after the end"},
	} {
		if !bytes.Contains(c.telling, []byte("GPS")) {
			t.Fatal("the example tells nothing")
		}
		cited := w.put(c.mediaType, c.telling)
		kept, err := w.get(cited.ID)
		if err != nil || bytes.Contains(kept, []byte("GPS")) || bytes.Contains(kept, []byte("RGB")) {
			t.Errorf("%s still tells where it was taken: %q %v", c.mediaType, kept, err)
		}
		if got := strings.Join(cited.Removed, " "); got != c.removed {
			t.Errorf("%s: removed %q, want %q", c.mediaType, got, c.removed)
		}
		if c.mediaType != "image/webp" {
			samePicture(t, c.plain, kept)
		}
		if again := w.put(c.mediaType, kept); len(again.Removed) != 0 || again.Size != cited.Size {
			t.Errorf("%s: cleaning what is clean removes %v", c.mediaType, again.Removed)
		}
	}
}

func samePicture(t *testing.T, a, b []byte) {
	t.Helper()
	one, _, err := image.Decode(bytes.NewReader(a))
	if err != nil {
		t.Fatal(err)
	}
	other, _, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	for i := range one.Bounds().Dx() * one.Bounds().Dy() {
		if x, y := i%one.Bounds().Dx(), i/one.Bounds().Dx(); one.At(x, y) != other.At(x, y) {
			t.Fatalf("pixel %d,%d differs", x, y)
		}
	}
}

// TestWebPStaysWhole walks the cleaned file: its lengths are still true, and
// its header announces nothing that is gone.
func TestWebPStaysWhole(t *testing.T) {
	w := newWorld(t)
	kept, err := w.get(w.put("image/webp", tellingWebP()).ID)
	if err != nil || int(binary.LittleEndian.Uint32(kept[4:]))+8 != len(kept) {
		t.Fatalf("%q %v", kept, err)
	}
	var names []string
	for at := 12; at < len(kept); {
		names = append(names, string(kept[at:at+4]))
		size := int(binary.LittleEndian.Uint32(kept[at+4:]))
		at += 8 + size + size%2
	}
	if got := strings.Join(names, " "); got != "VP8X VP8L JUNK JUNK JUNK" || kept[20] != 0 {
		t.Errorf("chunks %q, flags %#x", got, kept[20])
	}
}

// TestNamesOfChunksStayOut: what a file calls its chunks, which need not be
// text, reaches neither the record nor the citation.
func TestNamesOfChunksStayOut(t *testing.T) {
	w := newWorld(t)
	c := w.put("image/webp", riff(riffChunk("\xff\xfe\xfd\xfc", "x"), riffChunk("VP8L", lossless), riffChunk("NAME", "x")))
	if got := strings.Join(c.Removed, " "); got != otherChunks {
		t.Errorf("removed %q", got)
	}
	if _, err := w.get(c.ID); err != nil {
		t.Error(err)
	}
}

func TestTheWayAPhotoIsTurnedStays(t *testing.T) {
	w := newWorld(t)
	for orientation := range byte(12) {
		photo := append(append([]byte{0xff, 0xd8}, segment(0xe1, exifBlock(orientation))...), plainJPEG()[2:]...)
		kept, err := w.get(w.put("image/jpeg", photo).ID)
		if err != nil {
			t.Fatal(err)
		}
		want := uint16(orientation)
		if orientation < 2 || orientation > 8 {
			want = 0
		}
		var got uint16
		if _, exif, found := bytes.Cut(kept, []byte(exifMark)); found {
			got = orientationOf(exif)
		}
		if got != want {
			t.Errorf("orientation %d became %d", orientation, got)
		}
	}
}

// TestProgressiveScans: entropy-coded data holds stuffed bytes and restart
// markers; several scans follow one another.
func TestProgressiveScans(t *testing.T) {
	scan := "\xff\xda\x00\x03\x01data\xff\x00more\xff\xd0again\xff\xd7"
	whole := "\xff\xd8" + "\xff\xc2\x00\x03\x01" + scan + "\xff\xc4\x00\x03\x01" + scan + "\xff\xd9"
	w := newWorld(t)
	kept, err := w.get(w.put("image/jpeg", []byte(whole)).ID)
	if err != nil || string(kept) != whole {
		t.Errorf("%q %v", kept, err)
	}
	long := "\xff\xd8\xff\xc0\x00\x03\x01\xff\xda\x00\x03\x01" + strings.Repeat("x", 200_000) + "\xff\xd9"
	if kept, err = w.get(w.put("image/jpeg", []byte(long)).ID); err != nil || string(kept) != long {
		t.Errorf("a long scan changes: %d bytes of %d, %v", len(kept), len(long), err)
	}
}

// TestCutPictures: every picture that ends early is refused, wherever it ends.
func TestCutPictures(t *testing.T) {
	w := newWorld(t)
	for mediaType, whole := range map[string][]byte{"image/jpeg": tellingJPEG(), "image/png": tellingPNG(), "image/webp": tellingWebP()} {
		end := bytes.LastIndex(whole, []byte{0xff, 0xd9}) + 2
		if mediaType != "image/jpeg" {
			end = len(whole) - 3
		}
		for length := 0; length < end; length += 1 + length/97 {
			if _, err := w.Put(t.Context(), "photo", mediaType, bytes.NewReader(whole[:length])); err == nil || !strings.HasPrefix(err.Error(), "invalid: ") {
				t.Errorf("%s of %d bytes out of %d: %v", mediaType, length, end, err)
			}
		}
	}
	if n := len(files(t, w.storeFolder())); n != 0 {
		t.Errorf("%d blobs are left", n)
	}
}

func TestChangedPNGIsRefused(t *testing.T) {
	changed := plainPNG()
	changed[len(changed)/2] ^= 1
	_, err := newWorld(t).Put(t.Context(), "photo", "image/png", bytes.NewReader(changed))
	if text(err) != "invalid: this is not a whole PNG: the checksum of a chunk IDAT is wrong" {
		t.Error(err)
	}
}

func FuzzClean(f *testing.F) {
	f.Add("image/jpeg", tellingJPEG())
	f.Add("image/png", tellingPNG())
	f.Add("image/webp", tellingWebP())
	f.Add("application/pdf", []byte(plainPDF))
	f.Fuzz(func(t *testing.T, mediaType string, content []byte) {
		first, _, err := clean(mediaType, content)
		if err != nil {
			return
		}
		second, removed, err := clean(mediaType, first)
		if err != nil || len(removed) != 0 || !bytes.Equal(first, second) {
			t.Errorf("cleaning twice differs: %v %v", removed, err)
		}
	})
}

func clean(mediaType string, content []byte) ([]byte, []string, error) {
	in := bufio.NewReaderSize(bytes.NewReader(content), 32<<10)
	head, _ := in.Peek(headBytes)
	name, err := judge(mediaType, head)
	if err != nil {
		return nil, nil, err
	}
	var out bytes.Buffer
	removed, err := media[name].clean(in, &out)
	return out.Bytes(), removed, err
}
