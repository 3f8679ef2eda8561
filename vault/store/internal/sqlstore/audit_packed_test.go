package sqlstore

import (
	"bytes"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/haywardhq/hayward/vault/internal/canon"
	"github.com/haywardhq/hayward/vault/store/driver"
)

func anEntry(t *rapid.T, c driver.Chain, seq int64) driver.AuditRow {
	text := func(name string) string {
		return rapid.OneOf(rapid.SampledFrom([]string{"", "ok", "secret.get"}), rapid.String()).Draw(t, name)
	}
	sum := func(name string) []byte {
		return rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, name)
	}
	return driver.AuditRow{Chain: c, Seq: seq, ID: text("id"), Ref: text("ref"), At: 7, User: text("user"), IP: text("ip"), RequestID: text("request"),
		Action: text("action"), Resource: text("resource"), Name: text("name"), Outcome: text("outcome"), Details: text("details"), Sealed: text("sealed"),
		Hash: sum("hash"), MAC: sum("mac")}
}

func TestWhatIsPackedComesBack(t *testing.T) {
	var buf []parcel
	rapid.Check(t, func(t *rapid.T) {
		rows := make([]driver.AuditRow, rapid.IntRange(2, 10).Draw(t, "entries"))
		first := rapid.Int64Range(math.MinInt64, math.MaxInt64-10).Draw(t, "seq")
		for i := range rows {
			rows[i] = anEntry(t, driver.Chain{App: "a", Tenant: "t", Node: "n", Epoch: 3}, first+int64(i))
		}
		before := len(rows) - 1
		b := pack(rows[:before])
		if len(b) != cap(b) {
			t.Fatalf("%d bytes in %d", len(b), cap(b))
		}
		var err error
		if buf, err = unpack(buf, b); err != nil || len(buf) != before {
			t.Fatalf("%d of %d entries, %v", len(buf), before, err)
		}
		for i := range buf {
			if got := buf[i].row(&rows[before], before-i); !reflect.DeepEqual(got, rows[i]) {
				t.Fatalf("%+v came back as %+v", rows[i], got)
			}
		}
		at := rapid.IntRange(0, len(b)-1).Draw(t, "cut")
		if out, err := unpack(nil, b[:at]); err == nil || len(out) != 0 {
			t.Fatalf("%d of %d bytes were taken: %d entries, %v", at, len(b), len(out), err)
		}
		if out, err := unpack(nil, append(b, 0)); err == nil || len(out) != 0 {
			t.Fatal("a byte too many was taken")
		}
	})
}

func TestARowTakesEntriesOfOneMomentThatFollowEachOther(t *testing.T) {
	c := driver.Chain{App: "a", Tenant: "t", Node: "n", Epoch: 1}
	rows := make([]driver.AuditRow, 200)
	for i := range rows {
		rows[i] = driver.AuditRow{Chain: c, Seq: int64(i + 1), At: 5}
	}
	for name, tc := range map[string]struct {
		change func(rows []driver.AuditRow) []driver.AuditRow
		want   int
	}{
		"one":                   {func(r []driver.AuditRow) []driver.AuditRow { return r[:1] }, 1},
		"few":                   {func(r []driver.AuditRow) []driver.AuditRow { return r[:7] }, 7},
		"very many":             {func(r []driver.AuditRow) []driver.AuditRow { return r }, maxPacked},
		"as many as may be":     {func(r []driver.AuditRow) []driver.AuditRow { return r[:maxPacked] }, maxPacked},
		"another moment":        {func(r []driver.AuditRow) []driver.AuditRow { r[3].At++; return r }, 3},
		"a number is left out":  {func(r []driver.AuditRow) []driver.AuditRow { r[4].Seq = 99; return r }, 4},
		"another chain":         {func(r []driver.AuditRow) []driver.AuditRow { r[5].Epoch++; return r }, 5},
		"a long one comes last": {func(r []driver.AuditRow) []driver.AuditRow { r[2].Details = strings.Repeat("d", 1<<20); return r[:3] }, 3},
		"a long one is not packed with others": {func(r []driver.AuditRow) []driver.AuditRow {
			r[2].Details = strings.Repeat("d", maxPackedBytes)
			return r
		}, 3},
		"many of some length": {func(r []driver.AuditRow) []driver.AuditRow {
			for i := range r {
				r[i].Details = strings.Repeat("d", 1<<10)
			}
			return r
		}, 1 + (maxPackedBytes-packedHead)/(1<<10+leastPacked)},
	} {
		in := tc.change(slices.Clone(rows))
		n := packable(in)
		if n != tc.want {
			t.Errorf("%s: %d, want %d", name, n, tc.want)
		}
		if b := pack(in[:n-1]); len(b) > maxPackedBytes {
			t.Errorf("%s: %d bytes", name, len(b))
		}
	}
	if b := pack(nil); b != nil {
		t.Errorf("nothing is packed as %x", b)
	}
}

