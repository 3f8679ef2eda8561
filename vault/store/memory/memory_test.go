package memory_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/haywardhq/hayward/vault/store/driver"
	"github.com/haywardhq/hayward/vault/store/memory"
	"github.com/haywardhq/hayward/vault/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, storetest.Harness{
		Open: func(*testing.T) driver.Store { return memory.New() },
		Bytes: func(t *testing.T, st driver.Store) []byte {
			var b bytes.Buffer
			if err := memory.Dump(st.(*memory.Store), func(row any) { fmt.Fprintf(&b, "%s\n%q\n%x\n", row, row, row) }); err != nil {
				t.Fatal(err)
			}
			return b.Bytes()
		},
	})
}
