package folder

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"time"

	"github.com/waybillhq/waybill/internal/carriers/edi214"
)

// acknowledge writes the 997 of an EDI file, named after it, before the file is
// moved: none lies in done/ or failed/ whose sender could not be answered. It
// follows from the file's bytes and time alone, so that a repeat after a crash is
// the same answer, also when the first one was fetched meanwhile. Nothing is
// written where there is nothing to answer, and nothing is overwritten.
func acknowledge(root *os.Root, dir, name string, body []byte, modified time.Time) error {
	answer := edi214.AcknowledgeAll(body, control(body, modified), modified)
	if len(answer) == 0 {
		return nil
	}
	if err := root.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	target := path.Join(dir, name+".997")
	for i := 1; ; i++ {
		have, err := root.ReadFile(target)
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err != nil {
			return err
		}
		if bytes.Equal(have, answer) {
			return nil
		}
		target = path.Join(dir, fmt.Sprintf("%s.%d.997", name, i))
	}
	return publish(root, target, answer)
}

// control is the control number of the first 997 of a file: as good as random, so
// that it is hardly one of those that other systems count up for the same partner.
func control(body []byte, modified time.Time) int {
	h := sha256.New()
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(modified.UnixNano())))
	h.Write(body)
	return int(binary.BigEndian.Uint64(h.Sum(nil)) % edi214.MaxControl)
}

// publish makes a file appear whole or not at all, whatever breaks off. Two workers
// that do so at once write the same.
func publish(root *os.Root, target string, content []byte) error {
	dir := path.Dir(target)
	temp := path.Join(dir, "."+rand.Text()+".tmp")
	err := func() error {
		file, err := root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return err
		}
		_, err = file.Write(content)
		if err = errors.Join(err, file.Sync()); err != nil {
			return errors.Join(err, file.Close())
		}
		return file.Close()
	}()
	if err == nil {
		err = root.Rename(temp, target)
	}
	if err != nil {
		return errors.Join(err, remove(root, temp))
	}
	folder, err := root.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

func remove(root *os.Root, name string) error {
	if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