func FuzzUnpack(f *testing.F) {
	row := driver.AuditRow{Seq: 1, ID: "vaudit_1", Action: "secret.get", Details: "[]", Hash: bytes.Repeat([]byte{1}, 32), MAC: bytes.Repeat([]byte{2}, 32)}
	good := pack([]driver.AuditRow{row, row})
	for _, b := range [][]byte{{}, good, good[:len(good)-1], append(slices.Clone(good), 0), canon.Int(canon.Text(nil, packedFormat), 0),
		canon.Int(canon.Text(nil, packedFormat), math.MaxInt64), canon.Int(canon.Text(nil, packedFormat), -1), canon.Text(nil, "hayward/audit/packed/2")} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		parcels, err := unpack(nil, b)
		if err != nil {
			if len(parcels) != 0 {
				t.Fatalf("%d entries beside the error %v", len(parcels), err)
			}
			return
		}
		last := driver.AuditRow{Seq: 1000}
		rows := make([]driver.AuditRow, len(parcels))
		for i := range parcels {
			rows[i] = parcels[i].row(&last, len(parcels)-i)
		}
		if again := pack(rows); !bytes.Equal(again, b) {
			t.Fatalf("%x was read as what is written %x", b, again)
		}
	})
}

func BenchmarkUnpack(b *testing.B) {
	rows := make([]driver.AuditRow, 64)
	for i := range rows {
		rows[i] = driver.AuditRow{Seq: int64(i), ID: "vaudit_01234567890123456789012345", Ref: "vaudit_0123456789012345678901234", User: "blind1_0123456789012345",
			IP: "blind1_0123456789012345", RequestID: "req_01234567890123456789012345", Action: "secret.get", Resource: "secret", Name: "blind1_0123456789012345",
			Outcome: "ok", Details: "[]", Sealed: strings.Repeat(string(rune('a'+i%26)), 120), Hash: make([]byte, 32), MAC: make([]byte, 32)}
	}
	packed := pack(rows[:63])
	b.Run("pack", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			pack(rows[:63])
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*63), "ns/entry")
	})
	b.Run("unpack", func(b *testing.B) {
		var buf []parcel
		var err error
		var r driver.AuditRow
		b.ReportAllocs()
		for b.Loop() {
			if buf, err = unpack(buf, packed); err != nil {
				b.Fatal(err)
			}
			for i := range buf {
				r = buf[i].row(&rows[63], len(buf)-i)
			}
		}
		_ = r
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*63), "ns/entry")
	})
	b.Run("filter", func(b *testing.B) {
		var buf []parcel
		f := &driver.AuditFilter{User: "nobody", Action: "secret.", Users: []string{"none"}}
		b.ReportAllocs()
		for b.Loop() {
			buf, _ = unpack(buf, packed)
			for i := range buf {
				if p := &buf[i]; matches(f, p.user, p.resource, p.name, p.outcome, p.requestID, p.action) {
					b.Fatal(p)
				}
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*63), "ns/entry")
	})
}
