package document

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"gocloud.dev/blob"
	_ "gocloud.dev/blob/fileblob" // file:///folder
	_ "gocloud.dev/blob/s3blob"   // s3://bucket
	"gocloud.dev/gcerrors"

	"github.com/lianbao/lianbao/chaincode/rule"
)

// blobs is where ciphertext lies. What is created is there after commit and
// not before.
type blobs interface {
	create(ctx context.Context, name string) (creation, error)
	// open returns errNoBlob for a name that is not there.
	open(ctx context.Context, name string) (io.ReadCloser, error)
	// remove accepts a name that is not there.
	remove(ctx context.Context, name string) error
	list(ctx context.Context) iter.Seq2[blobEntry, error]
	close() error
}

// creation is a blob that is being written; it ends with commit or abort.
type creation interface {
	io.Writer
	commit() error
	abort()
}

type blobEntry struct {
	name     string
	modified time.Time
}

var errNoBlob = fmt.Errorf("%w: its encrypted bytes are not in the store", ErrDamaged)

// bucket is a folder or an S3 bucket.
type bucket struct {
	*blob.Bucket
	// folder is set for a folder: the library renames into place without
	// telling the disk, so a power cut could leave an empty file.
	folder string
}

// s3Parameters are what an s3 URL may say; credentials come from the usual
// environment variables and files, never from the URL, which ends up in logs.
var s3Parameters = map[string]bool{"endpoint": true, "region": true, "use_path_style": true, "profile": true, "prefix": true,
	"request_checksum_calculation": true, "response_checksum_validation": true}

// openStore opens file:///folder or s3://bucket?endpoint=...&region=....
func openStore(ctx context.Context, text string) (*bucket, error) {
	address, err := url.Parse(text)
	if err != nil {
		return nil, rule.Field("store", rule.Refuse(rule.Invalid, "the address of the store cannot be read"))
	}
	query := address.Query()
	b := &bucket{}
	switch {
	case address.User != nil:
		return nil, rule.Field("store", rule.Refuse(rule.Invalid, "the address of the store must not hold credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"))
	case address.Scheme == "file" && address.Host == "" && filepath.IsAbs(address.Path) && len(query) == 0:
		b.folder = filepath.Clean(address.Path)
		query = url.Values{"create_dir": {"1"}, "dir_file_mode": {"0700"}, "no_tmp_dir": {"1"}, "metadata": {"skip"}}
	case address.Scheme == "s3" && address.Host != "":
		if err := checkS3(query); err != nil {
			return nil, err
		}
	default:
		return nil, rule.Field("store", rule.Refuse(rule.Invalid, "%s is not the address of a store; write file:///folder or s3://bucket?endpoint=https://host&region=name", address.Redacted()))
	}
	address.RawQuery = query.Encode()
	b.Bucket, err = blob.OpenBucket(ctx, address.String())
	return b, err
}

// checkS3 refuses unknown parameters. A server that is not Amazon's rarely has
// a name for each bucket, so with an endpoint the bucket goes into the path.
// What is read is authenticated by its own key, so the client does not check
// it before: a changed blob is to be found out as one, not as a failing store.
func checkS3(query url.Values) error {
	for name := range query {
		if !s3Parameters[name] {
			return rule.Field("store", rule.Refuse(rule.Invalid, "the address of an S3 store has no parameter %.40q", name))
		}
	}
	if query.Get("endpoint") != "" && query.Get("use_path_style") == "" {
		query.Set("use_path_style", "true")
	}
	if query.Get("response_checksum_validation") == "" {
		query.Set("response_checksum_validation", "when_required")
	}
	return nil
}

// writing is a blob in a bucket that is not there yet.
type writing struct {
	*blob.Writer
	cancel context.CancelFunc
	settle func() error
}

func (b *bucket) create(ctx context.Context, name string) (creation, error) {
	ctx, cancel := context.WithCancel(ctx)
	w, err := b.NewWriter(ctx, name, &blob.WriterOptions{ContentType: "application/octet-stream"})
	if err != nil {
		cancel()
		return nil, err
	}
	return &writing{Writer: w, cancel: cancel, settle: func() error { return b.settle(name) }}, nil
}

func (w *writing) commit() error {
	defer w.cancel()
	if err := w.Close(); err != nil {
		return err
	}
	return w.settle()
}

// abort closes after cancelling, which is how the library drops what was written.
func (w *writing) abort() {
	w.cancel()
	_ = w.Close()
}

// settle closes a file of a folder to other users and brings it to the disk;
// S3 has done so when it answers.
func (b *bucket) settle(name string) error {
	if b.folder == "" {
		return nil
	}
	path := filepath.Join(b.folder, name)
	if err := os.Chmod(path, 0o600); err != nil {
		return err
	}
	if err := syncFile(path); err != nil {
		return err
	}
	return syncFile(b.folder)
}

func (b *bucket) open(ctx context.Context, name string) (io.ReadCloser, error) {
	r, err := b.NewReader(ctx, name, nil)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return nil, errNoBlob
	}
	return r, err
}

func (b *bucket) remove(ctx context.Context, name string) error {
	if err := b.Delete(ctx, name); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
		return err
	}
	if b.folder == "" {
		return nil
	}
	return syncFile(b.folder)
}

func (b *bucket) list(ctx context.Context) iter.Seq2[blobEntry, error] {
	return func(yield func(blobEntry, error) bool) {
		for objects := b.List(nil); ; {
			object, err := objects.Next(ctx)
			if err == io.EOF {
				return
			}
			if err != nil {
				yield(blobEntry{}, err)
				return
			}
			if !yield(blobEntry{object.Key, object.ModTime}, nil) {
				return
			}
		}
	}
}

func (b *bucket) close() error { return b.Close() }

// syncFile brings a file, or the names in a folder, to the disk.
func syncFile(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	err = file.Sync()
	if closed := file.Close(); err == nil {
		err = closed
	}
	return err
}
