package parquet

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/zeebo/xxh3"
)

const (
	// sealKey is the key in the file's metadata of the xxh3 of all its bytes, the seal's own taken as noSeal.
	sealKey = "backhaul.xxh3"
	noSeal  = "0000000000000000"
)

// sealer passes a file on to out and seals it at the end.
type sealer struct {
	out  io.Writer
	hash *xxh3.Hasher
	end  *bytes.Buffer // what is written once the end has begun
}

func newSealer(out io.Writer) *sealer { return &sealer{out: out, hash: xxh3.New()} }

// Write implements io.Writer.
func (s *sealer) Write(p []byte) (int, error) {
	if s.end != nil {
		return s.end.Write(p)
	}
	n, err := s.out.Write(p)
	s.hash.Write(p[:n])
	return n, err
}

// begin says that what is written from here on holds the footer.
func (s *sealer) begin() { s.end = new(bytes.Buffer) }

// seal writes the end, with the seal in its place.
func (s *sealer) seal() error {
	end := s.end.Bytes()
	at := sealAt(end)
	if at < 0 {
		return errors.New("no place for the seal in the footer")
	}
	s.hash.Write(end)
	copy(end[at:], fmt.Sprintf("%016x", s.hash.Sum64()))
	_, err := s.out.Write(end)
	return err
}

// sealAt returns where the seal is in the footer, or -1. Between key and value are the value's field header and length,
// a byte each.
func sealAt(footer []byte) int {
	at := bytes.LastIndex(footer, []byte(sealKey))
	if at < 0 || at+len(sealKey)+2+len(noSeal) > len(footer) {
		return -1
	}
	return at + len(sealKey) + 2
}

// checkSeal hashes the file and compares. Files of other programs, and of this one's early versions, have no seal. It is
// looked for in the footer's bytes, because a flipped bit there can hide all that follows it from who parses them.
func checkSeal(r io.ReaderAt, size int64, md *metadata.FileMetaData) error {
	from := max(0, size-int64(md.Size())-8)
	footer := make([]byte, size-from)
	if _, err := r.ReadAt(footer, from); err != nil {
		return err
	}
	at := sealAt(footer)
	if at < 0 {
		if strings.HasPrefix(md.GetCreatedBy(), creator) {
			return errors.New("its seal is gone")
		}
		return nil
	}
	said := string(footer[at : at+len(noSeal)])
	copy(footer[at:], noSeal)
	hash := xxh3.New()
	if _, err := io.Copy(hash, io.NewSectionReader(r, 0, from)); err != nil {
		return err
	}
	hash.Write(footer)
	if got := fmt.Sprintf("%016x", hash.Sum64()); got != said {
		return fmt.Errorf("its bytes have checksum %s where %q was written", got, said)
	}
	return nil
}
