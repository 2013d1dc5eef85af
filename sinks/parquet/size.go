package parquet

import "os"

// Size returns how many bytes of the file are written so far: those of its complete row groups.
func (w *Writer) Size() int64 {
	info, err := os.Stat(w.file.Name())
	if err != nil {
		return 0
	}
	return info.Size() + int64(w.buf.Buffered())
}
